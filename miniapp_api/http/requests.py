"""What happens around every request: an id, a log line, figures, headers."""

import re
import time
import uuid

import structlog
from flask import Flask, Request, Response, g, request
from flask.ctx import _AppCtxGlobals

from core.config import Settings
from core.errors import not_found
from miniapp_api.health import observe
from miniapp_api.http.origins import note_origin

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

NOTHING_RUNS = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer that is no page: shown in a browser all the same, it loads, runs and sends nothing."""
_OF_ALL = (
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", NOTHING_RUNS),
)  # fmt: skip
"""Headers of every answer that the endpoint has not set itself, in the same letter case."""


def _https_only(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Strict-Transport-Security (RFC 6797), where phones reach the server by https."""
    if not settings.hsts_seconds or not settings.public_url.startswith("https://"):
        return ()
    of_all = "; includeSubDomains" if settings.hsts_subdomains else ""
    return (("Strict-Transport-Security", f"max-age={settings.hsts_seconds}{of_all}"),)


def install(app: Flask, settings: Settings) -> None:
    """Register the hooks."""
    of_all = (*_OF_ALL, *_https_only(settings))
    of_api = (*of_all, ("Cache-Control", "no-store"))

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        if "\0" in request.path:  # PostgreSQL takes no NUL in a text; no address of ours has one
            raise not_found()
        note_origin()

    @app.after_request
    def finish(response: Response) -> Response:
        # The objects behind Flask's proxies: each access through a proxy costs as much as the access itself.
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]
        noted: _AppCtxGlobals = g._get_current_object()
        seconds = time.perf_counter() - noted.started
        rule = asked.url_rule.rule if asked.url_rule else None
        headers = response.headers
        headers.add("X-Request-ID", noted.request_id)
        present = {name for name, _ in headers}
        for name, value in of_api if asked.path.startswith("/api/v1") else of_all:
            if name not in present:
                headers.add(name, value)
        observe(rule or "unknown", asked.method, response.status_code, seconds)
        log.info(
            "request",
            request_id=noted.request_id,
            method=asked.method,
            route=rule,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            username=noted.get("username"),
            problem=noted.get("problem"),
            address=noted.origin.address if "origin" in noted else None,
        )
        return response
