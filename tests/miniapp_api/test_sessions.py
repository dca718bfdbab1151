"""Signing in and out (登录): several phones under one user name, tokens that end, and what ends them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.models import SignIn as SignInTry
from accounts.models import UserSession
from core.db import Database
from tests.newcomers import code_of, make_user, try_sign_in
from tests.people import PASSWORD, Person, SignIn, new_id


def signed_in_as(client: FlaskClient, username: str, operator_name: str) -> Person:
    answer = try_sign_in(client, username, PASSWORD, body={"operator_name": operator_name})
    assert answer.status_code == 201 and answer.json is not None
    return Person(username, client, answer.json["token"])


def sessions_of(person: Person) -> list[dict[str, object]]:
    answer = person.get("/me/sessions")
    assert answer.status_code == 200 and answer.json is not None
    return list(answer.json["items"])


def test_several_phones_sign_in_under_one_user_name_and_name_their_operators(client: FlaskClient) -> None:
    first = signed_in_as(client, "county_inspector", "张三")
    second = signed_in_as(client, "county_inspector", "李四")
    for person, name in ((first, "张三"), (second, "李四")):
        me = person.get("/me").json
        assert me is not None and me["operator_name"] == name and me["username"] == "county_inspector"
    listed = sessions_of(first)
    assert {row["operator_name"] for row in listed} == {"张三", "李四"}
    assert [row["operator_name"] for row in listed if row["current"]] == ["张三"]


def test_a_sign_in_answers_who_it_is_and_until_when(client: FlaskClient, clock: time_machine.Traveller) -> None:
    answer = try_sign_in(client, "county_inspector", PASSWORD)
    assert answer.status_code == 201 and answer.json is not None
    assert set(answer.json) == {"token", "expires_at", "must_change_password", "resets", "user"}
    assert answer.json["expires_at"] == "2026-11-21T04:00:00Z"  # two hours after 10:00 in Shanghai
    assert len(answer.json["token"]) >= 43 and answer.json["must_change_password"] is False
    assert answer.json["user"]["level"] == "county" and "inspection.write" in answer.json["user"]["verbs"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_user_name_is_found_in_whatever_case_a_phone_writes_it(client: FlaskClient) -> None:
    answer = try_sign_in(client, " County_Inspector ", PASSWORD)
    assert answer.status_code == 201 and answer.json is not None
    assert answer.json["user"]["username"] == "county_inspector"


def test_one_phone_ends_the_session_of_a_lost_one(client: FlaskClient) -> None:
    lost, kept = (signed_in_as(client, "county_inspector", name) for name in ("丢了", "还在"))
    lost_id = next(row["id"] for row in sessions_of(kept) if row["operator_name"] == "丢了")
    assert kept.delete(f"/me/sessions/{lost_id}").status_code == 200
    assert kept.delete(f"/me/sessions/{lost_id}").status_code == 200  # the lost answer asked for again
    assert code_of(lost.get("/me")) == (401, "unauthenticated")
    assert [row["operator_name"] for row in sessions_of(kept)] == ["还在"]


def test_the_session_of_another_user_is_not_found_and_lives_on(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    theirs = sessions_of(county_inspector)[0]["id"]
    for stranger in (neighbour_inspector, city_reviewer):
        assert code_of(stranger.delete(f"/me/sessions/{theirs}")) == (404, "not_found")
        assert theirs not in {row["id"] for row in sessions_of(stranger)}
        assert code_of(stranger.delete(f"/me/sessions/{new_id()}")) == (404, "not_found")
    assert county_inspector.get("/me").status_code == 200


def test_signing_out_ends_this_session_only(client: FlaskClient) -> None:
    first, second = (signed_in_as(client, "county_inspector", name) for name in ("甲", "乙"))
    assert first.delete("/sessions/current").status_code == 200
    assert code_of(first.get("/me")) == (401, "unauthenticated")
    assert code_of(first.delete("/sessions/current")) == (401, "unauthenticated")
    assert second.get("/me").status_code == 200


def test_a_session_left_alone_for_two_hours_has_ended(clock: time_machine.Traveller, sign_in: SignIn) -> None:
    person = sign_in("county_inspector")
    clock.shift(timedelta(minutes=119))
    assert person.get("/me").status_code == 200
    clock.shift(timedelta(minutes=119))
    assert person.get("/me").status_code == 200
    clock.shift(timedelta(minutes=120))
    assert code_of(person.get("/me")) == (401, "unauthenticated")
    clock.shift(-timedelta(minutes=60))
    other = sign_in("county_inspector")
    assert len(sessions_of(other)) == 2
    clock.shift(timedelta(minutes=61))
    assert len(sessions_of(other)) == 1  # what has expired is not shown


def test_a_session_in_constant_use_ends_after_seven_days(clock: time_machine.Traveller, sign_in: SignIn) -> None:
    person = sign_in("county_inspector")
    for _ in range(7 * 24 - 1):
        clock.shift(timedelta(hours=1))
        assert person.get("/me").status_code == 200
    clock.shift(timedelta(minutes=59))
    assert person.get("/me").status_code == 200
    clock.shift(timedelta(minutes=1))
    assert code_of(person.get("/me")) == (401, "unauthenticated")


def test_last_seen_is_written_at_most_once_in_five_minutes(
    clock: time_machine.Traveller, sign_in: SignIn, database: Database
) -> None:
    person = sign_in("county_inspector")
    seen = set()
    for _ in range(20):
        clock.shift(timedelta(seconds=45))
        person.get("/me")
        with database.read() as session:
            seen.add(session.scalar(select(UserSession.last_seen_at)))
    began = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    assert seen == {began + timedelta(seconds=s) for s in (0, 315, 630)}


@pytest.mark.parametrize(("idle", "written"), [(timedelta(minutes=4, seconds=59), False), (timedelta(minutes=5), True)])
def test_last_seen_is_written_when_five_minutes_are_over(
    clock: time_machine.Traveller, sign_in: SignIn, database: Database, idle: timedelta, written: bool
) -> None:
    person, began = sign_in("county_inspector"), datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    clock.shift(idle)
    person.get("/me")
    with database.read() as session:
        assert session.scalar(select(UserSession.last_seen_at)) == (began + idle if written else began)


def test_a_session_is_listed_until_the_moment_it_ends(clock: time_machine.Traveller, sign_in: SignIn) -> None:
    sign_in("county_inspector")
    clock.shift(timedelta(hours=1))
    later = sign_in("county_inspector")
    clock.shift(timedelta(minutes=59, seconds=59))
    assert later.get("/me/sessions").json["total"] == 2
    clock.shift(timedelta(seconds=1))
    assert later.get("/me/sessions").json["total"] == 1


GARBAGE = [
    "", "Bearer", "Bearer ", "Bearer \t", "Bearer x", "Bearer " + "a" * 100_000, "Basic Y291bnR5OnB3", "Bearer null",
    "Bearer undefined", "Bearer ' OR '1'='1", "Bearer " + "ä" * 43, "Token {token}", "{token}", "Bearer {token}x",
    "Bearer {hash}", "Bearer {token} {token}",
]  # fmt: skip


def test_a_garbage_token_is_nobody(client: FlaskClient, database: Database, county_inspector: Person) -> None:
    with database.read() as session:
        stored = session.scalar(select(UserSession.token_hash)) or ""
    for garbage in GARBAGE:
        header = garbage.replace("{token}", county_inspector.token).replace("{hash}", stored)
        answer = client.get("/api/v1/me", headers={"Authorization": header})
        assert code_of(answer) == (401, "unauthenticated"), garbage[:40]
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_address_is_not_taken(client: FlaskClient, county_inspector: Person) -> None:
    for name in ("token", "access_token", "Authorization"):
        assert client.get(f"/api/v1/me?{name}={county_inspector.token}").status_code == 401


def test_the_token_of_a_disabled_user_is_refused_at_the_next_request_and_so_is_the_sign_in(
    client: FlaskClient, county_inspector: Person, city_reviewer: Person
) -> None:
    user_id = county_inspector.get("/me").get_json()["id"]
    assert city_reviewer.post(f"/users/{user_id}/disable", {"reason": "离职"}).status_code == 200
    assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")
    assert code_of(county_inspector.post("/sessions", {"username": "county_inspector", "password": PASSWORD})) == (
        403, "account_disabled",
    )  # fmt: skip
    wrong = try_sign_in(client, "county_inspector", "Wrong-2026")
    assert code_of(wrong) == (401, "login_failed")  # not a word of it before the right password
    city_reviewer.post(f"/users/{user_id}/enable", {})
    assert code_of(county_inspector.get("/me")) == (401, "unauthenticated")  # old tokens stay dead
    assert try_sign_in(client, "county_inspector", PASSWORD).status_code == 201


def test_a_token_is_stored_only_as_its_digest(database: Database, dialect: str, county_inspector: Person) -> None:
    with database.read() as session:
        row = session.scalars(select(UserSession)).one()
        assert re.fullmatch(r"[0-9a-f]{64}", row.token_hash) and county_inspector.token not in str(vars(row))
    if dialect == "sqlite":
        path = Path(database.engine.url.database or "")
        for file in path.parent.glob(f"{path.name}*"):
            assert county_inspector.token.encode() not in file.read_bytes()


def test_every_attempt_to_sign_in_is_kept_with_address_operator_and_outcome(
    client: FlaskClient, database: Database
) -> None:
    make_user(database, "320402", "newcomer", one_time=True)
    try_sign_in(client, "newcomer", PASSWORD, address="192.0.2.5", body={"operator_name": "张三"})
    try_sign_in(client, "newcomer", "Wrong-2026", address="2001:db8::1")
    with database.read() as session:
        rows = session.scalars(select(SignInTry).order_by(SignInTry.id)).all()
    assert [(r.username, r.operator_name, r.address, r.outcome) for r in rows] == [
        ("newcomer", "张三", "192.0.2.5", "signed_in"),
        ("newcomer", None, "2001:db8::1", "login_failed"),
    ]


def test_a_sign_in_without_name_or_password_is_told_what_is_missing(client: FlaskClient) -> None:
    answer = client.post("/api/v1/sessions", json={"username": "", "operator_name": "名" * 31})
    assert answer.status_code == 422 and answer.json is not None
    assert {fault["path"] for fault in answer.json["errors"]} == {"/username", "/password", "/operator_name"}
