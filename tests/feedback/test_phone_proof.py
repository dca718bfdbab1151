"""Codes by SMS: single-use, short-lived, throttled per number and address."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from core.origin import Origin
from feedback.ratings import phone_proof
from feedback.sweeping import sweep
from tests.feedback.room import Room, faults, refused
from tests.newcomers import at_once

MOBILE = "13800000001"


def issue(room: Room, mobile: Any = MOBILE, address: str = "192.0.2.1") -> str:
    with room.database.write() as session:
        number, code = phone_proof.issue_code(session, mobile, Origin(address, address))
        assert number == str(mobile).replace(" ", "")
    return code


def prove(room: Room, code: str, mobile: Any = MOBILE) -> bool:
    with room.database.write() as session:
        return phone_proof.prove(session, mobile, code)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_proves_its_number_once(room: Room) -> None:
    code = issue(room)
    assert len(code) == 6 and code.isdecimal()
    assert not prove(room, code, "13800000002")
    assert prove(room, f" {code} ", "138 0000 0001")
    assert not prove(room, code)


def test_a_code_is_good_for_five_minutes(room: Room, at_ten: time_machine.Traveller) -> None:
    code = issue(room)
    at_ten.shift(timedelta(minutes=5))
    assert not prove(room, code)


def test_after_five_wrong_tries_a_code_is_spent(room: Room) -> None:
    code = issue(room)
    for _ in range(5):
        assert not prove(room, another(code))
    assert not prove(room, code)


def test_of_many_who_use_a_code_at_once_one_succeeds(room: Room) -> None:
    code = issue(room)
    assert Counter(at_once(*[lambda: prove(room, code)] * 5)) == {True: 1, False: 4}


def test_a_new_code_ends_the_one_before(room: Room, at_ten: time_machine.Traveller) -> None:
    first = issue(room)
    at_ten.shift(timedelta(minutes=1))
    second = issue(room)
    assert first == second or not prove(room, first)
    assert prove(room, second)


def test_a_number_gets_one_a_minute_five_an_hour_and_ten_a_day(room: Room, at_ten: time_machine.Traveller) -> None:
    issue(room)
    at_ten.shift(timedelta(seconds=45))
    problem = refused(issue, room)
    assert (problem.code, problem.status, problem.retry_after) == ("too_many_requests", 429, 15)
    at_ten.shift(timedelta(seconds=15))
    for _ in range(4):
        issue(room)
        at_ten.shift(timedelta(minutes=1))
    # Five past ten: the hour of the clock has to end, whenever the five were asked for.
    assert refused(issue, room).retry_after == 55 * 60
    issue(room, "13800000002")
    at_ten.shift(timedelta(minutes=55))
    for _ in range(5):
        issue(room)
        at_ten.shift(timedelta(minutes=1))
    at_ten.shift(timedelta(hours=1))
    problem = refused(issue, room)
    assert (problem.retry_after, problem.detail) == (
        (11 * 60 + 55) * 60,
        "获取验证码过于频繁，请在 12 小时后再试",
    )
    at_ten.shift(timedelta(seconds=problem.retry_after - 1))
    assert refused(issue, room).retry_after == 1
    at_ten.shift(timedelta(seconds=1))
    issue(room)


def test_a_busy_address_is_sent_codes_for_people_and_one_far_above_has_to_wait(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    hour = timedelta(hours=1)
    limits = phone_proof.PerAddress((3, hour), (5, hour))

    def asked_at(address: str) -> phone_proof.Admitted:
        with room.database.write() as session:
            return phone_proof.admit(session, Origin(address, address), limits)

    for _ in range(3):
        assert not asked_at("192.0.2.1").busy
        at_ten.shift(timedelta(minutes=1))
    not_made = asked_at("192.0.2.1")
    assert not_made.busy
    with room.database.write() as session:
        phone_proof.give_back(session, not_made)
    assert not asked_at("192.0.2.2").busy
    assert asked_at("192.0.2.1").busy and asked_at("192.0.2.1").busy
    problem = refused(asked_at, "192.0.2.1")
    # The first of the five was sent three minutes ago.
    assert (problem.code, problem.retry_after) == ("too_many_requests", 57 * 60)
    at_ten.shift(timedelta(minutes=57))
    assert not asked_at("192.0.2.1").busy


def test_of_many_requests_of_one_number_at_once_one_is_answered(room: Room) -> None:
    def request() -> str:
        try:
            return "sent" if issue(room) else ""
        except Exception as refusal:
            return str(getattr(refusal, "code", refusal))

    assert Counter(at_once(*[request] * 8)) == {"sent": 1, "too_many_requests": 7}


@pytest.mark.parametrize("mobile", ["", "12800000001", None, 5, "1" * 1000])
def test_no_code_is_sent_to_what_is_no_number(room: Room, mobile: Any) -> None:
    assert faults(refused(issue, room, mobile)) == {"/mobile": "bad_mobile"}
    assert not prove(room, "123456", mobile)


def test_a_request_is_answered_alike_whether_or_not_the_number_has_rated(room: Room) -> None:
    room.send(room.code(), mobile=MOBILE)
    assert prove(room, issue(room))


def test_neither_code_nor_number_is_stored(room: Room) -> None:
    code = issue(room)
    with room.database.read() as session:
        row = session.execute(text("SELECT * FROM sms_codes")).one()
    stored = " ".join(str(value) for value in row)
    assert MOBILE not in stored and f" {code} " not in f" {stored} "
    assert "192.0.2.1" not in stored


def test_old_codes_are_swept(room: Room, at_ten: time_machine.Traveller) -> None:
    issue(room)
    at_ten.shift(timedelta(days=3))
    assert sweep(room.database) == 2
