"""The desk's app under `/desk/`: for offices and enterprises at a computer; our own origin, a strict policy."""

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response

from miniapp_api.http.built_files import built_file
from miniapp_api.http.gates import public
from miniapp_api.http.pages import page

bp = APIBlueprint("desk_app", __name__, enable_openapi=False)

BUILT = Path(__file__).resolve().parents[1] / "client" / "desk" / "dist" / "build" / "desk"
WHY_NOT = BUILT.parents[1] / "why-not-built.txt"
"""Written by `bundle/client_build.py` when it fails: the reason, in a few lines."""

# As the phone's; documents are looked at in a frame, from memory (`blob:`).
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; frame-src blob:; object-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@bp.get("/desk/")
@public(transaction=False)
def index() -> Response:
    """The page that starts the app; without a build, a page that says why there is none."""
    if not is_built():
        return page("no_desk_app.html", 503, reason=why_not_built())
    return built_file(BUILT, "index.html", _POLICY)


@bp.get("/desk/<path:name>")
@public(transaction=False)
def file(name: str) -> Response:
    """A file of the app; any other address is one of its pages, which the app itself opens."""
    if "." not in name.rsplit("/", 1)[-1]:
        return index()
    return built_file(BUILT, name, _POLICY)


def is_built() -> bool:
    """Whether there is an app to serve."""
    return (BUILT / "index.html").is_file()


def why_not_built() -> str | None:
    """Why there is no app, where the build said so."""
    return WHY_NOT.read_text(encoding="utf-8").strip() if WHY_NOT.is_file() else None
