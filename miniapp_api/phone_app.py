"""The phone's app (H5) under `/app/`: what `make client` built, from our own origin, under a strict policy."""

from pathlib import Path

from apiflask import APIBlueprint
from flask import Response, request, send_file
from werkzeug.security import safe_join

from core.errors import not_found
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
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""The build lays a compressed copy beside each file; the smaller first."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


@bp.get("/app/")
@public(transaction=False)
def index() -> Response:
    """The page that starts the app; without a build, a page that says why there is none."""
    if not is_built():
        return page("no_phone_app.html", 503, reason=why_not_built())
    return _file("index.html")


@bp.get("/app/<path:name>")
@public(transaction=False)
def file(name: str) -> Response:
    """A file of the app."""
    return _file(name)


def is_built() -> bool:
    """Whether there is an app to serve."""
    return (BUILT / "index.html").is_file()


def why_not_built() -> str | None:
    """Why there is no app, where the build said so."""
    return WHY_NOT.read_text(encoding="utf-8").strip() if WHY_NOT.is_file() else None


def _file(name: str) -> Response:
    path = safe_join(str(BUILT), name)
    if path is None or not Path(path).is_file():
        raise not_found()
    taken, encoding = path, None
    for word, ending in _ENCODINGS:
        if request.accept_encodings[word] and Path(path + ending).is_file():
            taken, encoding = path + ending, word
            break
    response = send_file(taken, _TYPES.get(Path(path).suffix), conditional=True, etag=True)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Content-Security-Policy"] = _POLICY
    # The names below assets/ hold a digest of their content: they never change. All else is asked for anew.
    hashed = name.startswith("assets/")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response
