"""The desk's app under `/desk/`: for offices and enterprises at a computer; our own origin, a strict policy."""

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from miniapp_api.http.built_apps import BuiltApp
from miniapp_api.http.gates import public

bp = APIBlueprint("desk_app", __name__, enable_openapi=False)

# As the phone's; documents are looked at in a frame, from memory (`blob:`).
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src blob:; object-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
APP = BuiltApp("电脑端", Path(__file__).resolve().parents[1] / "client" / "desk" / "dist" / "build" / "desk", _POLICY)


@bp.get("/desk/")
@public(transaction=False)
def index() -> Response:
    """The page that starts the app, or why there is none."""
    return APP.index()


@bp.get("/desk/<path:name>")
@public(transaction=False)
def file(name: str) -> Response:
    """A file of the app; any other address is one of its pages, which the app itself opens."""
    return APP.file(name) if "." in name.rsplit("/", 1)[-1] else APP.index()
