"""The phone's app (H5) under `/app/`: what `make client` built, from our own origin, under a strict policy."""

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from miniapp_api.http.built_files import built_file
from miniapp_api.http.gates import public
from miniapp_api.http.pages import page

bp = APIBlueprint("phone_app", __name__, enable_openapi=False)

BUILT = Path(__file__).resolve().parents[1] / "client" / "phone" / "dist" / "build" / "h5"
WHY_NOT = BUILT.parents[1] / "why-not-built.txt"
"""Written by `bundle/client_build.py` when it fails: the reason, in a few lines."""

# No inline script or style, no eval, nothing from elsewhere; photos are shown from memory (`blob:`), captchas as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@bp.get("/app/")
@public(transaction=False)
def index() -> Response:
    """The page that starts the app; without a build, a page that says why there is none."""
    if not is_built():
        return page("no_phone_app.html", 503, reason=why_not_built())
    return built_file(BUILT, "index.html", _POLICY)


@bp.get("/app/<path:name>")
@public(transaction=False)
def file(name: str) -> Response:
    """A file of the app."""
    return built_file(BUILT, name, _POLICY)


def is_built() -> bool:
    """Whether there is an app to serve."""
    return (BUILT / "index.html").is_file()


def why_not_built() -> str | None:
    """Why there is no app, where the build said so."""
    return WHY_NOT.read_text(encoding="utf-8").strip() if WHY_NOT.is_file() else None
