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
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from assets.storage import StorageUnavailable
from backups import shelf
from core import clock, clocks
from core.errors import Problem
from miniapp_api import limits
from miniapp_api.gates import bearer_token, public
from miniapp_api.wiring import wiring

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
    """The database and the storage can be used.

    Without its virus scanner the server takes no uploads, without a year's holidays it guesses its working days, and on
    a full disk it only reads, but everything else goes on, without a recent backup too: that is shown and does not make
    it unready.
    """
    services = wiring()
    checks = {"database": "ok", "storage": "ok"}
    try:
        with services.database.read() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
            guessed = clocks.working_calendar(session).unknown_years(clock.today())
    except SQLAlchemyError:
        guessed = []
        checks["database"] = "unreachable or not migrated"
    try:
        services.desk.storage.check()
        if not services.desk.incoming.is_dir():
            checks["storage"] = "data folder missing"
    except StorageUnavailable as error:
        log.error("storage_unavailable", error=str(error))
        checks["storage"] = "unreachable"
    ready = set(checks.values()) == {"ok"}
    scanner = services.desk.scanner
    checks["virus_scan"] = "not configured" if scanner is None else "ok" if scanner.ping() else "unreachable"
    converter = services.desk.converter
    checks["document_preview"] = "not configured" if converter is None else "ok" if converter.is_there() else "missing"
    years = ", ".join(map(str, guessed))
    checks["working_days"] = f"{years}: holidays not loaded, weekends guessed; ./manage calendar" if years else "ok"
    checks["backup"] = shelf.state(services.settings).word
    checks["rate_limits"] = limits.where_counted(services.settings)
    checks["disk"] = services.disk.look()
    return {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503


@bp.get("/metrics")
@public(transaction=False)
def metrics() -> Response:
    """Figures for Prometheus: with `METRICS_TOKEN` as bearer token, or from this machine where none is set."""
    token = wiring().settings.metrics_token.get_secret_value()
    if token:
        allowed = hmac.compare_digest((bearer_token() or "").encode(), token.encode())
    else:
        forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded"))
        allowed = request.remote_addr in ("127.0.0.1", "::1") and not forwarded
    if not allowed:
        raise Problem("not_found")
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_counting = True


def count_nothing() -> None:
    """In a process that has no room for its figures."""
    global _counting
    _counting = False


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answer, labelled by the route's rule, never by its address, nor by a method that somebody made up."""
    if not _counting:
        return
    requests, durations = _figures(route, method if method in _METHODS else "other", status)
    requests.inc()
    durations.observe(seconds)


# Few routes, methods and statuses: looking a figure up by its labels costs as much as counting.
@functools.lru_cache(maxsize=4096)
def _figures(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(route, method, str(status)), SECONDS.labels(route)
