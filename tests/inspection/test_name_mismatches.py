"""A finding reaches no wrong enterprise: a name that contradicts the register is a question before submission."""

import csv
from collections.abc import Callable, Iterator

import pytest
from apiflask import APIFlask
from sqlalchemy import update

from core.config import Settings
from core.db import Database
from inspection.models import Inspection
from inspection.statistics import tallies
from tests import parties as both
from tests.command_line import Run, command_line
from tests.parties import FAR_WORKS, OTHER_WORKS, WORKS, Parties
from tests.people import Person, new_id, production, sales, spot_check, uscc, with_problem
from tests.records import Json, problem, read, save, submit
from tests.register import put_enterprises

B = "天宁区乙电线厂"
OF_A = "常州某某电缆有限公司"
CONFIRMED = {"confirm_name": True, "confirm_duplicate": True}

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def shown(enterprise: Person) -> list[str]:
    return [row["id"] for row in enterprise.get("/supervision-checks").json["items"]]


def codes(record: Json) -> list[str]:
    return [one["code"] for one in record["warnings"] if one["code"] != "organisation_code"]


def test_the_code_of_one_enterprise_and_the_name_of_another_are_a_question(
    parties: Parties, county_inspector: Person
) -> None:
    record = new_id()
    answer = county_inspector.put(f"/inspections/{record}/submission", with_problem(uscc=WORKS, org_name=B))
    assert problem(answer) == (409, "name_differs")
    assert answer.json["registered"] == [{"path": "/org_name", "name": OF_A}]
    (fault,) = answer.json["errors"]
    assert (fault["path"], fault["code"]) == ("/org_name", "name_differs")
    assert OF_A in fault["message"] and B not in answer.get_data(as_text=True)
    assert county_inspector.get(f"/inspections/{record}").status_code == 404


def test_what_is_confirmed_is_accepted_and_published_to_nobody(parties: Parties, county_inspector: Person) -> None:
    body = with_problem(uscc=WORKS, org_name=B, confirm_name=True)
    record = submit(county_inspector, body)
    assert (record["name_differs"], record["org_prefilled"], codes(record)) == (
        True, False, ["all_not_applicable", "name_differs"],
    )  # fmt: skip
    assert record["warnings"][-1]["path"] == "/org_name"
    assert shown(parties.enterprise) == shown(parties.other_enterprise) == []
    assert read(county_inspector, f"/inspections/{record['id']}") == record
    (row,) = read(county_inspector, "/inspections")["items"]
    assert row["name_differs"] is True
    # Who goes on with the table elsewhere is told too.
    submit(county_inspector, spot_check(uscc=WORKS, org_name=B, confirm_name=True), noun="spot-checks")
    for noun in ("inspections", "spot-checks"):
        heading, line = csv.reader(county_inspector.get(f"/{noun}.csv").get_data().decode("utf-8-sig").splitlines())
        assert dict(zip(heading, line, strict=True))["名称与名录不符"] == "是"


def test_the_question_is_no_part_of_what_makes_a_repetition(parties: Parties, county_inspector: Person) -> None:
    record, body = new_id(), production(uscc=WORKS, org_name=B)
    path = f"/inspections/{record}/submission"
    assert county_inspector.put(path, body).status_code == 409
    first = county_inspector.put(path, {**body, "confirm_name": True})
    assert first.status_code == 201
    again = county_inspector.put(path, body)
    assert (again.status_code, again.json) == (200, first.json)


def test_every_kind_is_asked_in_one_step_and_from_a_draft(parties: Parties, county_inspector: Person) -> None:
    bodies = [
        ("inspections", production(uscc=WORKS, org_name=B)),
        ("inspections", sales(uscc=WORKS, org_name=B)),
        ("inspections", production(kind="gpc-production", uscc=WORKS, org_name=B, unable=True, unable_reason="moved")),
        ("spot-checks", spot_check(uscc=WORKS, org_name=B)),
    ]
    for noun, body in bodies:
        answer = county_inspector.put(f"/{noun}/{new_id()}/submission", body)
        assert problem(answer) == (409, "name_differs"), body
        draft = save(county_inspector, body, noun=noun)
        assert codes(draft) == ["name_differs"]
        answer = county_inspector.put(f"/{noun}/{draft['id']}/submission", {**body, "version": 1})
        assert problem(answer) == (409, "name_differs"), body
        assert read(county_inspector, f"/{noun}/{draft['id']}")["status"] == "draft"
        submit(county_inspector, {**body, "version": 1, **CONFIRMED}, draft["id"], noun)


