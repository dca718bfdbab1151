"""Whoever applies for an account learns nothing of the user names that there are: not by an answer, not by its time."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from accounts.models import AccountApplication, User
from accounts.sign_in import passwords
from core.db import Database
from tests.newcomers import application_body, apply, code_of, make_user, try_sign_in
from tests.people import PASSWORD, Person

PATH = "/api/v1/account-applications"
FREE, TAKEN = "nobody_here", "zhonglou_li"
CHOSEN = application_body()["password"]
OTHER = "Quite-Another-7"

Told = tuple[int, list[str], int, list[str]]


@pytest.fixture
def told(client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """What a stranger sees of a call: status, members, passwords hashed, and the kinds of statements meanwhile."""
    hashed: list[str] = []
    verify, make = passwords.verify_password, passwords.hash_password

    def verified(stored: str | None, password: str) -> bool:
        hashed.append("verify")
        return verify(stored, password)

    def made(password: str) -> str:
        hashed.append("hash")
        return make(password)

    monkeypatch.setattr(passwords, "verify_password", verified)
    monkeypatch.setattr(passwords, "hash_password", made)
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: statements.append(" ".join(statement.split()[:3])),
    )  # fmt: skip

    def call(path: str, body: dict[str, Any]) -> Told:
        hashed.clear()
        statements.clear()
        answer = client.post(path, json=body)
        assert answer.json is not None
        return answer.status_code, sorted(answer.json), len(hashed), list(statements)

    return call


def test_an_application_is_answered_alike_whether_or_not_somebody_has_the_name(
    client: FlaskClient, database: Database, told: Callable[..., Told]
) -> None:
    make_user(database, "320404", TAKEN)
    for again in ({}, {}, {"password": OTHER}, {"unit_name": "另一个市场监督管理局"}):
        of_free = told(PATH, application_body(username=FREE, **again))
        assert of_free == told(PATH, application_body(username=TAKEN, **again))
        assert of_free[0] in (200, 201)
    for password in (CHOSEN, OTHER, "Wrong-Pass-2026"):
        answers = [told("/api/v1/sessions", {"username": name, "password": password}) for name in (FREE, TAKEN)]
        assert answers[0] == answers[1]


def test_the_applicant_reads_the_same_until_the_office_decides(client: FlaskClient, database: Database) -> None:
    make_user(database, "320404", TAKEN)
    for name in (FREE, TAKEN):
        made = apply(client, username=name)
        assert client.get(f"{PATH}/status/{made['query_code']}").json["status"] == "pending"  # type: ignore[index]
        assert code_of(try_sign_in(client, name, CHOSEN)) == (403, "account_pending")


def test_the_owner_of_the_name_notices_nothing_and_the_applicant_gets_no_account(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    owner = make_user(database, "320404", TAKEN)
    made = apply(client, username=TAKEN.upper())
    assert try_sign_in(client, TAKEN, PASSWORD).status_code == 201
    shown = city_reviewer.get(f"/account-applications/{made['id']}").json
    assert shown is not None and shown["username_taken"] is True
    refused = city_reviewer.post(f"/account-applications/{made['id']}/approve", {})
    assert code_of(refused) == (409, "username_taken") and "换一个用户名" in refused.get_data(as_text=True)
    opinion = "用户名已有账号，请换一个"
    assert city_reviewer.post(f"/account-applications/{made['id']}/reject", {"opinion": opinion}).status_code == 200
    assert client.get(f"{PATH}/status/{made['query_code']}").json["opinion"] == opinion  # type: ignore[index]
    assert try_sign_in(client, TAKEN, PASSWORD).status_code == 201
    with database.read() as session:
        users = session.scalars(select(User).where(User.username.ilike(TAKEN))).all()
        assert [(user.id, user.status) for user in users] == [(owner, "active")]


def test_of_two_who_wait_under_one_name_the_first_approved_gets_it(
    client: FlaskClient, city_reviewer: Person, database: Database
) -> None:
    first, second = apply(client), apply(client, mobile="13800000002", password=OTHER)
    assert first["id"] != second["id"]
    for password in (CHOSEN, OTHER):
        assert code_of(try_sign_in(client, TAKEN, password)) == (403, "account_pending")
    assert city_reviewer.post(f"/account-applications/{second['id']}/approve", {}).status_code == 200
    late = city_reviewer.post(f"/account-applications/{first['id']}/approve", {})
    assert code_of(late) == (409, "username_taken")
    assert try_sign_in(client, TAKEN, OTHER).status_code == 201
    with database.read() as session:
        waiting = session.scalars(select(AccountApplication).where(AccountApplication.status == "pending")).one()
        assert str(waiting.id) == first["id"]
        approved = session.scalars(select(AccountApplication).where(AccountApplication.status == "approved")).one()
        assert approved.password_hash is None


def test_nobody_wipes_out_wrong_passwords_of_another_by_applying_under_the_name(
    client: FlaskClient, database: Database
) -> None:
    make_user(database, "320404", TAKEN)
    guesses = []
    for turn in range(4):
        own = {"username": TAKEN, "password": f"Own-Password-{turn}", "mobile": f"1380000001{turn}"}
        apply(client, **own)
        for number in range(4):
            wrong = try_sign_in(client, TAKEN, f"Guess-{turn}-{number}", address=f"203.0.113.{10 * turn + number}")
            guesses.append(wrong.status_code)
        client.post(PATH, json=application_body(**own))
        try_sign_in(client, TAKEN, f"Own-Password-{turn}", address=f"198.51.100.{turn}")
    assert guesses.count(401) <= 10 and guesses[-4:] == [403] * 4  # behind a captcha
