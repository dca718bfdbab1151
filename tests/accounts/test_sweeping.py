"""The sweep takes what is over and leaves what still counts."""

from datetime import timedelta

import time_machine
from sqlalchemy import func, select

from accounts import sweeping
from accounts.models import Throttle, UserSession
from core.db import Database
from tests.people import Person


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_throttles_go_when_their_window_is_over_and_sessions_after_ninety_days(
    clock: time_machine.Traveller, county_inspector: Person, database: Database
) -> None:
    wrong = {"username": "county_inspector", "password": "wrong-password-1"}
    assert county_inspector.client.post("/api/v1/sessions", json=wrong).status_code == 401
    assert count(database, Throttle) > 0
    with database.write() as session:
        sweeping.sweep(session)
    assert count(database, Throttle) > 0
    assert count(database, UserSession) == 1
    clock.shift(timedelta(minutes=16))
    with database.write() as session:
        sweeping.sweep(session)
    assert count(database, Throttle) == 0
    assert count(database, UserSession) == 1
    clock.shift(timedelta(days=98))
    with database.write() as session:
        assert sweeping.sweep(session) == 1
    assert count(database, UserSession) == 0