def test_a_nominal_producer_of_another_name_is_asked_about_too(parties: Parties, county_inspector: Person) -> None:
    body = spot_check(
        field_kind="circulation", org_name="某店", uscc=uscc(999), nominal_producer=B, nominal_producer_uscc=WORKS
    )
    answer = county_inspector.put(f"/spot-checks/{new_id()}/submission", body)
    assert problem(answer) == (409, "name_differs")
    assert answer.json["registered"] == [{"path": "/nominal_producer", "name": OF_A}]
    record = submit(county_inspector, {**body, "confirm_name": True}, noun="spot-checks")
    # The shop itself is who it says.
    assert (record["name_differs"], codes(record)) == (False, ["name_differs"])


def test_spelling_alone_is_no_question(parties: Parties, county_inspector: Person, database: Database) -> None:
    with database.write() as session:
        put_enterprises(
            session, {"uscc": uscc(105), "name": "常州（天宁）ABC电缆有限公司", "region_code": "320402"}
        )  # fmt: skip
    for name in ("常州（天宁）ABC电缆有限公司", "常州(天宁)abc电缆有限公司", "常州（天宁） ＡＢＣ 电缆有限公司"):
        record = submit(county_inspector, production(uscc=uscc(105), org_name=name, confirm_duplicate=True))
        assert (record["name_differs"], record["org_prefilled"], codes(record)) == (False, True, [])


def test_a_code_the_register_does_not_have_is_no_question(parties: Parties, county_inspector: Person) -> None:
    assert submit(county_inspector, production(uscc=uscc(999), org_name=B))["name_differs"] is False
    assert submit(county_inspector, sales(org_name=OF_A))["name_differs"] is False


def test_a_former_name_is_a_warning_and_reaches_its_enterprise(
    parties: Parties, county_inspector: Person, database: Database
) -> None:
    with database.write() as session:
        put_enterprises(session, {"uscc": WORKS, "name": "江苏新某某电缆有限公司", "region_code": "320402"})
    record = submit(county_inspector, production(uscc=WORKS))
    assert (record["name_differs"], record["org_prefilled"], codes(record)) == (False, False, ["former_name"])
    assert "江苏新某某电缆有限公司" in record["warnings"][-1]["message"]
    assert shown(parties.enterprise) == [record["id"]]


def test_a_name_taken_back_is_not_former_any_more(
    parties: Parties, county_inspector: Person, database: Database
) -> None:
    for name in ("江苏新某某电缆有限公司", OF_A, "常州 某某电缆有限公司"):
        with database.write() as session:
            put_enterprises(session, {"uscc": WORKS, "name": name, "region_code": "320402"})
    assert codes(submit(county_inspector, production(uscc=WORKS))) == []
    record = submit(county_inspector, production(uscc=WORKS, org_name="江苏新某某电缆有限公司", confirm_duplicate=True))
    assert codes(record) == ["former_name"]


def test_a_correction_is_asked_like_a_submission(parties: Parties, county_inspector: Person) -> None:
    record = submit(county_inspector, production(uscc=WORKS))
    path = f"/inspections/{record['id']}/correction"
    body = {**production(uscc=WORKS, org_name=B), "version": 1, "reason": "企业名称有误"}
    assert problem(county_inspector.put(path, body)) == (409, "name_differs")
    assert shown(parties.enterprise) == [record["id"]]
    corrected = county_inspector.put(path, {**body, "confirm_name": True})
    assert (corrected.status_code, corrected.json["name_differs"]) == (200, True)
    assert shown(parties.enterprise) == []
    back = {**production(uscc=WORKS), "version": 2, "reason": "是该企业"}
    assert county_inspector.put(path, back).json["name_differs"] is False
    assert shown(parties.enterprise) == [record["id"]]


def test_a_superior_that_corrects_another_field_is_asked_about_the_name_too(
    parties: Parties, county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector, production(uscc=WORKS, org_name=B, confirm_name=True))
    body = {**production(uscc=WORKS, org_name=B, escort="丁"), "version": 1, "reason": "陪同人员有误"}
    assert problem(city_reviewer.put(f"/inspections/{record['id']}/correction", body)) == (409, "name_differs")


