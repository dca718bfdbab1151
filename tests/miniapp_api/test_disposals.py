"""Disposals (处置): from 办理中 to 是, by everyone whose office covers the record; 是 is final."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from inspection.statistics.models import EnterpriseTally
from tests.people import ALL_NA, Person, faults, new_id, production, sales, spot_check, with_problem
from tests.records import Json, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def in_progress(person: Person, *numbers: str) -> Json:
    """A submitted check with these disposals 办理中."""
    return submit(person, with_problem(dict.fromkeys(numbers or ("7.1",), "in_progress")))


def move(person: Person, record: Json, version: int | None = None, reason: str | None = None, **disposals: str) -> Any:
    """Move disposals; `d71="done"` means 7.1."""
    named = {f"{name[1]}.{name[2]}": value for name, value in disposals.items()}
    body: Json = {"disposals": named, "version": version or record["version"]}
    return person.put(f"/inspections/{record['id']}/disposals", body if reason is None else {**body, "reason": reason})


def todos(person: Person) -> list[tuple[str, str]]:
    return [(todo["kind"], todo["link"]) for todo in read(person, "/todos")["items"]]


def test_in_progress_becomes_done(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    answer = move(county_inspector, record, d71="done")
    assert answer.status_code == 200
    assert answer.json["disposals"] == {**ALL_NA, "7.1": "done"}
    assert (answer.json["disposal_state"], answer.json["version"]) == ("done", 2)
    assert read(county_inspector, f"/inspections/{record['id']}") == answer.json


def test_only_what_changes_needs_to_be_sent(county_inspector: Person) -> None:
    record = in_progress(county_inspector, "7.1", "7.2")
    answer = move(county_inspector, record, d71="done", d72="in_progress", d73="na")
    assert answer.json["disposals"] == {**ALL_NA, "7.1": "done", "7.2": "in_progress"}
    assert answer.json["disposal_state"] == "in_progress"


def test_done_never_goes_back(county_inspector: Person) -> None:
    record = in_progress(county_inspector, "7.1", "7.2")
    move(county_inspector, record, d71="done")
    for value in ("in_progress", "na"):
        assert faults(move(county_inspector, record, 2, "弄错了", d71=value)) == {"/disposals/7.1": "disposal_final"}
    shown = read(county_inspector, f"/inspections/{record['id']}")
    assert (shown["disposals"]["7.1"], shown["version"]) == ("done", 2)


def test_in_progress_becomes_not_applicable_only_with_a_reason(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    assert faults(move(county_inspector, record, d71="na")) == {"/reason": "required"}
    assert faults(move(county_inspector, record, reason="  ", d71="na")) == {"/reason": "required"}
    assert move(county_inspector, record, reason="企业已注销", d71="na").json["disposal_state"] == "na"


def test_not_applicable_is_changed_by_correction_only(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    assert faults(move(county_inspector, record, d72="done")) == {"/disposals/7.2": "disposal_not_in_progress"}


def test_disposals_the_form_does_not_have_are_refused(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    assert faults(move(county_inspector, record, d99="done", d71="finished")) == {
        "/disposals/9.9": "unknown_item", "/disposals/7.1": "unknown_option",
    }  # fmt: skip


def test_a_body_of_the_wrong_shape_is_refused(county_inspector: Person) -> None:
    path = f"/inspections/{in_progress(county_inspector)['id']}/disposals"
    assert faults(county_inspector.put(path, {})) == {"/disposals": "required", "/version": "required"}
    assert faults(county_inspector.put(path, {"disposals": {}, "version": 1})) == {"/disposals": "required"}
    assert faults(county_inspector.put(path, {"disposals": ["7.1"], "version": "1"})) == {
        "/disposals": "wrong_type", "/version": "wrong_type",
    }  # fmt: skip
    assert faults(county_inspector.put(path, {"disposals": {"7.1": "done"}, "version": 1, "x": 1})) == {
        "/x": "unknown_field"
    }
    assert county_inspector.put(path, {"disposals": {"7.1": None}, "version": 1}).status_code == 422
    assert county_inspector.put(path, {"disposals": {"7.1": {"a": []}}, "version": 1}).status_code == 422


def test_a_stale_version_is_refused(county_inspector: Person) -> None:
    record = in_progress(county_inspector, "7.1", "7.2")
    move(county_inspector, record, d71="done")
    answer = move(county_inspector, record, 1, d72="done")
    assert problem(answer) == (409, "stale_version")
    assert answer.json["current_version"] == 2


def test_a_draft_has_no_disposals_to_move(county_inspector: Person) -> None:
    answer = move(county_inspector, save(county_inspector, with_problem({"7.1": "in_progress"})), d71="done")
    assert problem(answer) == (409, "wrong_status")
    assert answer.json["current_status"] == "draft"


def test_a_spot_check_has_no_disposals(county_inspector: Person) -> None:
    record = submit(county_inspector, spot_check(), noun="spot-checks")
    assert move(county_inspector, record, d71="done").status_code == 404
    body = {"disposals": {"7.1": "done"}, "version": 1}
    assert county_inspector.put(f"/spot-checks/{record['id']}/disposals", body).status_code == 404


def test_a_colleague_and_every_superior_may_move_them(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, province_user: Person
) -> None:
    record = in_progress(county_inspector, "7.1", "7.2", "7.3")
    assert move(county_colleague, record, 1, d71="done").status_code == 200
    assert move(city_reviewer, record, 2, d72="done").status_code == 200
    assert move(province_user, record, 3, d73="done").json["disposal_state"] == "done"


def test_neither_a_neighbour_nor_another_city_may(
    county_inspector: Person, neighbour_inspector: Person, other_city_user: Person
) -> None:
    record = in_progress(county_inspector)
    for stranger in (neighbour_inspector, other_city_user):
        assert problem(move(stranger, record, d71="done")) == (404, "not_found")
    assert read(county_inspector, f"/inspections/{record['id']}")["version"] == 1


def test_a_county_may_not_move_those_of_its_city(county_inspector: Person, city_reviewer: Person) -> None:
    assert problem(move(county_inspector, in_progress(city_reviewer), d71="done")) == (404, "not_found")


def test_the_disposals_of_a_sales_check_move_too(county_inspector: Person) -> None:
    body = sales(answers={"3.1": "yes"}, disposals={"4.1": "done", "4.2": "in_progress"})
    record = submit(county_inspector, body)
    assert move(county_inspector, record, d42="done").json["disposals"] == {"4.1": "done", "4.2": "done"}


def test_a_move_that_changes_nothing_makes_no_new_version(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    answer = move(county_inspector, record, d71="in_progress")
    assert (answer.status_code, answer.json["version"]) == (200, 1)
    assert read(county_inspector, f"/inspections/{record['id']}/history")["total"] == 1


def test_a_move_of_an_unknown_record_is_not_found(county_inspector: Person) -> None:
    assert move(county_inspector, {"id": new_id(), "version": 1}, d71="done").status_code == 404


def test_a_todo_stands_open_until_no_disposal_is_in_progress(
    county_inspector: Person, county_colleague: Person
) -> None:
    record = in_progress(county_inspector, "7.1", "7.2")
    expected = [("disposal_in_progress", f"/inspections/{record['id']}")]
    assert todos(county_inspector) == expected
    assert todos(county_colleague) == expected
    move(county_inspector, record, 1, d71="done")
    assert todos(county_inspector) == expected
    move(county_colleague, record, 2, d72="done")
    assert todos(county_inspector) == todos(county_colleague) == []


def test_todos_stay_with_the_office_that_handles_the_record(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    in_progress(county_inspector)
    assert todos(neighbour_inspector) == todos(city_reviewer) == []


def test_a_check_without_open_disposals_gives_no_todo(county_inspector: Person) -> None:
    submit(county_inspector, production())
    submit(county_inspector, with_problem({"7.1": "done"}, confirm_duplicate=True))
    assert todos(county_inspector) == []


def test_the_history_tells_who_moved_what_and_why(county_inspector: Person, city_reviewer: Person, clock: Any) -> None:
    record = in_progress(county_inspector)
    clock.shift(timedelta(minutes=5))
    move(city_reviewer, record, reason="企业已注销", d71="na")
    rows = read(county_inspector, f"/inspections/{record['id']}/history")["items"]
    assert [(row["action"], row["from"], row["to"], row["version"]) for row in rows] == [
        ("submit", None, "submitted", 1), ("dispose", "submitted", "submitted", 2),
    ]  # fmt: skip
    assert (rows[1]["actor"], rows[1]["office"]) == ("city_reviewer", "常州市市场监督管理局")
    assert (rows[1]["disposals"], rows[1]["reason"]) == ({"7.1": ["in_progress", "na"]}, "企业已注销")
    assert rows[1]["at"] == "2026-11-21T02:05:00Z"


def test_the_tally_of_the_enterprise_follows(county_inspector: Person, database: Database) -> None:
    def counted() -> tuple[int, int]:
        with database.read() as session:
            tally = session.scalars(select(EnterpriseTally)).one()
            return tally.disposal_in_progress, tally.disposal_done

    record = in_progress(county_inspector, "7.1", "7.2")
    assert counted() == (1, 0)
    move(county_inspector, record, 1, d71="done")
    assert counted() == (1, 0)
    move(county_inspector, record, 2, d72="done")
    assert counted() == (0, 1)


def test_the_list_filters_by_the_state_of_disposal(county_inspector: Person) -> None:
    record = in_progress(county_inspector)
    assert listed(county_inspector, "disposal=in_progress") == [record["id"]]
    move(county_inspector, record, d71="done")
    assert listed(county_inspector, "disposal=in_progress") == []
    assert listed(county_inspector, "disposal=done") == [record["id"]]
