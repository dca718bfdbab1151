"""The baseline of sending a filing: a bare Flask route with two SQLAlchemy Core inserts, a record and a version.

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
RECORDS, VERSIONS = (
    Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("data", JSON, nullable=False),
        Column("documents", JSON, nullable=False),
    )
    for name in ("plain_filings", "plain_versions")
)


def create_app() -> Flask:
    """The WSGI application over `DATABASE_URL`, whose tables must exist."""
    engine = make_engine(os.environ["DATABASE_URL"])
    app = Flask("bare")

    @app.post("/filings/<uuid:filing_id>")
    def post(filing_id: uuid.UUID) -> tuple[dict[str, Any], int]:
        body = request.get_json()
        values = {"received_at": datetime.now(UTC), "data": body["data"], "documents": body["documents"]}
        with engine.begin() as connection:
            connection.execute(insert(RECORDS), {"id": filing_id, **values})
            connection.execute(insert(VERSIONS), {"id": uuid.uuid4(), **values})
        return {"id": str(filing_id)}, 200

    return app
