"""The phone's app (H5) under `/app/`: what `make client` built, from our own origin, under a strict policy."""

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from miniapp_api.http.built_apps import BuiltApp
from miniapp_api.http.gates import public

bp = APIBlueprint("phone_app", __name__, enable_openapi=False)

# No inline script or style, no eval, nothing from elsewhere; photos are shown from memory (`blob:`), captchas as data.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
APP = BuiltApp("手机端", Path(__file__).resolve().parents[1] / "client" / "phone" / "dist" / "build" / "h5", _POLICY)


@bp.get("/app/")
@public(transaction=False)
def index() -> Response:
    """The page that starts the app, or why there is none."""
    return APP.index()


@bp.get("/app/<path:name>")
@public(transaction=False)
def file(name: str) -> Response:
    """A file of the app."""
    return APP.file(name)
