"""Numbers that an office frees: at once, with a reason, seen by the offices above, silent about who has rated."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text

from accounts.verbs import Role
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from feedback import integrity
from feedback.models import FreedNumber
from miniapp_api.http.wiring import KEY
from tests.newcomers import code_of, make_user
from tests.people import faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import Hall, ok

pytestmark = ONE_DATABASE

NUMBER, OTHER = "13800000001", "13800000002"
REASON = "本人到窗口称号码被他人冒用"
WINDOW = (429, "rating_window")


def free(hall: Hall, mobile: Any = NUMBER, person: str = "supervisor", **body: Any) -> Any:
    return hall.person(person).post("/rating-numbers/free", {"mobile": mobile, "reason": REASON, **body})


def test_a_number_that_an_office_freed_rates_at_once_and_then_waits_again(
    hall: Hall, clock: time_machine.Traveller
) -> None:
    code = hall.code()
    hall.rated(code, mobile=NUMBER)
    clock.shift(timedelta(hours=1))
    assert code_of(hall.rate(code, mobile=NUMBER)) == WINDOW
    ok(free(hall, "+86 138 0000 0001"), 201)
    clock.shift(timedelta(minutes=1))
    hall.rated(code, mobile=NUMBER)
    refused = hall.rate(code, mobile=NUMBER)
    assert code_of(refused) == WINDOW
    # Five days from the second rating.
    clock.shift(timedelta(days=5, seconds=-1))
    assert code_of(hall.rate(code, mobile=NUMBER)) == WINDOW
    clock.shift(timedelta(seconds=1))
    hall.rated(code, mobile=NUMBER)


def test_who_freed_a_number_is_not_for_the_sender_to_say(hall: Hall) -> None:
    told = ok(free(hall, freed_by="somebody"), 201)
    assert told["freed_by"] != "somebody"
    assert [(one["code"], one["path"]) for one in told["warnings"]] == [("read_only", "/freed_by")]
    assert faults(free(hall, OTHER, foo=1)) == {"/foo": "unknown_field"}


def test_freeing_helps_the_number_named_and_nothing_that_it_rates_later(
    hall: Hall, clock: time_machine.Traveller
) -> None:
    code = hall.code()
    ok(free(hall), 201)
    clock.shift(timedelta(seconds=1))
    hall.rated(code, mobile=NUMBER)
    hall.rated(code, mobile=OTHER)
    for mobile in (NUMBER, OTHER):
        assert code_of(hall.rate(code, mobile=mobile)) == WINDOW


@pytest.mark.parametrize("scope", ["kind", "subject"])
def test_a_number_is_freed_whatever_the_five_days_are_about(hall: Hall, application: Any, scope: Any) -> None:
    services = application.extensions[KEY]
    application.extensions[KEY] = replace(services, rules=replace(services.rules, scope=scope))
    first, second = hall.code(), hall.code(kind="per_matter")
    hall.rated(first, mobile=NUMBER)
    assert code_of(hall.rate(first, mobile=NUMBER)) == WINDOW
    hall.rated(second, mobile=NUMBER)
    ok(free(hall), 201)
    hall.rated(first, mobile=NUMBER)
    assert code_of(hall.rate(first, mobile=NUMBER)) == WINDOW


def test_the_answer_and_the_list_do_not_tell_whether_the_number_had_rated(hall: Hall) -> None:
    hall.rated(hall.code(), mobile=NUMBER)
    rated, fresh = (free(hall, mobile) for mobile in (NUMBER, OTHER))
    assert rated.status_code == fresh.status_code == 201
    told = [{**ok(answer, 201), "id": "", "freed_at": "", "mobile": ""} for answer in (rated, fresh)]
    assert told[0] == told[1]
    listed = ok(hall.person("supervisor").get("/rating-numbers/freed"))["items"]
    assert {item["mobile"] for item in listed} == {"138****0001", "138****0002"}
    assert {(item["reason"], item["freed_by"], item["office_name"]) for item in listed} == {
        (REASON, "supervisor", "天宁区市场监督管理局")
    }


def test_the_same_call_with_its_id_is_one_row_and_without_one_it_does_no_harm(hall: Hall) -> None:
    sent = {"id": new_id()}
    first = ok(free(hall, **sent), 201)
    assert ok(free(hall, "138 0000 0001", **sent)) == first
    assert code_of(free(hall, OTHER, **sent)) == (409, "id_taken")
    assert code_of(free(hall, reason="另一个原因", **sent)) == (409, "id_taken")
    assert code_of(free(hall, person="far_supervisor", **sent)) == (409, "id_taken")
    ok(free(hall), 201), ok(free(hall), 201)
    assert ok(hall.person("supervisor").get("/rating-numbers/freed"))["total"] == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"mobile": "12345678901"}, {"/mobile": "bad_mobile"}),
        ({"mobile": None}, {"/mobile": "bad_mobile"}),
        ({"mobile": 13800000001}, {"/mobile": "bad_mobile"}),
        ({"mobile": "1" * 10_000}, {"/mobile": "bad_mobile"}),
        ({"reason": " "}, {"/reason": "required"}),
        ({"reason": "。。。"}, {"/reason": "meaningless"}),
        ({"reason": "字" * 201}, {"/reason": "too_long"}),
        ({"id": "x"}, {"/id": "bad_format"}),
        (
            {"id": "x", "mobile": "", "reason": None},
            {"/id": "bad_format", "/mobile": "bad_mobile", "/reason": "required"},
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_freed(
    hall: Hall, body: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(free(hall, **body)) == expected
    assert ok(hall.person("supervisor").get("/rating-numbers/freed"))["total"] == 0


def test_only_supervisors_free_and_each_office_sees_what_it_and_those_below_did(hall: Hall, database: Database) -> None:
    for person in ("officer", "handler", "inspector"):
        assert code_of(free(hall, person=person)) == (403, "forbidden")
        assert code_of(hall.person(person).get("/rating-numbers/freed")) == (403, "forbidden")
    ok(free(hall), 201)
    # The window is everybody's, so is the freeing of it: wherever the citizen asks.
    ok(free(hall, person="far_supervisor"), 201)
    for person, seen in (("supervisor", 1), ("other_supervisor", 1), ("far_supervisor", 1)):
        assert ok(hall.person(person).get("/rating-numbers/freed"))["total"] == seen
    make_user(database, "320000", "province_supervisor", Role.RATING_SUPERVISOR)
    make_user(database, "320100", "city_supervisor", Role.RATING_SUPERVISOR)
    assert ok(hall.sign_in("province_supervisor").get("/rating-numbers/freed"))["total"] == 2
    assert ok(hall.sign_in("city_supervisor").get("/rating-numbers/freed"))["total"] == 1


def test_history_keeps_who_and_why_and_the_number_stands_nowhere_in_clear(hall: Hall, database: Database) -> None:
    made = ok(free(hall), 201)
    with database.read() as session:
        row = session.execute(text("SELECT * FROM freed_numbers")).one()
        entry = session.scalars(select(HistoryEntry).where(HistoryEntry.subject_type == "freed_number")).one()
        payload = session.get_one(HistoryPayload, entry.id).payload
        assert not list(integrity.verify(session))
    assert NUMBER not in str(row) + str(payload)
    assert (entry.action, str(entry.subject_id).replace("-", "")) == ("free", made["id"].replace("-", ""))
    assert payload["reason"] == REASON and payload["mobile"] == "138****0001"
    with database.write() as session:
        session.execute(FreedNumber.__table__.update().values(status="gone"))  # type: ignore[attr-defined]
    with database.read() as session:
        assert [one.subject_type for one in integrity.verify(session)] == ["freed_number"]


def test_the_public_list_tells_the_day_and_not_the_moment_not_even_in_the_mark_of_its_pages(
    hall: Hall, clock: time_machine.Traveller
) -> None:
    code = hall.code()
    for _ in range(3):
        hall.rated(code)
        clock.shift(timedelta(minutes=7))
    seen, after = [], ""
    while True:
        answer = hall.get(f"/api/v1/ratings/public?page_size=1{after}")
        page = ok(answer)
        seen += page["items"]
        shown = base64.urlsafe_b64decode((page["next_after"] or "") + "==")
        assert b"2026-11-" not in shown and "2026-11-21T" not in answer.get_data(as_text=True)
        if page["next_after"] is None:
            break
        after = f"&after={page['next_after']}"
    assert [item["rated_on"] for item in seen] == ["2026-11-21"] * 3
    marked = ok(hall.person("supervisor").get("/ratings?page_size=1"))["next_after"]
    for bad in (marked, "AAAA", "A" * 200):
        assert faults(hall.get(f"/api/v1/ratings/public?after={bad}")) == {"/after": "invalid"}
