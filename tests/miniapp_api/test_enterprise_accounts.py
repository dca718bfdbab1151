"""Enterprises sign in: accounts that a bureau hands over, captchas, and what they then may do."""

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from accounts.models import User
from accounts.sign_in import captchas
from core.config import Settings
from core.db import Database
from core.errors import Problem
from core.models import HistoryEntry, HistoryPayload
from enterprise.handover import hand_over
from miniapp_api.http.wiring import KEY
from tests import parties as both
from tests.newcomers import at_once, code_of
from tests.parties import FAR_WORKS, OTHER_WORKS, WORKS, Parties, sign_in_enterprise
from tests.people import PASSWORD, Person, uscc
from tests.records import actor_of

NEW_PASSWORD = "Lan-Shan-Hu-58"


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def handed(person: Person, code: str = FAR_WORKS, **body: Any) -> Any:
    return person.post(f"/enterprises/{code}/users", body)


def captcha(database: Database) -> dict[str, str]:
    with database.write() as session:
        captcha_id, text = captchas.issue(session)
    return {"captcha_id": str(captcha_id), "captcha": text}


def enter(client: FlaskClient, username: str = WORKS, password: str = PASSWORD, **body: Any) -> Any:
    return client.post("/api/v1/sessions", json={"username": username, "password": password, **body})


def test_a_bureau_hands_an_enterprise_its_account_with_a_password_that_must_be_changed(
    parties: Parties, application: APIFlask
) -> None:
    answer = handed(parties.far_reviewer)
    assert answer.status_code == 201
    assert (answer.json["username"], answer.json["must_change_password"]) == (FAR_WORKS, True)
    person = sign_in_enterprise(application, FAR_WORKS, answer.json["password"])
    assert code_of(person.get("/filings")) == (403, "password_change_required")
    change = {"old_password": answer.json["password"], "new_password": NEW_PASSWORD}
    assert person.put("/me/password", change).status_code == 200
    assert person.get("/filings").status_code == 200
    used = handed(parties.far_reviewer)
    assert code_of(used) == (409, "username_taken") and "重置密码" in used.json["detail"]


