"""Many at the same moment, with real threads against the WSGI application."""

from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import func, select

from core.db import Database
from inspection.dictionaries.models import DictionaryEntry
from inspection.models import InspectionVersion
from inspection.statistics.models import TallyBigram
from tests.concurrency import AtOnce, Call, everything_holds, put, refusals, statuses
from tests.people import Person, SignIn, new_id, production, spot_check, uscc, with_problem
from tests.records import listed, read, save, submit
from tests.rounds import rounds

ROUNDS, AT_ONCE = rounds(20, few=3), 8


@pytest.fixture(autouse=True)
def _a_clock_that_runs() -> Iterator[None]:
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=True):
        yield


@pytest.mark.rounds
def test_identical_first_submissions_make_one_record_and_equal_answers(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        body = with_problem({"7.1": "in_progress"}, uscc=uscc(number), contact_tel="13800000001")
        path = f"/inspections/{new_id()}/submission"
        answers = at_once([put(county_inspector, path, body)] * AT_ONCE)
        assert statuses(answers) == {201: 1, 200: AT_ONCE - 1}
        assert all(answer == answers[0][1] for _, answer in answers)
    everything_holds(database, ROUNDS, ROUNDS)
    assert read(county_inspector, "/todos")["total"] == ROUNDS


@pytest.mark.rounds
def test_of_different_first_submissions_exactly_one_content_wins(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        record = new_id()
        bodies = [
            with_problem({"7.1": "in_progress"}, uscc=uscc(AT_ONCE * number + place), org_name=f"第{place}家电缆厂")
            for place in range(AT_ONCE)
        ]
        answers = at_once([put(county_inspector, f"/inspections/{record}/submission", body) for body in bodies])
        assert statuses(answers) == {201: 1, 409: AT_ONCE - 1}
        assert refusals(answers) == {"already_submitted"}
        winner = next(place for place, (status, _) in enumerate(answers) if status == 201)
        stored = read(county_inspector, f"/inspections/{record}")
        assert stored == answers[winner][1]
        assert (stored["uscc"], stored["version"]) == (bodies[winner]["uscc"], 1)
    everything_holds(database, ROUNDS, ROUNDS)


@pytest.mark.rounds
def test_of_checks_of_one_enterprise_and_day_sent_at_once_all_but_the_first_are_warned_of(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        bodies = [production(uscc=uscc(number), remark=f"第{n}份") for n in range(4)]
        answers = at_once([put(county_inspector, f"/inspections/{new_id()}/submission", body) for body in bodies])
        assert statuses(answers) == {201: 1, 409: 3}
        assert refusals(answers) == {"duplicate_check"}
        [stored] = [body["id"] for status, body in answers if status == 201]
        assert all(body["duplicates"] == [stored] for status, body in answers if status == 409)
    everything_holds(database, ROUNDS, ROUNDS)


@pytest.mark.rounds
def test_a_draft_that_is_deleted_while_it_is_submitted_ends_as_one_of_the_two(
    county_inspector: Person, at_once: AtOnce
) -> None:
    for number in range(ROUNDS):
        path = f"/inspections/{save(county_inspector, production(uscc=uscc(number)))['id']}"
        deletion: Call = (county_inspector, "DELETE", path, None)
        answers = at_once(
            [deletion, put(county_inspector, f"{path}/submission", production(version=1, uscc=uscc(number)))]
        )
        assert sorted(status for status, _ in answers) in ([200, 404], [200, 409])
        assert refusals(answers) <= {"already_submitted", "not_found"}


@pytest.mark.rounds
def test_identical_draft_saves_make_one_draft_and_equal_answers(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        path = f"/inspections/{new_id()}"
        answers = at_once([put(county_inspector, path, production(remark=str(number)))] * AT_ONCE)
        assert statuses(answers) == {201: 1, 200: AT_ONCE - 1}
        assert all(answer == answers[0][1] for _, answer in answers)
        again = at_once([put(county_inspector, path, production(remark="第二次", version=1))] * AT_ONCE)
        assert statuses(again) == {200: AT_ONCE}
        assert all(answer == again[0][1] and answer["version"] == 2 for _, answer in again)
    everything_holds(database, ROUNDS, 2 * ROUNDS)


def test_of_different_draft_saves_one_wins_and_the_others_are_stale(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for _ in range(5):
        draft = save(county_inspector)
        calls = [put(county_inspector, f"/inspections/{draft['id']}", production(version=1, remark=str(place)))
                 for place in range(AT_ONCE)]  # fmt: skip
        answers = at_once(calls)
        assert statuses(answers) == {200: 1, 409: AT_ONCE - 1}
        assert refusals(answers) == {"stale_version"}
    everything_holds(database, 5, 10)


def test_of_different_submissions_of_one_draft_one_wins_and_the_others_learn_that_it_is_submitted(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(5):
        path = f"/inspections/{save(county_inspector, production(uscc=uscc(number)))['id']}/submission"
        body = production(version=1, uscc=uscc(number))
        answers = at_once([put(county_inspector, path, {**body, "remark": f"{one}"}) for one in range(AT_ONCE)])
        assert statuses(answers) == {200: 1, 409: AT_ONCE - 1}
        assert refusals(answers) == {"already_submitted"}
    everything_holds(database, 5, 10)


def test_a_draft_saved_and_submitted_at_once_ends_submitted(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(5):
        path = f"/inspections/{save(county_inspector, production(uscc=uscc(number)))['id']}"
        body = production(version=1, uscc=uscc(number))
        answers = at_once(
            [put(county_inspector, path, {**body, "remark": "x"}), put(county_inspector, f"{path}/submission", body)]
        )
        assert statuses(answers) == {200: 1, 409: 1}
        assert refusals(answers) <= {"already_submitted", "stale_version"}
    everything_holds(database, 5, 10)


def test_the_same_draft_deleted_by_several_phones_is_answered_alike(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for _ in range(5):
        draft = save(county_inspector)
        answers = at_once([(county_inspector, "DELETE", f"/inspections/{draft['id']}", None)] * AT_ONCE)
        assert answers == [(200, {"id": draft["id"], "status": "deleted"})] * AT_ONCE
    everything_holds(database, 5, 10)


@pytest.mark.rounds
def test_of_two_who_move_disposals_one_wins(
    county_inspector: Person, city_reviewer: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(ROUNDS):
        record = submit(county_inspector, with_problem({"7.1": "in_progress", "7.2": "in_progress"}, uscc=uscc(number)))
        path = f"/inspections/{record['id']}/disposals"
        answers = at_once([
            put(county_inspector, path, {"disposals": {"7.1": "done"}, "version": 1}),
            put(city_reviewer, path, {"disposals": {"7.2": "done"}, "version": 1}),
        ])  # fmt: skip
        assert statuses(answers) == {200: 1, 409: 1}
        assert refusals(answers) == {"stale_version"}
        disposals = read(county_inspector, f"/inspections/{record['id']}")["disposals"]
        assert sorted([disposals["7.1"], disposals["7.2"]]) == ["done", "in_progress"]
    everything_holds(database, ROUNDS, 2 * ROUNDS)


def test_identical_moves_of_disposals_are_applied_once(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(5):
        record = submit(county_inspector, with_problem({"7.1": "in_progress"}, uscc=uscc(number)))
        moved = put(
            county_inspector, f"/inspections/{record['id']}/disposals", {"disposals": {"7.1": "done"}, "version": 1}
        )
        answers = at_once([moved] * AT_ONCE)
        assert statuses(answers) == {200: AT_ONCE}
        assert all(answer == answers[0][1] and answer["version"] == 2 for _, answer in answers)
    everything_holds(database, 5, 10)


def test_of_two_corrections_one_wins(
    county_inspector: Person, city_reviewer: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(5):
        record = submit(county_inspector, production(uscc=uscc(number)))
        path = f"/inspections/{record['id']}/correction"
        body = production(uscc=uscc(100 + number), version=1, reason="x")
        answers = at_once(
            [put(person, path, {**body, "remark": person.username}) for person in (county_inspector, city_reviewer)]
        )
        assert statuses(answers) == {200: 1, 409: 1}
        assert refusals(answers) == {"stale_version"}
    everything_holds(database, 5, 10)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(InspectionVersion)) == 5


def test_of_a_correction_and_a_moved_disposal_one_wins(
    county_inspector: Person, city_reviewer: Person, at_once: AtOnce, database: Database
) -> None:
    for number in range(8):
        found = {"uscc": uscc(number)}
        path = f"/inspections/{submit(county_inspector, with_problem({'7.1': 'in_progress'}, **found))['id']}"
        corrected = with_problem({"7.1": "in_progress"}, **found, remark="更正", version=1, reason="x")
        answers = at_once([
            put(county_inspector, f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
            put(city_reviewer, f"{path}/correction", corrected),
        ])  # fmt: skip
        assert statuses(answers) == {200: 1, 409: 1}, answers
        assert refusals(answers) == {"stale_version"}
    everything_holds(database, 8, 16)


def test_identical_corrections_are_applied_once(county_inspector: Person, at_once: AtOnce, database: Database) -> None:
    record = submit(county_inspector)
    body = {**production(remark="更正"), "version": 1, "reason": "x"}
    answers = at_once([put(county_inspector, f"/inspections/{record['id']}/correction", body)] * AT_ONCE)
    assert statuses(answers) == {200: AT_ONCE}
    assert all(answer == answers[0][1] and answer["version"] == 2 for _, answer in answers)
    everything_holds(database, 1, 2)


def test_records_that_change_places_do_not_block_each_other(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    """Corrections that swap two enterprises write the same two tallies in opposite order."""
    first, second = (submit(county_inspector, production(uscc=uscc(n), org_name=f"第{n}家")) for n in (1, 2))
    version, places = 1, (1, 2)
    for _ in range(8):
        places = places[::-1]
        answers = at_once([
            put(county_inspector, f"/inspections/{record['id']}/correction",
                {**production(uscc=uscc(n), org_name=f"第{n}家"), "version": version, "reason": "填反了",
                 "confirm_duplicate": True})
            for record, n in zip((first, second), places, strict=True)
        ])  # fmt: skip
        assert statuses(answers) == {200: 2}, answers
        version += 1
    everything_holds(database, 2, 18)


def test_checks_of_one_enterprise_at_once_are_all_counted(sign_in: SignIn, at_once: AtOnce, database: Database) -> None:
    people = [sign_in(name) for name in ("county_inspector", "county_colleague")]
    calls = [put(person, f"/inspections/{new_id()}/submission", production(check_date=f"2026-11-{day:02}"))
             for day in range(1, 5) for person in people]  # fmt: skip
    answers = at_once([(p, m, path, {**body, "confirm_duplicate": True}) for p, m, path, body in calls])
    assert statuses(answers) == {201: 8}
    everything_holds(database, 8, 8)
    assert len(listed(people[0], "q=某某电缆")) == 8


def test_one_name_added_under_several_ids_gives_one_entry_and_every_id_is_usable(
    sign_in: SignIn, at_once: AtOnce, database: Database
) -> None:
    people = [sign_in(name) for name in ("county_inspector", "neighbour_inspector")]
    for number in range(5):
        ids = [new_id() for _ in range(AT_ONCE)]
        body = {"name": f"超导电缆{number}", "regulation_type": "licence"}
        answers = at_once([put(people[n % 2], f"/products/06/items/{item}", body) for n, item in enumerate(ids)])
        assert statuses(answers) == {201: 1, 200: AT_ONCE - 1}
        holding = {answer["id"] for _, answer in answers}
        assert len(holding) == 1 and holding < set(ids)
        record = submit(people[0], production(products=ids, uscc=uscc(number)))
        assert record["products"] == list(holding)
    with database.read() as session:
        added = session.scalars(select(DictionaryEntry).where(DictionaryEntry.area1 != "")).all()
        assert len(added) == 5 * AT_ONCE
        assert sum(entry.alias_of is None for entry in added) == 5


def test_the_same_adding_at_once_is_answered_alike(county_inspector: Person, at_once: AtOnce) -> None:
    for name, first in (("超导电缆", 201), ("架空绞线", 200)):  # a new name, and one that exists already
        for _ in range(3):
            path = f"/products/06/items/{new_id()}"
            body = {"name": name, "regulation_type": "licence"}
            answers = at_once([put(county_inspector, path, body)] * AT_ONCE)
            assert set(statuses(answers)) <= {200, first}
            assert all(answer == answers[0][1] for _, answer in answers)


def test_one_sheet_number_used_by_two_of_a_bureau_at_once_is_taken_by_one(
    sign_in: SignIn, at_once: AtOnce, database: Database
) -> None:
    people = [sign_in(name) for name in ("county_inspector", "county_colleague")]
    for number in range(5):
        body = spot_check(sheet_no=f"R-{number}")
        answers = at_once([put(person, f"/spot-checks/{new_id()}/submission", body) for person in people])
        assert statuses(answers) == {201: 1, 422: 1}
        loser = next(answer for status, answer in answers if status == 422)
        assert [(fault["path"], fault["code"]) for fault in loser["errors"]] == [("/sheet_no", "sheet_taken")]
    everything_holds(database, 5, 5)


def test_readers_see_whole_records_while_others_write(
    county_inspector: Person, city_reviewer: Person, at_once: AtOnce
) -> None:
    for number in range(5):
        bodies = [production(uscc=uscc(10 * number + n)) for n in range(4)]
        calls = [put(county_inspector, f"/inspections/{new_id()}/submission", body) for body in bodies]
        paths = ("/inspections", "/statistics/progress", "/inspections?q=电缆", "/todos")
        reads: list[Call] = [(city_reviewer, "GET", path, None) for path in paths]
        answers = at_once(calls + reads)
        assert statuses(answers) == {201: 4, 200: 4}
    assert read(city_reviewer, "/inspections")["total"] == 20


def test_the_names_of_one_enterprise_are_indexed_once(
    county_inspector: Person, at_once: AtOnce, database: Database
) -> None:
    calls = [put(county_inspector, f"/inspections/{new_id()}/submission", production(confirm_duplicate=True))
             for _ in range(AT_ONCE)]  # fmt: skip
    assert statuses(at_once(calls)) == {201: AT_ONCE}
    with database.read() as session:
        pairs = session.scalars(select(TallyBigram.bigram)).all()
    assert sorted(pairs) == sorted(["常州", "州某", "某某", "某电", "电缆", "缆有", "有限", "限公", "公司"])
