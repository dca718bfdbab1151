"""The database's own disk is full: what can be read is read, what would be written is 503 and stays on the phone.

A database that refuses to write because of its disk is played by a trigger; the server's own disk is tried for real
in `tests/test_full_disk.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from core.db import Database
from tests.people import Person, new_id, production

pytestmark = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)

TABLES = ("inspections", "history", "sessions", "idempotency_keys", "sign_ins", "throttles")


@pytest.fixture
def full(database: Database) -> Callable[[], Any]:
    """A block in which the database has no room."""

    @contextmanager
    def without_room() -> Iterator[None]:
        raises = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END"
        with database.write() as session:
            session.execute(text(f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $${raises}$$"))
            for table in tables:
                session.execute(
                    text(f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()")
                )
        try:
            yield
        finally:
            with database.write() as session:
                session.execute(text("DROP FUNCTION no_room() CASCADE"))

    with database.read() as session:
        present = set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    tables = [table for table in TABLES if table in present]
    assert "inspections" in tables and "sessions" in tables
    return without_room


def test_a_submission_is_refused_with_the_reason_and_accepted_when_there_is_room(
    full: Callable[[], Any], county_inspector: Person
) -> None:
    path = f"/inspections/{new_id()}/submission"
    with full():
        for _ in range(3):
            answer = county_inspector.put(path, production())
            assert answer.status_code == 503 and answer.json is not None
            assert (answer.json["code"], answer.headers["Retry-After"]) == ("disk_full", "60")
            assert "磁盘空间不足" in answer.json["title"]
        assert county_inspector.get("/inspections").json == {**county_inspector.get("/inspections").json, "total": 0}
        refused = county_inspector.client.post("/api/v1/sessions", json={"username": "x_y_z", "password": "no-such-1"})
        assert refused.status_code == 503
    assert county_inspector.put(path, production()).status_code == 201
    assert county_inspector.put(path, production()).status_code == 200


def test_a_session_goes_on_reading_where_it_cannot_be_noted_when_it_was_last_seen(
    full: Callable[[], Any], county_inspector: Person, clock: time_machine.Traveller
) -> None:
    with full():
        clock.shift(timedelta(minutes=20))
        assert county_inspector.get("/inspections").status_code == 200
        assert county_inspector.put(f"/inspections/{new_id()}/submission", production()).status_code == 503
        assert county_inspector.get("/me").status_code == 200
    assert county_inspector.get("/me").status_code == 200
