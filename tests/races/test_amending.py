"""Voiding (作废) against whatever else happens to a record at the same moment."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from apiflask import APIFlask

from core.db import Database
from inspection import tallies
from tests import parties as both
from tests.concurrency import AtOnce, everything_holds, post, put, refusals, statuses
from tests.parties import WORKS
from tests.people import Person, new_id, production, uscc, with_problem
from tests.records import listed, read, submit

ROUNDS = 15


@pytest.fixture(autouse=True)
def _a_clock_that_runs() -> Iterator[None]:
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=True):
        yield


def test_of_voiding_correction_and_disposal_at_once_one_wins_and_the_figures_hold(
    county_inspector: Person, city_reviewer: Person, province_user: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        found = {"uscc": uscc(number), "org_name": f"第{number}家电缆厂"}
        path = f"/inspections/{submit(county_inspector, with_problem({'7.1': 'in_progress'}, **found))['id']}"
        corrected = with_problem({"7.1": "in_progress"}, **{**found, "uscc": uscc(100 + number)}, version=1, reason="x")
        calls = [
            post(province_user, f"{path}/void", {"reason": "重复录入", "version": 1}),
            put(city_reviewer, f"{path}/correction", corrected),
            put(county_inspector, f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
        ]
        turn = number % 3
        answers = at_once(calls[turn:] + calls[:turn])
        answers = answers[3 - turn :] + answers[: 3 - turn]
        assert statuses(answers) == {200: 1, 409: 2}, answers
        assert refusals(answers) <= {"stale_version", "wrong_status"}
        record = read(county_inspector, path)
        voided = answers[0][0] == 200
        assert (record["version"], record["status"]) == (2, "voided" if voided else "submitted")
        assert listed(county_inspector, f"q=第{number}家") == ([] if voided else [record["id"]])
        wanted = [] if voided or answers[2][0] == 200 else ["disposal_in_progress"]
        link = f"/inspections/{record['id']}"
        open_todos = [todo for todo in read(county_inspector, "/todos?page_size=100")["items"] if todo["link"] == link]
        assert [todo["kind"] for todo in open_todos] == wanted
    everything_holds(database, ROUNDS, 2 * ROUNDS)


def test_identical_voidings_are_applied_once(county_inspector: Person, at_once: AtOnce, database: Database) -> None:
    for number in range(5):
        record = submit(county_inspector, production(uscc=uscc(number)))
        body = {"reason": "测试数据", "version": 1}
        answers = at_once([post(county_inspector, f"/inspections/{record['id']}/void", body)] * 6)
        assert statuses(answers) == {200: 6}
        assert all(answer == answers[0][1] and answer["version"] == 2 for _, answer in answers)
    everything_holds(database, 5, 10)


def test_a_check_voided_while_it_is_entered_anew_leaves_one_or_asks(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(8):
        record = submit(county_inspector, production(uscc=uscc(number)))
        voided, again = at_once([
            post(county_inspector, f"/inspections/{record['id']}/void", {"reason": "重复录入", "version": 1}),
            put(county_inspector, f"/inspections/{new_id()}/submission", production(uscc=uscc(number))),
        ])  # fmt: skip
        assert voided[0] == 200
        assert again[0] == 201 or again[1]["code"] == "duplicate_check"
    with database.write() as session:
        assert tallies.reconcile(session).mended == 0


def test_no_rectification_hangs_on_a_voided_check(
    application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person, at_once: AtOnce,
) -> None:  # fmt: skip
    parties = both.prepare(application, sign_in)
    for number in range(ROUNDS):
        day = f"2026-11-{number + 1:02}"
        path = f"/inspections/{submit(county_inspector, with_problem(uscc=WORKS, check_date=day))['id']}"
        voided, ordered = at_once([
            post(county_inspector, f"{path}/void", {"reason": "重复录入", "version": 1}),
            post(parties.reviewer, f"{path}/rectification", {"problem": f"问题{number}", "due_on": "2026-12-20"}),
        ])  # fmt: skip
        assert sorted([voided[0], ordered[0]]) in ([200, 409], [201, 409]), (voided, ordered)
        assert (voided[1].get("code"), ordered[1].get("code")) in (("rectification_open", None), (None, "wrong_status"))
        assert read(county_inspector, path)["status"] == ("voided" if voided[0] == 200 else "submitted")
