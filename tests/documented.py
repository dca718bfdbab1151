"""What the server answers, held against the OpenAPI document while other tests run.

In production no answer is validated; here every answer of every HTTP test is: its status, its media type and, where it
is JSON, each field of it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any

import orjson
from apiflask import APIFlask
from flask import Response, request
from jsonschema_rs import Draft202012Validator

_RESPONSES: dict[tuple[str, str], dict[int, Any]] = {}
"""Documented responses by method and rule; the same for every application, and slow to ask for."""
_SCHEMAS: dict[str, Any] = {}
_VALIDATORS: dict[str, Draft202012Validator] = {}
"""By the JSON text of a schema; most refusals share one."""
_LONGEST = 300
_HEADER = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")
INVENTED: set[str] = set()
"""Kinds, statuses and actions that tests declare beside those of the product, whose enums do not have them."""


def _responses(application: APIFlask) -> dict[tuple[str, str], dict[int, Any]]:
    if not _RESPONSES:
        document: Any = application.spec
        _SCHEMAS.update(document["components"]["schemas"])
        for rule in application.url_map.iter_rules():
            path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
            for method, operation in document["paths"].get(path, {}).items():
                listed = {int(status): response for status, response in operation["responses"].items()}
                _RESPONSES[method.upper(), rule.rule] = listed
    return _RESPONSES


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    key = orjson.dumps(schema).decode()
    if key not in _VALIDATORS:
        whole = {**schema, "components": {"schemas": _SCHEMAS}}
        _VALIDATORS[key] = Draft202012Validator(whole, validate_formats=True)
    return _VALIDATORS[key]


def _differences(listed: dict[int, Any], response: Response) -> Iterator[str]:
    """What the response says otherwise than the document, a sentence each."""
    status = response.status_code
    if status not in listed:
        yield f"answers {status}, listed: {sorted(listed)}"
        return
    content = listed[status].get("content", {})
    if not content:
        # The body of a 304 is left out when it is sent.
        if status != 304 and not response.is_streamed and response.get_data():
            yield f"answers {status} with a body where none is documented"
        return
    for name, value in response.headers:
        # Gunicorn sends no others: what Flask's test client takes would be a 500.
        if not _HEADER.fullmatch(value):
            yield f"answers {status} with a header that no server sends: {name}: {value}"
    media_type = response.mimetype
    if not any(fnmatch(media_type, documented) for documented in content):
        yield f"answers {status} as {media_type}, documented: {sorted(content)}"
        return
    if media_type not in content or not media_type.endswith("json"):
        return
    validator = _validator(content[media_type]["schema"])
    answered = orjson.loads(response.get_data())
    if not validator.is_valid(answered):
        for error in validator.iter_errors(answered):
            if isinstance(error.instance, str) and error.instance in INVENTED:
                continue
            place = "/".join(map(str, error.instance_path))
            yield f"answers {status} with /{place}: {error.message[:_LONGEST]}"


@contextmanager
def only_documented_answers(application: APIFlask) -> Iterator[None]:
    """Fails at the end where a call of the API was answered otherwise than the document says."""
    strange: set[str] = set()

    @application.after_request
    def compare(response: Response) -> Response:
        rule = request.url_rule
        if rule is not None and response.status_code != 500:  # which some tests bring about on purpose
            listed = _responses(application).get((request.method, rule.rule))
            if listed is not None:
                strange.update(f"{request.method} {rule.rule} {found}" for found in _differences(listed, response))
        return response

    yield
    assert not strange, "\n".join(sorted(strange))
