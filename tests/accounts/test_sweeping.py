"""The sweep takes what is over and leaves what still counts."""

from datetime import timedelta

import time_machine
from apiflask import APIFlask
from sqlalchemy import func, select

from accounts import sweeping
from accounts.models import SignIn, Throttle, UserSession
from composition.jobs import background_jobs
from core.db import Database
from tests.newcomers import try_sign_in
from tests.people import Person


def test_failed_sign_ins_go_after_half_a_year_and_those_that_came_in_stay(
    clock: time_machine.Traveller, application: APIFlask, county_inspector: Person, database: Database
) -> None:
    def outcomes() -> list[str]:
        with database.read() as session:
            return list(session.scalars(select(SignIn.outcome).order_by(SignIn.id)))

    for _ in range(11):
        try_sign_in(county_inspector.client, "county_inspector", "wrong-password-1", address="203.0.113.7")
    kept = ["signed_in"] + ["login_failed"] * 10 + ["login_throttled"]
    assert outcomes() == kept
    clock.shift(timedelta(days=180))
    assert background_jobs(application).run_once()["failed sign-ins"] == 0
    assert outcomes() == kept
    clock.shift(timedelta(days=4))
    assert background_jobs(application).run_once()["failed sign-ins"] == 10
    assert outcomes() == ["signed_in", "login_throttled"]  # the newest row stays


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_throttles_go_when_their_window_is_over_and_sessions_after_ninety_days(
    clock: time_machine.Traveller, county_inspector: Person, database: Database
) -> None:
    wrong = {"username": "county_inspector", "password": "wrong-password-1"}
    assert county_inspector.client.post("/api/v1/sessions", json=wrong).status_code == 401
    assert count(database, Throttle) > 0
    sweeping.sweep(database)
    assert count(database, Throttle) > 0
    assert count(database, UserSession) == 1
    clock.shift(timedelta(minutes=16))
    sweeping.sweep(database)
    assert count(database, Throttle) == 0
    assert count(database, UserSession) == 1
    clock.shift(timedelta(days=98))
    assert sweeping.sweep(database) == 1
    assert count(database, UserSession) == 0
