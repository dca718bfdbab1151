"""The baseline of a record with a photo: a bare Flask route for a multipart body with the photo and the record.

It writes the file with one fsync and inserts two rows, with the same engine and durability as ours; it validates
nothing.
"""

import os
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, request
from sqlalchemy import insert

from bench.bare import PLAIN
from core.db import make_engine

CHUNK = 256 * 1024


def create_app() -> Flask:
    """The WSGI application over `DATABASE_URL`, whose table must exist, and `DATA_DIR`."""
    engine = make_engine(os.environ["DATABASE_URL"])
    folder = Path(os.environ["DATA_DIR"])
    app = Flask("bare")

    @app.post("/pairs")
    def pair() -> tuple[dict[str, Any], int]:
        name = uuid.uuid4()
        with (folder / name.hex).open("wb") as file:
            shutil.copyfileobj(request.files["file"].stream, file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
        now = datetime.now(UTC)
        named = {"name": request.files["file"].filename, "purpose": request.form["purpose"]}
        with engine.begin() as connection:
            for data in (named, request.form["record"]):
                connection.execute(insert(PLAIN), {"id": uuid.uuid4(), "received_at": now, "data": data})
        return {"id": str(name)}, 201

    return app
