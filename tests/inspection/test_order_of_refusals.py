"""The order in which a write is refused (HTTP contract §1): not seen, repeated, submitted, stale, faulty.

One test for each pair that follows each other, so that no two of them can change places.
"""

from uuid import UUID

import pytest
from sqlalchemy import update

from accounts import offices
from accounts.models import Region, User
from core.db import Database
from tests.people import Person, faults, new_id, production, with_problem
from tests.records import problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def transfer(database: Database, username: str, region_code: str) -> None:
    """Move a user to the bureau of another region."""
    with database.write() as session:
        office_id = offices.bureau_of(session, session.get_one(Region, region_code))
        session.execute(update(User).where(User.username == username).values(office_id=office_id))


def test_what_may_not_be_seen_is_not_found_before_it_is_a_repetition(
    county_inspector: Person, database: Database
) -> None:
    record = new_id()
    submit(county_inspector, with_problem({"7.1": "in_progress"}), record)
    moved = {"disposals": {"7.1": "done"}, "version": 1}
    assert county_inspector.put(f"/inspections/{record}/disposals", moved).status_code == 200
    transfer(database, "county_inspector", "320404")
    for path, body in (("submission", with_problem({"7.1": "in_progress"})), ("disposals", moved)):
        assert problem(county_inspector.put(f"/inspections/{record}/{path}", body)) == (404, "not_found")


def test_a_deleted_draft_is_not_found_before_its_saving_is_a_repetition(county_inspector: Person) -> None:
    record = save(county_inspector, production())["id"]
    county_inspector.delete(f"/inspections/{record}")
    assert problem(county_inspector.put(f"/inspections/{record}", production())) == (404, "not_found")


def test_a_foreign_record_is_not_found_before_it_is_already_submitted(
    county_inspector: Person, neighbour_inspector: Person
) -> None:
    record = submit(county_inspector)["id"]
    for path in (f"/inspections/{record}", f"/inspections/{record}/submission"):
        assert problem(neighbour_inspector.put(path, production(version=9))) == (404, "not_found")


def test_a_repetition_is_recognised_before_the_record_is_already_submitted(county_inspector: Person) -> None:
    record = save(county_inspector, production())["id"]
    shown = submit(county_inspector, production(version=1), record)
    repeated = county_inspector.put(f"/inspections/{record}", production())
    assert (repeated.status_code, repeated.json) == (200, shown)
    other = county_inspector.put(f"/inspections/{record}", production(remark="x"))
    assert problem(other) == (409, "already_submitted")


def test_already_submitted_is_said_before_stale(county_inspector: Person) -> None:
    record = submit(county_inspector)["id"]
    for path in (f"/inspections/{record}", f"/inspections/{record}/submission"):
        for version in (None, 7):
            answer = county_inspector.put(path, production(remark="x", version=version))
            assert problem(answer) == (409, "already_submitted")
            assert answer.json["current_version"] == 1


def test_a_repetition_is_recognised_before_it_is_stale(county_inspector: Person) -> None:
    record = new_id()
    save(county_inspector, production(), record)
    shown = save(county_inspector, production(version=1, remark="x"), record)
    repeated = county_inspector.put(f"/inspections/{record}", production())
    assert (repeated.status_code, repeated.json) == (200, shown)


def test_stale_is_said_before_faulty(county_inspector: Person) -> None:
    record = save(county_inspector)["id"]
    faulty = production(uscc="9", product_code="99", answers={"9.9": "yes"})
    for path in (f"/inspections/{record}", f"/inspections/{record}/submission"):
        answer = county_inspector.put(path, {**faulty, "version": 7})
        assert problem(answer) == (409, "stale_version")
        assert faults(county_inspector.put(path, {**faulty, "version": 1}))


def test_a_stale_move_of_disposals_is_said_before_a_faulty_one(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))["id"]
    path = f"/inspections/{record}/disposals"
    answer = county_inspector.put(path, {"disposals": {"9.9": "x"}, "version": 7})
    assert problem(answer) == (409, "stale_version")


def test_a_stale_correction_is_said_before_a_faulty_one(county_inspector: Person) -> None:
    record = submit(county_inspector)["id"]
    path = f"/inspections/{record}/correction"
    answer = county_inspector.put(path, {**production(uscc="9"), "version": 7})
    assert problem(answer) == (409, "stale_version")


def test_a_correction_nobody_may_make_is_forbidden_before_it_is_stale(
    county_inspector: Person, county_colleague: Person
) -> None:
    record = submit(county_inspector)["id"]
    answer = county_colleague.put(f"/inspections/{record}/correction", production(version=7, reason="x"))
    assert problem(answer) == (403, "forbidden")


def test_faulty_is_said_before_duplicate(county_inspector: Person) -> None:
    submit(county_inspector)
    body = production(inspectors=["甲"])
    assert faults(county_inspector.put(f"/inspections/{new_id()}/submission", body)) == {"/inspectors": "too_few"}


def test_a_refused_write_is_no_repetition_of_anything(county_inspector: Person) -> None:
    """A write that failed is validated anew when it is sent again: here the item exists the second time."""
    record, item = new_id(), new_id()
    body = production(products=[item])
    assert faults(county_inspector.put(f"/inspections/{record}/submission", body))
    county_inspector.put(f"/products/06/items/{item}", {"name": "超导电缆", "regulation_type": "licence"})
    assert county_inspector.put(f"/inspections/{record}/submission", body).status_code == 201
    assert UUID(read(county_inspector, f"/inspections/{record}")["id"]) == UUID(record)
