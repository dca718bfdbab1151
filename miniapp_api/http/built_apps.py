"""Apps that `bundle/client_build.py` built, served from our own origin and under a policy of their own."""

from dataclasses import dataclass
from pathlib import Path

from flask import Response, request, send_file
from werkzeug.security import safe_join

from core.errors import not_found
from miniapp_api.http.pages import page

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""The build lays a compressed copy beside each file; the smaller first."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class BuiltApp:
    """An app by its name in Chinese (手机端), the folder of its build, and the policy of its answers."""

    name: str
    built: Path
    policy: str

    @property
    def why_not(self) -> Path:
        """Written by `bundle/client_build.py` when it fails: the reason, in a few lines."""
        return self.built.parents[1] / "why-not-built.txt"

    def is_built(self) -> bool:
        """Whether there is an app to serve."""
        return (self.built / "index.html").is_file()

    def why_not_built(self) -> str | None:
        """Why there is no app, where the build said so."""
        return self.why_not.read_text(encoding="utf-8").strip() if self.why_not.is_file() else None

    def index(self) -> Response:
        """The page that starts the app; without a build, a page that says why there is none."""
        if not self.is_built():
            return page("no_app.html", 503, name=self.name, reason=self.why_not_built())
        return self.file("index.html")

    def file(self, name: str) -> Response:
        """A file below the folder of the build, compressed where the browser takes that; 404 for all else."""
        path = safe_join(str(self.built), name)
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
        response.headers["Content-Security-Policy"] = self.policy
        # The names below assets/ hold a digest of their content: they never change. All else is asked for anew.
        hashed = name.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
