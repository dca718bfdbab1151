"""Proof of a number by SMS, switched on: asked for, checked before the window, single-use, silent about others."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
import time_machine
from apiflask import APIFlask
from sqlalchemy import func, select
from structlog.testing import capture_logs

from core.config import Settings
from core.db import Database
from core.gateways import sms
from core.gateways.sms import LogSender, SmsFailed
from feedback.models import Rating
from feedback.ratings import phone_proof
from feedback.ratings.fields import Sent, read_form
from miniapp_api.http.wiring import KEY
from tests.newcomers import code_of
from tests.people import faults, new_id
from tests.problems import ONE_DATABASE, problem_of
from tests.raters import BAD, GOOD, STREET, Hall, Page, ok

pytestmark = ONE_DATABASE

NUMBER = "13800000001"


class Phones:
    """A sender whose messages can be read; `broken` refuses the next ones."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, int]] = []
        self.broken: SmsFailed | None = None

    def send_code(self, mobile: str, code: str, minutes: int) -> None:
        if self.broken is not None:
            raise self.broken
        self.received.append((mobile, code, minutes))

    def code_of(self, mobile: str) -> str:
        return [code for number, code, _ in self.received if number == mobile][-1]


@pytest.fixture
def phones() -> Phones:
    return Phones()


@pytest.fixture
def application(application: APIFlask, phones: Phones) -> APIFlask:
    application.extensions[KEY] = replace(application.extensions[KEY], sms=phones)
    return application


def ask(hall: Hall, mobile: Any = NUMBER, address: str = STREET) -> Any:
    return hall.client.post("/api/v1/ratings/sms-codes", json={"mobile": mobile}, environ_base={"REMOTE_ADDR": address})


def ratings_in(database: Database) -> list[bool]:
    with database.read() as session:
        return list(session.scalars(select(Rating.phone_verified)))


def test_the_form_says_that_a_code_is_needed(hall: Hall) -> None:
    code = hall.code()
    assert ok(hall.get(f"/api/v1/ratings/form/{code['token']}"))["sms_code_required"] is True
    assert "sms_code" in hall.open(code).fields


def test_a_rating_with_the_code_that_was_sent_is_verified(hall: Hall, phones: Phones, database: Database) -> None:
    assert ok(ask(hall, "+86 138 0000 0001")) == {"sent": True}
    assert [(number, minutes) for number, _, minutes in phones.received] == [(NUMBER, 5)]
    hall.rated(hall.code(), mobile=NUMBER, sms_code=f" {phones.code_of(NUMBER)} ")
    assert ratings_in(database) == [True]


@pytest.mark.parametrize(
    ("given", "expected"), [(None, "required"), ("", "required"), ("  ", "required"), (123456, "required"),
                            ("abcdef", "wrong_code"), ("1" * 10_000, "wrong_code"), ("１２３", "wrong_code")],
)  # fmt: skip
def test_a_missing_or_wrong_code_is_named_and_nothing_is_stored(
    hall: Hall, database: Database, given: Any, expected: str
) -> None:
    ask(hall)
    answer = hall.rate(hall.code(), mobile=NUMBER, sms_code=given)
    assert faults(answer) == {"/sms_code": expected}
    assert ratings_in(database) == []


def test_the_code_of_another_number_proves_nothing(hall: Hall, phones: Phones) -> None:
    ask(hall, "13800000002")
    answer = hall.rate(hall.code(), mobile=NUMBER, sms_code=phones.code_of("13800000002"))
    assert faults(answer) == {"/sms_code": "wrong_code"}


def test_a_code_is_good_for_five_minutes(hall: Hall, phones: Phones, clock: time_machine.Traveller) -> None:
    code = hall.code()
    ask(hall)
    clock.shift(timedelta(minutes=5))
    assert faults(hall.rate(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))) == {"/sms_code": "wrong_code"}


def test_a_code_is_good_once(hall: Hall, phones: Phones) -> None:
    code = hall.code()
    ask(hall)
    used = phones.code_of(NUMBER)
    hall.rated(code, mobile=NUMBER, sms_code=used)
    assert faults(hall.rate(code, mobile=NUMBER, sms_code=used)) == {"/sms_code": "wrong_code"}


