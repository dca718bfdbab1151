"""The baselines of rating: bare Flask routes, one with the page's select and template, one with two Core inserts.

Same engine settings and durability (`core.db.make_engine`), same server, workers and threads.
"""

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, render_template, request
from sqlalchemy import JSON, Column, DateTime, MetaData, String, Table, Uuid, bindparam, insert, select

from core.db import make_engine
from feedback.models import RatingCode
from miniapp_api.feedback import rating_pages, typed_ratings
from miniapp_api.http import pages

metadata = MetaData()
RATINGS = Table(
    "plain_ratings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
)
GATES = Table("plain_gates", metadata, Column("key", String(64), primary_key=True), Column("until", DateTime))
CODES = RatingCode.__table__

_CODE = select(
    CODES.c.id, CODES.c.kind, CODES.c.matter_name, CODES.c.org_name, CODES.c.window, CODES.c.status, CODES.c.valid_to,
    CODES.c.filing_id,
).where(CODES.c.token == bindparam("token"))  # fmt: skip


def create_app() -> Flask:
    """The WSGI application over `DATABASE_URL`, whose tables must exist."""
    engine = make_engine(os.environ["DATABASE_URL"])
    app = Flask("bare", template_folder=str(Path(rating_pages.__file__).resolve().parents[1] / "templates"))

    @app.get("/r/<string:token>")
    def page(token: str) -> str:
        with engine.connect() as connection:
            code = connection.execute(_CODE, {"token": token}).one()
        values = rating_pages.form_values(code, typed_ratings.Typed(), [], None, sms=False)
        return render_template("rating/form.html", manner=pages.Manner(), **values)

    @app.post("/ratings/<string:token>")
    def rate(token: str) -> tuple[dict[str, Any], int]:
        sent, rating_id, now = request.get_json(), uuid.uuid4(), datetime.now(UTC)
        with engine.begin() as connection:
            connection.execute(insert(GATES), {"key": sent["mobile"], "until": now.replace(tzinfo=None)})
            connection.execute(insert(RATINGS), {"id": rating_id, "received_at": now, "data": sent})
        return {"id": str(rating_id)}, 201

    return app