def test_no_rectification_is_ordered_of_the_enterprise_whose_name_it_is_not(
    parties: Parties, county_inspector: Person
) -> None:
    record = submit(county_inspector, with_problem(uscc=WORKS, org_name=B, confirm_name=True))
    answer = parties.reviewer.post(
        f"/inspections/{record['id']}/rectification", {"problem": "无证生产", "due_on": "2026-12-31"}
    )
    assert answer.status_code == 422
    assert [fault["code"] for fault in answer.json["errors"]] == ["name_differs"]


def test_it_counts_by_its_name_and_not_as_a_visit_to_the_enterprise_of_the_code(
    parties: Parties, county_inspector: Person, database: Database
) -> None:
    submit(county_inspector, production(uscc=WORKS, org_name=B, confirm_name=True))
    submit(county_inspector, production(uscc=WORKS))  # the same day: no duplicate of the other
    total = read(county_inspector, "/statistics/progress")["total"]
    assert total["checked"] == 2
    with database.write() as session:
        found = tallies.reconcile(session)
    assert (found.mended, found.added, found.emptied) == (0, 0, 0)


def test_a_confirmed_record_is_what_its_history_says(
    parties: Parties, county_inspector: Person, run: Run, database: Database
) -> None:
    submit(county_inspector, production(uscc=WORKS, org_name=B, confirm_name=True))
    assert "完整" in run("history", "verify").stdout
    with database.write() as session:
        session.execute(update(Inspection).values(name_differs=False))
    assert "content of the record was changed" in run("history", "verify", status=1).stderr


def test_a_product_that_is_none_of_the_enterprises_is_a_warning(
    parties: Parties, county_inspector: Person, database: Database
) -> None:
    with database.write() as session:
        put_enterprises(
            session,
            {"uscc": uscc(106), "name": "常州水泥厂", "region_code": "320402", "product_codes": ["05", "04"]},
            {"uscc": uscc(107), "name": "常州杂货厂", "region_code": "320402"},
        )
    record = submit(county_inspector, production(uscc=uscc(106), org_name="常州水泥厂"))
    assert codes(record) == ["product_not_registered"]
    assert "钢筋、水泥" in record["warnings"][-1]["message"]
    # Of this one the register does not say what it makes.
    assert codes(submit(county_inspector, production(uscc=uscc(107), org_name="常州杂货厂"))) == []


def test_an_enterprise_of_another_county_is_a_warning(
    parties: Parties, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(neighbour_inspector, production(uscc=WORKS))
    assert codes(record) == ["other_region"] and "天宁区" in record["warnings"][-1]["message"]
    assert codes(submit(county_inspector, production(uscc=WORKS, confirm_duplicate=True))) == []
    assert codes(submit(city_reviewer, production(uscc=WORKS, confirm_duplicate=True))) == []
    assert codes(submit(city_reviewer, production(uscc=FAR_WORKS, org_name="南京某某电缆厂"))) == ["other_region"]


def test_the_county_is_that_of_the_record_also_when_the_city_corrects_it(
    parties: Parties, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(neighbour_inspector, production(uscc=WORKS))
    body = {**production(uscc=WORKS, escort="丁"), "version": 1, "reason": "笔误"}
    assert codes(city_reviewer.put(f"/inspections/{record['id']}/correction", body).json) == ["other_region"]


def test_the_command_lists_what_was_stored_before_there_was_the_question(
    parties: Parties, county_inspector: Person, database: Database, run: Run
) -> None:
    right = submit(county_inspector, production(uscc=OTHER_WORKS, org_name="常州另一电线厂"))
    wrong = submit(county_inspector, production(uscc=uscc(108), org_name=B))
    producer = spot_check(field_kind="circulation", uscc=uscc(999), nominal_producer=B, nominal_producer_uscc=uscc(108))
    sampled = submit(county_inspector, producer, noun="spot-checks")
    with database.write() as session:
        put_enterprises(session, {"uscc": uscc(108), "name": "常州甲电线厂", "region_code": "320402"})
    told = run("inspections", "other-names").stdout
    assert "共 2 处名称与名录不一致" in told and "常州甲电线厂" in told
    assert [record["id"] in told for record in (right, wrong, sampled)] == [False, True, True]
    assert read(county_inspector, f"/inspections/{wrong['id']}")["name_differs"] is False


def test_a_draft_with_only_a_code_or_a_name_says_nothing(parties: Parties, county_inspector: Person) -> None:
    assert codes(save(county_inspector, {"kind": "production", "product_code": "06", "uscc": WORKS})) == []
    assert codes(save(county_inspector, {"kind": "production", "product_code": "06", "org_name": B})) == []
