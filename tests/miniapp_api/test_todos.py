"""To-dos (待办) over HTTP: who is told of what, and until when."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.db import Database
from core.workflows.todos import open_for_office
from tests.newcomers import COUNTY_BELOW_A_MUNICIPALITY, apply, make_user
from tests.people import Person, SignIn, faults, sales, with_problem
from tests.records import actor_of, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def todos(person: Person) -> list[dict[str, Any]]:
    return list(read(person, "/todos")["items"])


def test_a_county_application_is_a_to_do_of_its_city_and_province_until_one_of_them_decides(
    client: FlaskClient, city_reviewer: Person, province_user: Person, other_city_user: Person, county_inspector: Person
) -> None:
    made = apply(client)
    for person in (city_reviewer, province_user):
        (todo,) = todos(person)
        assert todo["kind"] == "account_application_pending" and todo["colour"] == "yellow" and todo["due_on"] is None
        assert todo["link"] == f"/account-applications/{made['id']}"
        assert person.get(todo["link"]).status_code == 200  # the link is one that the reader may follow
        assert "138" not in todo["title"]
    assert todos(other_city_user) == [] and todos(county_inspector) == []
    city_reviewer.post(f"/account-applications/{made['id']}/reject", {"opinion": "不同意"})
    assert todos(city_reviewer) == [] and todos(province_user) == []


def test_to_dos_of_one_kind_are_counted_alone(
    client: FlaskClient, city_reviewer: Person, county_inspector: Person
) -> None:
    apply(client)
    submit(city_reviewer, with_problem({"7.1": "in_progress"}))
    assert {todo["kind"] for todo in todos(city_reviewer)} == {"account_application_pending", "disposal_in_progress"}
    counted = read(city_reviewer, "/todos?kind=account_application_pending&page_size=1")
    assert counted["total"] == 1 and counted["items"][0]["kind"] == "account_application_pending"
    assert read(county_inspector, "/todos?kind=account_application_pending")["total"] == 0
    assert read(city_reviewer, "/todos?kind=unknown")["total"] == 0


def test_a_city_application_is_a_to_do_of_the_province_only(
    client: FlaskClient, city_reviewer: Person, province_user: Person
) -> None:
    apply(client, region_code="320400")
    assert len(todos(province_user)) == 1 and todos(city_reviewer) == []


def test_a_district_of_a_municipality_is_a_to_do_of_the_municipality_only(
    client: FlaskClient, database: Database, sign_in: SignIn
) -> None:
    make_user(database, "500000", "chongqing")
    make_user(database, "500152", "tongnan")
    apply(client, region_code=COUNTY_BELOW_A_MUNICIPALITY)
    assert len(todos(sign_in("chongqing"))) == 1 and todos(sign_in("tongnan")) == []


def test_a_disposal_in_progress_is_a_to_do_of_the_whole_office_until_it_is_done(
    county_inspector: Person, county_colleague: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress", "7.2": "in_progress"}))
    path = f"/inspections/{record['id']}"
    for person in (county_inspector, county_colleague):
        (todo,) = todos(person)
        assert todo["kind"] == "disposal_in_progress" and todo["link"] == path
        assert person.get(todo["link"]).status_code == 200
    assert todos(neighbour_inspector) == [] and todos(city_reviewer) == []
    county_colleague.put(f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1})
    assert len(todos(county_inspector)) == 1
    county_inspector.put(f"{path}/disposals", {"disposals": {"7.2": "done"}, "version": 2})
    assert todos(county_inspector) == [] and todos(county_colleague) == []


def test_an_enterprise_that_refused_the_check_comes_first(county_inspector: Person) -> None:
    submit(county_inspector, sales(unable=True, unable_reason="refused", org_name="拒绝检查的店"))
    submit(county_inspector, with_problem({"7.1": "in_progress"}))
    listed = todos(county_inspector)
    assert [todo["kind"] for todo in listed] == ["inspection_refused", "disposal_in_progress"]
    assert listed[0]["urgent"] is True


def test_a_draft_and_a_check_without_open_disposals_are_no_to_dos(county_inspector: Person) -> None:
    save(county_inspector, with_problem({"7.1": "in_progress"}))
    submit(county_inspector, with_problem({"7.1": "done"}))
    assert todos(county_inspector) == []


def test_more_to_dos_than_a_page_holds_are_paged_and_counted(county_inspector: Person, database: Database) -> None:
    office_id = actor_of(database, county_inspector).office_id
    with database.write() as session:
        for number in range(25):
            open_for_office(
                session, "disposal_in_progress", f"待办{number}", ("inspection", uuid4()),
                verb="inspection.write", office_id=office_id,
            )  # fmt: skip
    pages = [read(county_inspector, f"/todos?page={page}&page_size=10") for page in (1, 2, 3, 4)]
    assert [len(page["items"]) for page in pages] == [10, 10, 5, 0]
    assert {todo["title"] for page in pages for todo in page["items"]} == {f"待办{number}" for number in range(25)}
    for number, page in enumerate(pages, 1):
        told = (page["page"], page["page_size"], page["total"], page["total_is_exact"])
        assert told == (number, 10, 25, True)
    assert len(todos(county_inspector)) == 20
    assert "/page_size" in faults(county_inspector.get("/todos?page_size=101"))
