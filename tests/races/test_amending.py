"""Voiding (作废) against whatever else happens to a record at the same moment."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import time_machine
from apiflask import APIFlask

from core.db import Database
from core.workflows import history
from inspection import integrity
from inspection.statistics import tallies
from tests import parties as both
from tests.concurrency import AtOnce, everything_holds, post, put, refusals, statuses
from tests.parties import WORKS
from tests.people import Person, SignIn, new_id, production, uscc, with_problem
from tests.records import listed, read, submit
from tests.rounds import rounds

ROUNDS = rounds(15, few=6)
# The five calls of a decision, one after another, each of them first once.
IN_TURN = 5


@pytest.fixture(autouse=True)
def _a_clock_that_runs() -> Iterator[None]:
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=True):
        yield


@pytest.mark.rounds
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


@pytest.mark.rounds
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


@pytest.mark.rounds
def test_of_those_who_decide_on_an_application_while_its_record_changes_one_wins_and_everything_holds(
    sign_in: SignIn, at_once: AtOnce, database: Database
) -> None:
    with time_machine.travel("2026-11-18T10:00:00+08:00", tick=True):
        owner = sign_in("county_inspector")
        days = {"check_date": "2026-11-17"}
        records = [
            submit(owner, with_problem({"7.1": "in_progress"}, **days, uscc=uscc(n), org_name=f"第{n}家电缆厂"))
            for n in range(ROUNDS + IN_TURN)
        ]
    owner, city, province = sign_in("county_inspector"), sign_in("city_reviewer"), sign_in("province_user")
    won = Counter[str]()
    for number, record in enumerate(records):
        raced = number < ROUNDS
        path = f"/inspections/{record['id']}"
        wanted = with_problem({"7.1": "in_progress"}, **days, uscc=uscc(100 + number), org_name=f"新{number}家电缆厂")
        asked = owner.post(f"{path}/correction-requests", {**wanted, "version": 1, "reason": "填错"})
        assert asked.status_code == 201, asked.get_data(as_text=True)
        request = f"/correction-requests/{asked.json['id']}"
        calls = [
            post(city, f"{request}/approve", {}),
            post(province, f"{request}/reject", {"opinion": "理由不足"}),
            post(province, f"{path}/void", {"reason": "重复录入", "version": 1}),
            put(owner, f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
            post(owner, f"{path}/correction-requests", {**wanted, "remark": "再补充", "version": 1, "reason": "填错"}),
        ]
        turn = number % len(calls)
        ordered = calls[turn:] + calls[:turn]
        answers = at_once(ordered) if raced else [at_once([call])[0] for call in ordered]
        approved, rejected, voided, disposed, renewed = answers[len(calls) - turn :] + answers[: len(calls) - turn]
        assert {status for status, _ in answers} <= {200, 201, 409}, answers
        assert refusals(answers) <= {"stale_version", "wrong_status", "already_open"}
        # The record is changed by one of them, the application decided by one.
        assert [approved[0], voided[0], disposed[0]].count(200) == 1, answers
        shown, decided = read(city, path), read(city, request)["status"]
        assert shown["version"] == 2
        assert (shown["org_name"].startswith("新"), shown["status"]) == (
            approved[0] == 200, "voided" if voided[0] == 200 else "submitted",
        )  # fmt: skip
        assert (decided == "approved") == (approved[0] == 200) and (decided == "rejected") == (rejected[0] == 200)
        if voided[0] == 200 and renewed[0] == 201:
            assert read(owner, f"/correction-requests/{renewed[1]['id']}")["status"] == "withdrawn"
        if not raced:
            won[next(name for name, (status, _) in zip(("approve", "void", "dispose"), (approved, voided, disposed),
                                                       strict=True) if status == 200)] += 1  # fmt: skip
    # Who wins a race is the machine's affair; one after another, each call comes first once and each way is met.
    assert won == {"approve": 1, "void": 3, "dispose": 1}
    with database.write() as session:
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
        assert list(history.verify(session)) == [] and list(integrity.verify(session)) == []


def test_of_applications_for_one_record_sent_at_once_one_is_pending(
    sign_in: SignIn, at_once: AtOnce, database: Database
) -> None:
    with time_machine.travel("2026-11-18T10:00:00+08:00", tick=True):
        body = production(check_date="2026-11-17")
        record = submit(sign_in("county_inspector"), body)
    owner, path = sign_in("county_inspector"), f"/inspections/{record['id']}/correction-requests"
    for number in range(5):
        sent = [{**body, "remark": f"{number}-{place}", "version": 1, "reason": "填错"} for place in range(4)]
        answers = at_once([post(owner, path, one) for one in [*sent, sent[0]]])
        assert {status for status, _ in answers} <= {200, 201}, answers
        assert statuses(answers)[201] == 4
        assert read(owner, "/correction-requests?status=pending")["total"] == 1
    (todo,) = read(sign_in("city_reviewer"), "/todos")["items"]
    assert todo["kind"] == "correction_requested"
