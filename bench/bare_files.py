"""The baseline of uploads: bare Flask routes that only stream a body to disk and back."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

CHUNK = 256 * 1024


def create_app() -> Flask:
    """The WSGI application over `DATA_DIR`."""
    folder = Path(os.environ["DATA_DIR"])
    app = Flask("bare")

    @app.post("/raw")
    def raw() -> tuple[dict[str, Any], int]:
        """Write the body itself to disk: the least that an upload can cost."""
        name = uuid.uuid4().hex
        with (folder / name).open("wb") as file:
            shutil.copyfileobj(request.stream, file, CHUNK)
        return {"id": name}, 201

    @app.post("/multipart")
    def multipart() -> tuple[dict[str, Any], int]:
        """Save the file of the same request that our upload gets."""
        name = uuid.uuid4().hex
        request.files["file"].save(folder / name, CHUNK)
        return {"id": name}, 201

    @app.get("/<name>")
    def down(name: str) -> Response:
        path = folder / uuid.UUID(name).hex

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece

        return Response(
            pieces(), mimetype="application/octet-stream", headers={"Content-Length": str(path.stat().st_size)}
        )

    return app