def test_the_same_form_posted_again_may_show_its_code_again(hall: Hall, phones: Phones) -> None:
    # A double tap: the second post proves the number after the first has spent the code, and is answered alike.
    first, second = hall.code(), hall.code()
    ask(hall)
    form = {"mobile": NUMBER, "sms_code": phones.code_of(NUMBER), "submission_id": new_id()}
    sent = Sent(**{**GOOD, "mobile": NUMBER, "submission_id": form["submission_id"]})
    with hall.database.write() as session:
        assert phone_proof.prove(session, NUMBER, form["sms_code"], read_form(first["token"], sent).key)
        assert phone_proof.prove(session, NUMBER, form["sms_code"], read_form(first["token"], sent).key)
        assert not phone_proof.prove(session, NUMBER, form["sms_code"], read_form(second["token"], sent).key)
        assert not phone_proof.prove(session, NUMBER, "000000", read_form(first["token"], sent).key)
    assert hall.rate(first, **form).status_code == 201
    assert faults(hall.rate(second, **{**form, "submission_id": new_id()})) == {"/sms_code": "wrong_code"}


def test_nothing_is_sent_for_a_code_that_cannot_be_rated(hall: Hall, phones: Phones) -> None:
    made = hall.code()
    ok(hall.person("officer").post(f"/rating-codes/{made['id']}/disable", {}))
    answer = hall.client.post(f"/r/{made['token']}", data={"mobile": NUMBER, "action": "send_code"})
    assert answer.status_code == 410 and phones.received == []


def test_after_five_wrong_tries_the_right_code_is_none(hall: Hall, phones: Phones) -> None:
    code = hall.code()
    ask(hall)
    right = phones.code_of(NUMBER)
    for _ in range(5):
        wrong = "000000" if right != "000000" else "000001"
        assert faults(hall.rate(code, mobile=NUMBER, sms_code=wrong)) == {"/sms_code": "wrong_code"}
    assert faults(hall.rate(code, mobile=NUMBER, sms_code=right)) == {"/sms_code": "wrong_code"}


def test_the_code_is_checked_before_the_window(hall: Hall, phones: Phones, clock: time_machine.Traveller) -> None:
    code = hall.code()
    ask(hall)
    hall.rated(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))
    # Without a code nobody learns that the number has rated.
    for mobile in (NUMBER, "13800000002"):
        assert faults(hall.rate(code, mobile=mobile, sms_code="000000")) == {"/sms_code": "wrong_code"}
        assert faults(hall.rate(code, mobile=mobile)) == {"/sms_code": "required"}
    clock.shift(timedelta(minutes=2))
    ask(hall)
    assert code_of(hall.rate(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))) == (429, "rating_window")


def test_what_is_faulty_or_sent_again_costs_no_code(hall: Hall, phones: Phones, database: Database) -> None:
    code, sent = hall.code(), {"mobile": NUMBER, "submission_id": "a-form"}
    ask(hall)
    right = phones.code_of(NUMBER)
    assert "/rater_name" in faults(hall.rate(code, **sent, rater_name="", sms_code=right))
    first = ok(hall.rate(code, **sent, sms_code=right), 201)
    assert ok(hall.rate(code, **sent, sms_code=right), 201) == first
    assert ok(hall.rate(code, **sent), 201) == first
    assert ratings_in(database) == [True]


def test_no_call_reveals_whether_a_number_has_rated(
    hall: Hall, phones: Phones, clock: time_machine.Traveller
) -> None:  # fmt: skip
    code, other = hall.code(), "13800000002"
    ask(hall)
    hall.rated(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))
    clock.shift(timedelta(hours=2))
    for _ in range(7):
        told = []
        for number in (NUMBER, other):
            answer = ask(hall, number)
            body = {name: value for name, value in (answer.json or {}).items() if name != "request_id"}
            told.append((answer.status_code, body, answer.headers.get("Retry-After"), len(answer.data)))
            page = hall.send(code, hall.open(code), button="send_code", mobile=number)
            told[-1] = (*told[-1], page.status_code, Page.of(page).text)  # type: ignore[assignment]
        assert told[0] == told[1]
        clock.shift(timedelta(minutes=1))


