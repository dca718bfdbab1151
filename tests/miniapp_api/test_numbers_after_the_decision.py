"""A number is whole for whoever decides, until it is decided; after that nobody reads it any more.

Of filings: `tests/enterprise/filings/test_what_each_side_reads.py`.
"""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from tests.newcomers import apply
from tests.people import Person, SignIn, faults, production, uscc, with_problem
from tests.raters import Hall, ok
from tests.records import read, submit

NUMBER, MASKED = "13800000001", "138****0001"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_an_applicants_number_is_whole_until_the_decision_and_masked_from_its_answer_on(
    client: FlaskClient, city_reviewer: Person, decision: str
) -> None:
    path = f"/account-applications/{apply(client)['id']}"
    assert read(city_reviewer, path)["mobile"] == NUMBER
    decided = city_reviewer.post(f"{path}/{decision}", {"opinion": "已核实"})
    assert decided.status_code == 200 and decided.json is not None and decided.json["mobile"] == MASKED
    assert read(city_reviewer, path)["mobile"] == MASKED


def test_once_the_rater_was_answered_the_number_is_read_with_a_reason_which_the_history_keeps(hall: Hall) -> None:
    rating = hall.bad(hall.code(), mobile=NUMBER, comment=f"请回电 {NUMBER}")
    assert ok(hall.act("handler", rating, "reveal_number"))["mobile"] == NUMBER
    assert NUMBER in hall.rating(rating, "handler")["comment"]
    for step in ("contact", "verify", "rectify", "reply"):
        ok(hall.act("handler", rating, step))
    assert NUMBER not in hall.rating(rating, "handler")["comment"]
    assert faults(hall.act("handler", rating, "reveal_number")) == {"/reason": "required"}
    assert faults(hall.act("handler", rating, "reveal_number", reason="。。。")) == {"/reason": "meaningless"}
    shown = ok(hall.act("handler", rating, "reveal_number", reason="评价人来电要求再次说明整改情况"))
    assert shown["mobile"] == NUMBER
    last = read(hall.person("supervisor"), f"/ratings/{rating}/history")["items"][-1]
    assert (last["action"], last["reason"]) == ("reveal_number", "评价人来电要求再次说明整改情况")


def test_while_an_appeal_waits_a_reason_is_needed_too(hall: Hall) -> None:
    rating = hall.bad(hall.code(), mobile=NUMBER)
    ok(hall.act("handler", rating, "appeal"))
    assert faults(hall.act("handler", rating, "reveal_number")) == {"/reason": "required"}


def test_when_a_rating_is_closed_numbers_in_notes_are_masked_for_everybody(hall: Hall) -> None:
    rating = hall.bad(hall.code(), mobile=NUMBER)
    ok(hall.act("handler", rating, "contact", note=f"回拨 {NUMBER}，已接"))
    for step in ("verify", "rectify", "reply"):
        ok(hall.act("handler", rating, step))
    assert NUMBER in hall.rating(rating, "handler")["contacts"][0]["note"]
    ok(hall.act("supervisor", rating, "close"))
    for person in ("handler", "supervisor"):
        assert NUMBER not in str(hall.rating(rating, person))
        assert NUMBER not in hall.person(person).get(f"/ratings/{rating}/history").get_data(as_text=True)
    assert hall.act("handler", rating, "reveal_number", reason="补充了解情况").status_code == 409


def _number_of(person: Person, record: dict[str, Any]) -> Any:
    return read(person, f"/inspections/{record['id']}")["contact_tel"]


def test_an_office_reads_the_number_of_its_check_for_a_day_and_then_masked(
    clock: time_machine.Traveller, county_inspector: Person, county_colleague: Person, sign_in: SignIn
) -> None:
    record = submit(county_inspector, production(contact_tel=NUMBER))
    clock.shift(timedelta(hours=24))
    for name in ("county_inspector", "county_colleague"):
        assert _number_of(sign_in(name), record) == NUMBER
    clock.shift(timedelta(seconds=1))
    for name in ("county_inspector", "county_colleague"):
        assert _number_of(sign_in(name), record) == MASKED


def test_as_long_as_a_disposal_is_under_way_or_the_record_was_sent_back_the_number_is_needed(
    clock: time_machine.Traveller, county_inspector: Person, sign_in: SignIn
) -> None:
    pending = submit(county_inspector, with_problem({"7.1": "in_progress"}, contact_tel=NUMBER))
    returned = submit(county_inspector, production(contact_tel=NUMBER, org_name="另一电缆厂", uscc=uscc(301)))
    clock.shift(timedelta(days=3))
    back = sign_in("city_reviewer").post(f"/inspections/{returned['id']}/return", {"opinion": "请核对", "version": 1})
    assert back.status_code == 200, back.get_data(as_text=True)
    inspector = sign_in("county_inspector")
    assert _number_of(inspector, pending) == _number_of(inspector, returned) == NUMBER
    done = inspector.put(f"/inspections/{pending['id']}/disposals", {"disposals": {"7.1": "done"}, "version": 1})
    assert done.status_code == 200, done.get_data(as_text=True)
    assert _number_of(inspector, pending) == MASKED


def test_a_masked_number_that_a_later_correction_sends_back_stands_for_the_stored_one(
    clock: time_machine.Traveller, county_inspector: Person, sign_in: SignIn
) -> None:
    record = submit(county_inspector, production(contact_tel=NUMBER))
    clock.shift(timedelta(days=3))
    body = production(contact_tel=MASKED, remark="补充", version=1, reason="漏填")
    corrected = sign_in("city_reviewer").put(f"/inspections/{record['id']}/correction", body)
    assert corrected.status_code == 200, corrected.get_data(as_text=True)
    version = read(sign_in("county_inspector"), f"/inspections/{record['id']}/versions/1")
    assert version["contact_tel"] == MASKED
