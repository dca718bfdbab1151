"""Wrong captchas are throttled by address like passwords; questions in words harder."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from accounts.models import Captcha
from accounts.sign_in import captcha_questions, captchas, throttle
from core.db import Database
from tests import parties as both
from tests.newcomers import at_once, code_of
from tests.parties import OTHER_WORKS, WORKS, Parties
from tests.people import PASSWORD, Person, new_id, uscc

WRONG = (403, "captcha_required")
THROTTLED = (429, "login_throttled")
STREET = "203.0.113.7"
GUESS = "Falsch-2026"


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def picture(database: Database, typed: str | None = None) -> dict[str, str]:
    with database.write() as session:
        captcha_id, text = captchas.issue(session)
    return {"captcha_id": str(captcha_id), "captcha": typed or text}


NUMBERS = {captcha_questions.in_words(number): number for number in range(100)}


def solve(question: str) -> str:
    """What a program makes of a question, which is why this door is narrow."""
    a, b, c = (NUMBERS[word] for word in re.findall(f"[{captcha_questions._DIGITS}十]+", question))
    return str(a + b - c)


def question(client: FlaskClient, answer: str | None = None) -> dict[str, str]:
    asked = client.post("/api/v1/captchas", json={"kind": "question"}).json or {}
    assert set(asked) == {"id", "question"}
    return {"captcha_id": asked["id"], "captcha": answer or solve(asked["question"])}


def enter(client: FlaskClient, sent: dict[str, str], username: str = WORKS, address: str = STREET, **more: Any) -> Any:
    body = {"username": username, "password": PASSWORD, **sent, **more}
    return client.post("/api/v1/sessions", json=body, environ_base={"REMOTE_ADDR": address})


def test_the_eleventh_wrong_picture_at_an_address_is_throttled_and_says_how_long_to_wait(
    clock: time_machine.Traveller, parties: Parties, client: FlaskClient, database: Database
) -> None:
    for _ in range(10):
        assert code_of(enter(client, picture(database, "?????"))) == WRONG
    refused = enter(client, picture(database, "?????"))
    assert code_of(refused) == THROTTLED and "验证码错误次数过多" in refused.json["detail"]
    wait = int(refused.headers["Retry-After"])
    assert 0 < wait <= 15 * 60
    assert code_of(enter(client, picture(database, "?????"), address="203.0.113.99")) == WRONG
    clock.shift(timedelta(seconds=wait - 1))
    assert code_of(enter(client, picture(database, "?????"))) == THROTTLED
    clock.shift(timedelta(seconds=1))
    assert code_of(enter(client, picture(database, "?????"))) == WRONG


def test_wrong_pictures_of_an_address_add_up_over_user_names_and_do_not_stop_who_reads_them(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    tries = [code_of(enter(client, picture(database, "?????"), uscc(900 + number))) for number in range(12)]
    assert tries == [WRONG] * 10 + [THROTTLED] * 2
    assert enter(client, picture(database)).status_code == 201
    for number in range(90):
        enter(client, picture(database, "?????"), uscc(700 + number))
    assert code_of(enter(client, picture(database), OTHER_WORKS)) == THROTTLED


def test_the_owner_known_by_address_gets_in_while_strangers_guess(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    assert enter(client, picture(database), address="192.0.2.1").status_code == 201
    for _ in range(11):
        answer = enter(client, picture(database, "?????"))
    assert code_of(answer) == THROTTLED
    assert enter(client, picture(database), address="192.0.2.1").status_code == 201


def test_a_right_picture_takes_back_its_own_try_and_forgives_no_other(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    for _ in range(9):
        assert code_of(enter(client, picture(database, "?????"))) == WRONG
    assert code_of(enter(client, picture(database), password=GUESS)) == (401, "login_failed")
    assert code_of(enter(client, picture(database, "?????"))) == WRONG
    assert code_of(enter(client, picture(database, "?????"))) == THROTTLED


def test_what_is_throttled_costs_no_captcha_and_who_sends_none_has_guessed_nothing(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    assert enter(client, picture(database)).status_code == 201  # who is known has ten tries, right or wrong
    for _ in range(20):
        assert code_of(enter(client, {})) == WRONG
    for _ in range(10):
        assert code_of(enter(client, {"captcha_id": new_id(), "captcha": "?"})) == WRONG
    kept = picture(database)
    assert code_of(enter(client, kept)) == THROTTLED
    with database.read() as session:
        assert [str(one) for one in session.scalars(select(Captcha.id))] == [kept["captcha_id"]]


def test_wrong_pictures_at_the_same_moment_get_no_more_than_ten_looked_at(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    sent = [picture(database, "?????") for _ in range(16)]
    statuses = at_once(*[lambda one=one: enter(application.test_client(), one).status_code for one in sent])
    assert sorted(statuses) == [403] * 10 + [429] * 6


@pytest.mark.parametrize("spelled", ["{}", " {} 元", "words"])
def test_whoever_cannot_see_answers_a_question_in_words_or_digits(
    parties: Parties, client: FlaskClient, spelled: str
) -> None:
    right = question(client)
    number = right["captcha"]
    typed = captcha_questions.in_words(int(number)) if spelled == "words" else spelled.format(number)
    assert enter(client, {**right, "captcha": typed}).status_code == 201
    assert code_of(enter(client, right)) == WRONG


def test_questions_count_right_or_wrong_and_five_are_looked_at_by_address(
    clock: time_machine.Traveller, parties: Parties, client: FlaskClient, database: Database
) -> None:
    for number in range(5):
        assert code_of(enter(client, question(client), uscc(800 + number))) == (401, "login_failed")
    refused = enter(client, question(client))
    assert code_of(refused) == THROTTLED and "文字题" in refused.json["detail"]
    # The picture is another door, and other addresses have questions of their own.
    assert enter(client, picture(database), OTHER_WORKS).status_code == 201
    assert enter(client, question(client), address="203.0.113.98").status_code == 201
    clock.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert enter(client, question(client)).status_code == 201


def test_a_reset_of_the_password_forgets_wrong_captchas(
    parties: Parties, client: FlaskClient, database: Database
) -> None:
    assert enter(client, picture(database)).status_code == 201
    for _ in range(11):
        known = enter(client, picture(database, "?????"))
    assert code_of(known) == THROTTLED
    with database.write() as session:
        throttle.forget(session, WORKS)
    assert enter(client, picture(database)).status_code == 201


def test_a_question_is_a_sum_of_numbers_in_words_and_its_answer_stands_nowhere_in_it() -> None:
    for _ in range(300):
        made = captcha_questions.make()
        assert str(made.answer) == solve(made.text) and 11 <= made.answer <= 97
        assert not re.search(r"\d", made.text)
    assert captcha_questions.in_words(10) == "十" and captcha_questions.in_words(40) == "四十"
    assert [captcha_questions.number(text) for text in ("二十七", "２７人", " 27 ", "二七", "")] == [
        "27", "27", "27", "二七", "",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["sound", "", 5])
def test_there_are_pictures_and_questions(client: FlaskClient, kind: Any) -> None:
    answer = client.post("/api/v1/captchas", json={"kind": kind})
    assert answer.status_code == (200 if kind == "" else 422)
