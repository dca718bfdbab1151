"""Files of a built app, from our own origin and under its policy."""

from pathlib import Path

from flask import Response, request, send_file
from werkzeug.security import safe_join

from core.errors import not_found

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""The build lays a compressed copy beside each file; the smaller first."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


def built_file(folder: Path, name: str, policy: str) -> Response:
    """A file below the folder of a build, compressed where the browser takes that; 404 for all else."""
    path = safe_join(str(folder), name)
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
    response.headers["Content-Security-Policy"] = policy
    # The names below assets/ hold a digest of their content: they never change. All else is asked for anew.
    hashed = name.startswith("assets/")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    return response