def test_before_it_is_used_an_account_is_handed_over_again_with_a_new_password(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    first, second = handed(parties.far_reviewer).json["password"], handed(parties.far_reviewer).json["password"]
    assert first != second
    assert code_of(enter(application.test_client(), FAR_WORKS, first, **captcha(database))) == (401, "login_failed")
    assert enter(application.test_client(), FAR_WORKS, second, **captcha(database)).status_code == 201


def test_who_handed_an_account_over_stands_in_its_history(parties: Parties, database: Database) -> None:
    handed(parties.far_reviewer)
    handed(parties.far_reviewer)
    with database.read() as session:
        rows = session.execute(
            select(HistoryEntry.action, HistoryEntry.actor_id, HistoryPayload.payload)
            .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
            .join(User, User.id == HistoryEntry.subject_id)
            .where(User.username == FAR_WORKS)
            .order_by(HistoryEntry.seq)
        ).all()
    actor = actor_of(database, parties.far_reviewer)
    assert [(row.action, row.actor_id) for row in rows] == [
        ("create", actor.user_id), ("hand_over_again", actor.user_id)
    ]  # fmt: skip
    for row in rows:
        # Beside who it was stands the digest of the account as it became.
        assert row.payload == actor.as_payload() | {"account": row.payload["account"]}


def test_a_further_user_has_a_suffix_and_sees_what_the_first_one_sees(parties: Parties, application: APIFlask) -> None:
    answer = handed(parties.reviewer, WORKS, suffix="质量部")
    assert answer.json["username"] == f"{WORKS}@质量部"
    person = sign_in_enterprise(application, f"{WORKS}@质量部", answer.json["password"])
    person.put("/me/password", {"old_password": answer.json["password"], "new_password": NEW_PASSWORD})
    assert person.get("/filings").json["total"] == parties.enterprise.get("/filings").json["total"] == 1
    assert code_of(handed(parties.reviewer, WORKS)) == (409, "username_taken")
    for suffix in ("", "a b", "a@b", "../x", "x" * 21):
        refused = handed(parties.reviewer, WORKS, suffix=suffix)
        assert refused.status_code in ((409, 422) if suffix == "" else (422,))


def test_an_account_is_handed_over_only_within_reach_and_by_who_may(
    parties: Parties, county_inspector: Person, city_reviewer: Person
) -> None:
    for code in (FAR_WORKS, uscc(999), "nonsense"):
        assert code_of(handed(parties.reviewer, code)) == (404, "not_found")
    for person in (county_inspector, city_reviewer, parties.enterprise):
        assert code_of(handed(person, OTHER_WORKS, suffix="x")) == (403, "forbidden")


def test_two_who_hand_over_at_once_make_one_account(parties: Parties, database: Database) -> None:
    actor = actor_of(database, parties.far_reviewer)

    def one() -> str:
        try:
            return hand_over(database, actor, FAR_WORKS, None)[1]
        except Problem as error:
            return error.code

    answers = at_once(one, one, one)
    known = {"username_taken", "stale_version", "wrong_status"}
    assert [answer for answer in answers if answer not in known]


def test_a_captcha_is_a_picture_and_its_text_stands_nowhere_in_the_answer(client: FlaskClient) -> None:
    answer = client.post("/api/v1/captchas", json={})
    assert answer.status_code == 200 and answer.json is not None
    assert set(answer.json) == {"id", "image"} and UUID(answer.json["id"])
    head, _, content = answer.json["image"].partition(",")
    assert head == "data:image/png;base64"
    with Image.open(BytesIO(base64.b64decode(content))) as picture:
        picture.load()
        assert picture.format == "PNG" and picture.size[0] > picture.size[1] > 20


def test_an_enterprise_needs_a_captcha_at_every_sign_in(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    for sent in ({}, {"captcha": "ABCD"}, {"captcha_id": "x", "captcha": "ABCD"}, captcha(database) | {"captcha": "?"}):
        assert code_of(enter(client, **sent)) == (403, "captcha_required")
    for _ in range(2):
        assert enter(client, **captcha(database)).status_code == 201


def test_a_captcha_counts_once_right_or_wrong_in_upper_or_lower_case(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    used = captcha(database)
    assert enter(client, **used, operator_name="孙某").status_code == 201
    assert code_of(enter(client, **used)) == (403, "captcha_required")
    guessed = captcha(database)
    assert code_of(enter(client, **{**guessed, "captcha": "????"})) == (403, "captcha_required")
    assert code_of(enter(client, **guessed)) == (403, "captcha_required")
    lower = captcha(database)
    assert enter(client, **{**lower, "captcha": f" {lower['captcha'].lower()} "}).status_code == 201
    wasted = captcha(database)
    assert code_of(enter(client, password="Falsch-2026", **wasted)) == (401, "login_failed")
    assert code_of(enter(client, **wasted)) == (403, "captcha_required")


def test_a_code_is_found_in_whatever_spelling_it_is_typed(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in WORKS)
    for typed in (WORKS.lower(), wide, f"{WORKS[:2]} {WORKS[2:]}"):
        assert enter(client, username=typed, **captcha(database)).status_code == 201


def test_one_captcha_serves_one_of_many_who_use_it_at_once(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    sent = captcha(database)
    answers = at_once(*[lambda: enter(application.test_client(), **sent).status_code] * 4)
    assert sorted(answers) == [201, 403, 403, 403]


def test_a_captcha_is_good_for_five_minutes(parties: Parties, client: FlaskClient, database: Database) -> None:
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=False) as now:
        in_time, late = captcha(database), captcha(database)
        now.shift(299)
        assert enter(client, **in_time).status_code == 201
        now.shift(1)
        assert code_of(enter(client, **late)) == (403, "captcha_required")


def test_whether_an_enterprise_has_an_account_shows_nowhere(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    assert code_of(enter(client, uscc(998))) == code_of(enter(client)) == (403, "captcha_required")
    wrong = [enter(client, name, "Falsch-2026", **captcha(database)) for name in (uscc(998), WORKS)]
    assert [code_of(answer) for answer in wrong] == [(401, "login_failed")] * 2


def test_officers_need_no_captcha(parties: Parties, sign_in: Callable[[str], Person]) -> None:
    assert sign_in("licence_reviewer").token


class TestAfterFailure:
    """`ENTERPRISE_CAPTCHA=after_failure`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"enterprise_captcha": "after_failure"})

    def test_a_captcha_is_needed_only_after_a_wrong_password(
        self, parties: Parties, client: FlaskClient, database: Database
    ) -> None:
        assert enter(client).status_code == 201
        assert code_of(enter(client, password="Falsch-2026")) == (401, "login_failed")
        assert code_of(enter(client)) == (403, "captcha_required")
        assert enter(client, **captcha(database)).status_code == 201
        assert enter(client).status_code == 201


def test_an_enterprise_user_stands_at_the_enterprise_and_at_no_level(parties: Parties) -> None:
    me = parties.enterprise.get("/me").json
    assert me["level"] is None and me["roles"] == ["enterprise"] and me["verbs"] == ["filings.write"]
    assert me["enterprise"]["uscc"] == WORKS
    assert parties.reviewer.get("/me").json.get("enterprise") is None


def test_an_enterprise_user_sees_nothing_of_the_offices(parties: Parties, application: APIFlask) -> None:
    closed = (
        "/inspections", "/spot-checks", "/users", "/statistics/progress", "/account-applications", "/enterprises",
        f"/enterprises/{OTHER_WORKS}",
    )  # fmt: skip
    assert {path: parties.enterprise.get(path).status_code for path in closed} == dict.fromkeys(closed, 403)
    assert parties.enterprise.get("/todos").json["items"] == []
    assert application.extensions[KEY].settings.enterprise_captcha == "always"
