"""What happens around every request: an id, a log line, figures, headers."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from core.errors import not_found
from miniapp_api.health import observe

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def install(app: Flask) -> None:
    """Register the hooks."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        if "\0" in request.path:  # PostgreSQL takes no NUL in a text; no address of ours has one
            raise not_found()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("X-Frame-Options", "DENY")
        if "Cache-Control" not in response.headers and request.path.startswith("/api/v1"):
            response.headers["Cache-Control"] = "no-store"
        observe(response)
        log.info(
            "request",
            request_id=g.request_id,
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.started) * 1000, 1),
            username=g.get("username"),
            problem=g.get("problem"),
            address=request.remote_addr,
        )
        return response
