"""The baseline: a bare Flask route that reads the JSON and makes one SQLAlchemy Core insert of the same size.

Same engine settings and durability (`core.db.make_engine`), same server, workers and threads.
"""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from sqlalchemy import JSON, Column, DateTime, MetaData, Table, Uuid, insert

from core.db import make_engine

metadata = MetaData()
PLAIN = Table(
    "plain_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)


def create_app() -> Flask:
    """The WSGI application over `DATABASE_URL`, whose table must exist."""
    engine = make_engine(os.environ["DATABASE_URL"])
    app = Flask("bare")

    @app.put("/records/<uuid:record_id>")
    def put(record_id: uuid.UUID) -> tuple[dict[str, Any], int]:
        with engine.begin() as connection:
            connection.execute(
                insert(PLAIN), {"id": record_id, "received_at": datetime.now(UTC), "data": request.get_json()}
            )
        return {"id": str(record_id)}, 201

    return app
