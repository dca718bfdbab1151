"""Whether the server is up and can work; figures for Prometheus."""

import functools
import hmac
import os
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.errors import Problem
from miniapp_api.http.gates import bearer_token, public
from miniapp_api.http.readiness import NEEDED, ask_all
from miniapp_api.http.wiring import wiring

log = structlog.get_logger()

bp = APIBlueprint("health", __name__, enable_openapi=False)

REQUESTS = Counter("http_requests", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram("http_request_seconds", "Time to answer", ["route"])


@bp.get("/healthz")
@public(transaction=False)
def healthz() -> dict[str, Any]:
    """The process is up."""
    return {"status": "up"}


@bp.get("/readyz")
@public(transaction=False)
def readyz() -> tuple[dict[str, Any], int]:
    """The database and the storage can be used; what was checked is shown to whoever may read the figures.

    Other checks are shown and do not make the server unready, because most of it still works: without the virus scanner
    uploads are refused, without a year's holidays working days are guessed, on a full disk nothing is written.
    """
    checks = ask_all(wiring().readiness)
    ready = all(checks[name] == "ok" for name in NEEDED)
    answer: dict[str, Any] = {"status": "ready" if ready else "not ready"}
    if _may_read_figures():
        answer["checks"] = checks
    return answer, 200 if ready else 503


@bp.get("/metrics")
@public(transaction=False)
def metrics() -> Response:
    """Figures for Prometheus: with `METRICS_TOKEN` as bearer token, or from this machine where none is set."""
    if not _may_read_figures():
        raise Problem("not_found")
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read_figures() -> bool:
    token = wiring().settings.metrics_token.get_secret_value()
    if token:
        return hmac.compare_digest((bearer_token() or "").encode(), token.encode())
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded"))
    return request.remote_addr in ("127.0.0.1", "::1") and not forwarded


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_counting = True


def count_nothing() -> None:
    """Stop counting: called in a process that cannot write its figures to the disk."""
    global _counting
    _counting = False


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answer by the rule of its route, never by its address; unknown methods are counted as `other`."""
    if not _counting:
        return
    requests, durations = _figures(route, method if method in _METHODS else "other", status)
    requests.inc()
    durations.observe(seconds)


# Few routes, methods and statuses: looking a figure up by its labels costs as much as counting.
@functools.lru_cache(maxsize=4096)
def _figures(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(route, method, str(status)), SECONDS.labels(route)
