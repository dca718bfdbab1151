"""A lost answer can be asked for again: the record as it is now, and nothing applied a second time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.models import HistoryEntry, Todo
from inspection.models import Inspection, InspectionVersion
from inspection.statistics import tallies
from tests.people import Person, SignIn, new_id, production, spot_check, with_problem
from tests.records import Json, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def footprint(database: Database) -> dict[str, int]:
    """How much is stored; a repetition must leave it as it was."""
    with database.write() as session:
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Inspection, InspectionVersion, HistoryEntry, Todo)
        }


def ask_again(person: Person, database: Database, path: str, body: Json) -> None:
    """Send a write again, three times, and see that it is answered with the record as it is now."""
    shown, before = read(person, path.rsplit("/", 1)[0] if path.count("/") > 2 else path), footprint(database)
    for _ in range(3):
        answer = person.put(path, body)
        assert (answer.status_code, answer.json) == (200, shown)
    assert footprint(database) == before


def test_the_first_saving_repeated_after_the_second(county_inspector: Person, database: Database, clock: Any) -> None:
    path = f"/inspections/{new_id()}"
    assert county_inspector.put(path, production()).status_code == 201
    clock.shift(timedelta(minutes=1))
    assert county_inspector.put(path, production(version=1, remark="第二次")).json["version"] == 2
    ask_again(county_inspector, database, path, production())
    ask_again(county_inspector, database, path, production(version=1, remark="第二次"))


def test_a_submission_repeated_after_a_disposal_was_moved(
    county_inspector: Person, city_reviewer: Person, database: Database
) -> None:
    record, body = new_id(), with_problem({"7.1": "in_progress"})
    path = f"/inspections/{record}"
    submit(county_inspector, body, record)
    city_reviewer.put(f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1})
    ask_again(county_inspector, database, f"{path}/submission", body)
    assert read(county_inspector, path)["disposals"]["7.1"] == "done"
    assert read(county_inspector, "/todos")["items"] == []


def test_a_disposal_repeated_after_another_one(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress", "7.2": "in_progress"}))
    path = f"/inspections/{record['id']}/disposals"
    first = {"disposals": {"7.1": "done"}, "version": 1}
    county_inspector.put(path, first)
    county_inspector.put(path, {"disposals": {"7.2": "done"}, "version": 2})
    ask_again(county_inspector, database, path, first)


def test_a_correction_repeated_after_another_one(
    county_inspector: Person, sign_in: SignIn, database: Database, clock: Any
) -> None:
    record = submit(county_inspector)
    path = f"/inspections/{record['id']}/correction"
    first = {**production(remark="一"), "version": 1, "reason": "一"}
    county_inspector.put(path, first)
    county_inspector.put(path, {**production(remark="二"), "version": 2, "reason": "二"})
    ask_again(county_inspector, database, path, first)
    clock.shift(timedelta(days=3))  # past the day in which the owner may correct
    ask_again(sign_in("county_inspector"), database, path, first)


def test_a_submission_repeated_after_a_correction(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    path = f"/inspections/{record['id']}"
    county_inspector.put(f"{path}/correction", {**production(remark="一"), "version": 1, "reason": "一"})
    ask_again(county_inspector, database, f"{path}/submission", production())


def test_a_saving_repeated_after_the_submission(county_inspector: Person, database: Database) -> None:
    path = f"/inspections/{save(county_inspector, production())['id']}"
    county_inspector.put(f"{path}/submission", production(version=1))
    ask_again(county_inspector, database, path, production())
    ask_again(county_inspector, database, f"{path}/submission", production(version=1))


def test_a_spot_check_repeated_does_not_collide_with_its_own_sheet_number(
    county_inspector: Person, database: Database
) -> None:
    record = submit(county_inspector, spot_check(), noun="spot-checks")
    ask_again(county_inspector, database, f"/spot-checks/{record['id']}/submission", spot_check())


def test_the_same_text_with_a_newer_version_is_a_new_write(county_inspector: Person) -> None:
    path = f"/inspections/{save(county_inspector, production(remark='一'))['id']}"
    county_inspector.put(path, production(remark="二", version=1))
    answer = county_inspector.put(path, production(remark="一", version=2))
    assert (answer.status_code, answer.json["version"], answer.json["remark"]) == (200, 3, "一")


def test_the_order_of_keys_does_not_matter(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    turned = dict(reversed(production().items()))
    turned["answers"] = dict(reversed(turned["answers"].items()))
    ask_again(county_inspector, database, f"/inspections/{record['id']}/submission", turned)


def test_confirming_a_duplicate_is_no_part_of_the_repetition(county_inspector: Person, database: Database) -> None:
    submit(county_inspector)
    path = f"/inspections/{new_id()}/submission"
    assert problem(county_inspector.put(path, production())) == (409, "duplicate_check")
    assert county_inspector.put(path, production(confirm_duplicate=True)).status_code == 201
    ask_again(county_inspector, database, path, production())
    ask_again(county_inspector, database, path, production(confirm_duplicate=True))
    assert len(listed(county_inspector)) == 2


def test_the_same_body_of_another_user_is_no_repetition(county_inspector: Person, county_colleague: Person) -> None:
    record = submit(county_inspector)
    answer = county_colleague.put(f"/inspections/{record['id']}/submission", production())
    assert problem(answer) == (409, "already_submitted")


def test_the_same_user_on_another_phone_repeats(sign_in: SignIn, database: Database) -> None:
    record = submit(sign_in("county_inspector"))
    ask_again(sign_in("county_inspector"), database, f"/inspections/{record['id']}/submission", production())


def test_the_same_body_under_another_id_is_another_record(county_inspector: Person) -> None:
    first, second = save(county_inspector, production()), save(county_inspector, production())
    assert first["id"] != second["id"]
    assert len(listed(county_inspector, "status=draft")) == 2
