"""What the server answers, held against the OpenAPI document while other tests run."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from apiflask import APIFlask
from flask import Response, request

_STATUSES: dict[tuple[str, str], set[int]] = {}
"""Documented statuses by method and rule; the same for every application, and slow to ask for."""


def _statuses(application: APIFlask) -> dict[tuple[str, str], set[int]]:
    if not _STATUSES:
        paths = application.spec["paths"]
        for rule in application.url_map.iter_rules():
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
            for method, operation in paths.get(path, {}).items():
                _STATUSES[method.upper(), rule.rule] = {int(status) for status in operation["responses"]}
    return _STATUSES


@contextmanager
def only_documented_statuses(application: APIFlask) -> Iterator[None]:
    """Fails at the end where a call of the API was answered with a status that the document does not list."""
    strange: set[str] = set()

    @application.after_request
    def compare(response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and response.status_code != 500:  # which some tests bring about on purpose
            listed = _statuses(application).get((request.method, rule.rule))
            if listed is not None and response.status_code not in listed:
                strange.add(f"{request.method} {rule.rule} answers {response.status_code}, listed: {sorted(listed)}")
        return response

    yield
    assert not strange, "\n".join(sorted(strange))
