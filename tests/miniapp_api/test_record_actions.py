"""What a reader is offered on the page of a record (`/actions`) is what the calls would accept, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask

from accounts.verbs import Role
from core.db import Database
from tests import parties as both
from tests.newcomers import make_user
from tests.parties import WORKS, Parties
from tests.people import Person, SignIn, production, spot_check, uscc, with_problem
from tests.records import Json, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

A_DAY_LATER = timedelta(hours=24, seconds=1)


def offered(person: Person, record: Json, noun: str = "inspections") -> list[str]:
    return list(read(person, f"/{noun}/{record['id']}/actions")["actions"])


def test_the_owner_disposes_corrects_and_voids_on_the_first_day(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    assert offered(county_inspector, record) == ["dispose", "correct", "void"]


def test_nothing_is_left_to_dispose_when_all_is_done(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "done"}))
    assert "dispose" not in offered(county_inspector, record)


def test_a_day_later_the_owner_can_only_apply(county_inspector: Person, sign_in: SignIn, clock: Any) -> None:
    record = submit(county_inspector)
    clock.shift(A_DAY_LATER)
    owner = sign_in("county_inspector")
    assert offered(owner, record) == ["ask_correction"]
    sent = {**production(remark="补充"), "version": 1, "reason": "漏填"}
    assert problem(owner.put(f"/inspections/{record['id']}/correction", sent)) == (403, "forbidden")
    asked = owner.post(f"/inspections/{record['id']}/correction-requests", sent)
    assert asked.status_code == 201


def test_who_decides_is_told_of_the_application_and_cannot_return_meanwhile(
    county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector)
    clock.shift(A_DAY_LATER)
    owner, superior = sign_in("county_inspector"), sign_in("city_reviewer")
    sent = {**production(remark="补充"), "version": 1, "reason": "漏填"}
    asked = owner.post(f"/inspections/{record['id']}/correction-requests", sent).json
    shown = read(superior, f"/inspections/{record['id']}/actions")
    assert shown == {"actions": ["correct", "void"], "pending_request": asked["id"]}
    refused = superior.post(f"/inspections/{record['id']}/return", {"opinion": "有误"})
    assert problem(refused) == (409, "already_open")


def test_a_colleague_disposes_and_reads_of_no_application(
    county_inspector: Person, county_colleague: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    assert offered(county_colleague, record) == ["dispose"]
    clock.shift(A_DAY_LATER)
    sent = {**with_problem({"7.1": "in_progress"}), "remark": "补充", "version": 1, "reason": "漏填"}
    assert sign_in("county_inspector").post(f"/inspections/{record['id']}/correction-requests", sent).status_code == 201
    seen = read(sign_in("county_colleague"), f"/inspections/{record['id']}/actions")
    assert seen == {"actions": ["dispose"], "pending_request": None}


def test_a_superior_corrects_returns_and_voids(county_inspector: Person, city_reviewer: Person) -> None:
    for noun, body in (("inspections", production()), ("spot-checks", spot_check())):
        record = submit(county_inspector, body, noun=noun)
        assert offered(city_reviewer, record, noun) == ["correct", "return", "void"]


def test_a_returned_record_is_corrected_directly_by_its_owner(
    county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector)
    clock.shift(A_DAY_LATER)
    sign_in("city_reviewer").post(f"/inspections/{record['id']}/return", {"opinion": "名称有误"})
    assert offered(sign_in("county_inspector"), record) == ["correct"]


def test_nothing_is_offered_on_drafts_and_voided_records(county_inspector: Person) -> None:
    draft, voided = save(county_inspector), submit(county_inspector)
    county_inspector.post(f"/inspections/{voided['id']}/void", {"reason": "重复", "version": 1})
    assert (offered(county_inspector, draft), offered(county_inspector, voided)) == ([], [])


def test_a_record_with_an_open_rectification_is_not_voided(
    application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person
) -> None:
    parties: Parties = both.prepare(application, sign_in)
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, uscc=WORKS, org_name="常州某某电缆有限公司"))
    order = {"problem": "台账缺失", "due_on": "2026-12-31"}
    assert parties.reviewer.post(f"/inspections/{record['id']}/rectification", order).status_code == 201
    assert "void" not in offered(county_inspector, record)


def test_a_stranger_is_told_nothing(county_inspector: Person, neighbour_inspector: Person) -> None:
    answer = neighbour_inspector.get(f"/inspections/{submit(county_inspector)['id']}/actions")
    assert problem(answer) == (404, "not_found")


def test_who_inspects_and_reviews_filings_orders_a_rectification_from_a_check_that_found_a_problem(
    application: APIFlask, database: Database, sign_in: SignIn
) -> None:
    both.prepare(application, sign_in)
    make_user(database, "320402", "inspects_and_reviews", Role.INSPECTOR, Role.LICENCE_REVIEWER)
    officer = sign_in("inspects_and_reviews")
    answers = with_problem({"7.1": "done"}) | {"uscc": WORKS, "org_name": "常州某某电缆有限公司"}
    record = submit(officer, answers)
    assert "rectify" in offered(officer, record)
    order = {"problem": "出厂检验记录不全", "due_on": "2026-12-20"}
    assert officer.post(f"/inspections/{record['id']}/rectification", order).status_code == 201
    # Without the verb of filings, without a problem, or without the enterprise in the register there is no button.
    assert "rectify" not in offered(sign_in("county_inspector"), record)
    nothing_found = submit(officer, production(uscc=WORKS, org_name="常州某某电缆有限公司", check_date="2026-11-19"))
    assert "rectify" not in offered(officer, nothing_found)
    unknown = submit(officer, with_problem({"7.1": "done"}) | {"uscc": uscc(987), "org_name": "不在名录的厂"})
    assert "rectify" not in offered(officer, unknown)