def test_the_page_sends_a_code_and_keeps_what_was_typed(hall: Hall, phones: Phones, database: Database) -> None:
    code = hall.code()
    typed = {"level": 2, "tags2": [207], "comment": "没有样本可以看", "rater_name": "张某某", "mobile": NUMBER}
    asked = hall.send(code, hall.open(code), button="send_code", **typed)
    page = Page.of(asked)
    assert asked.status_code == 200 and "验证码已发送" in page.text and phones.code_of(NUMBER)
    assert [page.fields[name] for name in ("level", "tags2", "comment", "mobile")] == [
        "2",
        "207",
        "没有样本可以看",
        NUMBER,
    ]
    refused = hall.send(code, page, sms_code="000000x")
    assert refused.status_code == 422 and "短信验证码错误" in Page.of(refused).texts["sms_code-fault"]
    assert hall.send(code, Page.of(refused), sms_code=phones.code_of(NUMBER)).status_code == 303
    assert ratings_in(database) == [True]


@pytest.mark.parametrize("mobile", ["", "123", "12345678901", None, 13800000001, "1" * 10_000])
def test_no_code_is_sent_to_what_is_no_number(hall: Hall, phones: Phones, mobile: Any) -> None:
    assert set(faults(ask(hall, mobile))) == {"/mobile"}
    assert phones.received == []


def test_a_number_is_sent_one_code_a_minute(hall: Hall, phones: Phones, clock: time_machine.Traveller) -> None:
    assert ask(hall).status_code == 200
    again = ask(hall, "８６13800000001", "192.0.2.77")
    assert problem_of(again)["code"] == "too_many_requests" and int(again.headers["Retry-After"]) > 0
    assert len(phones.received) == 1
    page = hall.send(code := hall.code(), hall.open(code), button="send_code", mobile=NUMBER)
    assert page.status_code == 429 and "频繁" in Page.of(page).texts["errors"]


@pytest.mark.only_in_rounds
def test_four_hundred_citizens_of_one_hall_prove_their_numbers_within_an_hour(hall: Hall, phones: Phones) -> None:
    code = hall.code()
    for number in range(400):
        mobile = f"1390000{number:04d}"
        assert ask(hall, mobile).status_code == 200
        hall.rated(code, mobile=mobile, sms_code=phones.code_of(mobile))


@pytest.mark.parametrize("retryable", [True, False])
def test_a_gateway_that_fails_is_503_without_its_words(hall: Hall, phones: Phones, retryable: bool) -> None:
    phones.broken = SmsFailed("quota of account 1400 exceeded", retryable=retryable)
    answer = ask(hall)
    assert problem_of(answer)["code"] == "sms_unavailable"
    assert (answer.status_code, "1400" in answer.get_data(as_text=True)) == (503, False)
    assert ("Retry-After" in answer.headers) is retryable


def test_an_unsuccessful_rating_leaves_no_trace_of_the_number(hall: Hall, database: Database) -> None:
    ask(hall)
    hall.rate(hall.code(), **{**BAD, "mobile": NUMBER, "sms_code": "no"})
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 0


@pytest.mark.usefixtures("clock")
class TestBusyAddress:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"rating_address_limit": "3 per hour"})

    @pytest.fixture(autouse=True)
    def readable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("miniapp_api.accounts.captchas.data_url", lambda text: f"data:image/png;base64,{text}")

    def test_above_the_limit_a_code_is_sent_to_who_answers_a_captcha_and_proves_enough(
        self, hall: Hall, phones: Phones
    ) -> None:
        for number in range(3):
            assert ask(hall, f"1380000100{number}").status_code == 200
        assert code_of(ask(hall)) == (403, "captcha_required")
        captcha = ok(hall.client.post("/api/v1/captchas", json={}))
        body = {"mobile": NUMBER, "captcha_id": captcha["id"], "captcha": captcha["image"].partition(",")[2]}
        sent = hall.client.post("/api/v1/ratings/sms-codes", json=body, environ_base={"REMOTE_ADDR": STREET})
        assert ok(sent) == {"sent": True}
        code = hall.code()
        for number in range(3):
            hall.rated(code, mobile=f"1380000100{number}", sms_code=phones.code_of(f"1380000100{number}"))
        # Whoever proved the number is asked for no captcha, however many rated here.
        hall.rated(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))

    def test_the_page_asks_for_it_too_and_keeps_what_was_typed(self, hall: Hall, phones: Phones) -> None:
        for number in range(3):
            ask(hall, f"1380000100{number}")
        code = hall.code()
        asked = hall.send(code, hall.open(code), button="send_code", comment="办得很快", mobile=NUMBER)
        page = Page.of(asked)
        assert asked.status_code == 403 and page.fields["comment"] == "办得很快"
        picture = next(value for tag, name, value in page.attributes if (tag, name) == ("img", "src"))
        answer = hall.send(code, page, button="send_code", captcha=(picture or "").partition(",")[2])
        assert answer.status_code == 200 and phones.code_of(NUMBER) and "captcha" not in Page.of(answer).names


class TestOnlyWhereItIsBusy:
    """A sender is configured, and the setting says that not every rating needs a code."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"rating_sms_proof": False, "rating_address_limit": "1 per hour"})

    @pytest.mark.usefixtures("clock")
    def test_a_code_takes_the_place_of_the_captcha(self, hall: Hall, phones: Phones, database: Database) -> None:
        code = hall.code()
        assert ok(hall.get(f"/api/v1/ratings/form/{code['token']}"))["sms_code_required"] is False
        assert "sms_code" not in hall.open(code).names
        hall.rated(code)
        assert code_of(hall.rate(code, mobile=NUMBER)) == (403, "captcha_required")
        busy = Page.of(hall.send(code, hall.open(code), level=5, rater_name="李某某", mobile=NUMBER))
        assert {"captcha", "sms_code"} <= {*busy.names}
        assert ask(hall).status_code == 200
        assert faults(hall.rate(code, mobile=NUMBER, sms_code="000000x")) == {"/sms_code": "wrong_code"}
        hall.rated(code, mobile=NUMBER, sms_code=phones.code_of(NUMBER))
        assert ratings_in(database) == [False, True]

    @pytest.mark.usefixtures("clock")
    def test_who_chose_the_code_on_the_page_finds_the_field_for_it(self, hall: Hall, phones: Phones) -> None:
        code = hall.code()
        hall.rated(code)
        typed = {"level": 5, "rater_name": "李某某", "mobile": NUMBER}
        busy = Page.of(hall.send(code, hall.open(code), **typed))
        asked = hall.send(code, busy, button="send_code")
        page = Page.of(asked)
        assert asked.status_code == 200 and "验证码已发送" in page.text
        assert "sms_code" in page.names and "captcha" not in page.names and "代替" not in page.text
        wrong = hall.send(code, page, sms_code="000000x")
        again = Page.of(wrong)
        assert wrong.status_code == 422 and "短信验证码错误" in again.texts["sms_code-fault"]
        assert hall.send(code, again, sms_code=phones.code_of(NUMBER)).status_code == 303


class TestSwitchedOff:
    @pytest.fixture
    def phones(self) -> None:
        return None

    def test_no_codes_are_sent_and_none_is_asked_for(self, hall: Hall) -> None:
        assert code_of(ask(hall)) == (404, "not_found")
        code = hall.code()
        assert "sms_code" not in hall.open(code).names
        asked = hall.send(code, hall.open(code), button="send_code", mobile=NUMBER)
        assert asked.status_code == 404
        assert hall.rate(code, **GOOD).status_code == 201


class TestLogSender:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"sms_sender": "log", "log_level": "WARNING"})

    @pytest.fixture
    def phones(self) -> LogSender:
        return LogSender()

    def test_the_developer_copies_the_code_from_the_log(self, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
        with capture_logs() as lines:
            # The module's own logger may have been kept at another level by an earlier test.
            monkeypatch.setattr(sms, "_log", structlog.get_logger())
            assert ask(hall).status_code == 200
        (line,) = [line for line in lines if line["event"] == "sms_not_sent"]
        assert re.fullmatch(r"\d{6}", line["code"]) and NUMBER not in str(lines)
        hall.rated(hall.code(), mobile=NUMBER, sms_code=line["code"])
