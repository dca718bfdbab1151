"""What a check found: statements, never questions, with what the inspector wrote beside them."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text

import inspection
from core.db import Database
from core.forms import Form
from core.forms.library import FormLibrary
from inspection.records.findings import findings
from miniapp_api.http.wiring import KEY
from tests import parties as both
from tests.miniapp_api.test_exports import as_csv, as_xlsx
from tests.older_schemas import at_revision
from tests.parties import WORKS, Parties
from tests.people import ALL_NA, Person, SignIn, faults, new_id, production, sales, spot_check, with_problem
from tests.records import Json, read, submit

pytestmark = pytest.mark.usefixtures("clock")

FORMS = sorted((Path(inspection.__path__[0]) / "forms").glob("gpc-[ps][ra]*.json"))


@pytest.fixture
def parties(application: APIFlask, sign_in: SignIn) -> Parties:
    return both.prepare(application, sign_in)


def everything_wrong(form: Form) -> Json:
    items = [item for section in form.definition["sections"] for item in section["items"]]
    return {"answers": {item["no"]: item["problem_when"][0] for item in items if "problem_when" in item}}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_every_item_of_every_version_has_a_statement_of_its_own(path: Path) -> None:
    form = Form.compile(json.loads(path.read_text()))
    wrong = everything_wrong(form)
    found = findings(form, wrong)
    assert [one.no for one in found] == list(wrong["answers"])
    for one in found:
        assert "是否" not in one.statement and one.statement[-1] not in "？?", one
        assert "：" not in one.statement, "the fall-back of forms that say none"
    questions = {item["text"] for section in form.definition["sections"] for item in section["items"]}
    assert not questions & {one.statement for one in found}


def test_all_versions_state_the_same() -> None:
    forms = {path.stem: Form.compile(json.loads(path.read_text())) for path in FORMS}
    for code in ("gpc-production", "gpc-sales"):
        first, second, third = (forms[f"{code}.v{version}"] for version in (1, 2, 3))
        assert findings(first, everything_wrong(first)) == findings(second, everything_wrong(second))
        assert findings(second, everything_wrong(second)) == findings(third, everything_wrong(third))


def noted(**changes: Any) -> Json:
    """A check by version 2 that found two problems, something written beside one of them."""
    answers = {"6.1": "no", "6.1.problem": "台账只记到 9 月\n电话13800000001", "1.2": "yes"}
    return production(form_version=2, answers=answers, disposals=ALL_NA, **changes)


STATED = "1.2 存在无证生产；6.1 未建立销售台账，或未如实记录：台账只记到 9 月 电话13800000001"


def test_the_enterprise_reads_statements_and_what_stands_beside_them(
    parties: Parties, county_inspector: Person
) -> None:
    submit(county_inspector, noted(uscc=WORKS))
    (row,) = parties.enterprise.get("/supervision-checks").json["items"]
    assert row["problems"] == STATED
    assert len(parties.enterprise.get("/supervision-checks?q=台账只记到").json["items"]) == 1


def test_a_check_by_the_first_version_is_stated_too(parties: Parties, county_inspector: Person) -> None:
    submit(county_inspector, with_problem(uscc=WORKS, answers={"6.1": "no"}))
    (row,) = parties.enterprise.get("/supervision-checks").json["items"]
    assert row["problems"] == "1.2 存在无证生产；6.1 未建立销售台账，或未如实记录"


def test_the_record_names_its_problems(county_inspector: Person) -> None:
    record = submit(county_inspector, noted())
    assert record["problems"] == [
        {"no": "1.2", "statement": "存在无证生产", "note": None},
        {"no": "6.1", "statement": "未建立销售台账，或未如实记录", "note": "台账只记到 9 月\n电话13800000001"},
    ]
    assert submit(county_inspector, production(check_date="2026-11-19"))["problems"] == []


def test_a_record_is_read_changed_and_sent_back_whole(county_inspector: Person) -> None:
    record = submit(county_inspector, noted())
    whole = record | {"answers": record["answers"] | {"1.2": "no"}, "reason": "笔误", "form_version": 2}
    corrected = county_inspector.put(f"/inspections/{record['id']}/correction", whole).json
    assert [one["no"] for one in corrected["problems"]] == ["6.1"]
    assert not [one for one in corrected["warnings"] if one["code"] == "read_only"]


def test_what_stands_beside_an_item_is_optional_and_only_beside_a_problem(county_inspector: Person) -> None:
    assert submit(county_inspector, production(form_version=2))["form_version"] == 2
    body = noted(check_date="2026-11-19")
    body["answers"]["6.1.problem"] = "长" * 1001
    assert faults(county_inspector.put(f"/inspections/{new_id()}/submission", body)) == {
        "/answers/6.1.problem": "too_long"
    }
    old = with_problem(answers={"1.2.problem": "旧表没有这一栏"}, check_date="2026-11-18")
    assert faults(county_inspector.put(f"/inspections/{new_id()}/submission", old)) == {
        "/answers/1.2.problem": "unknown_item"
    }


def test_a_form_of_a_bureau_without_statements_shows_question_and_answer(
    application: APIFlask, county_inspector: Person
) -> None:
    forms: FormLibrary = application.extensions[KEY].forms
    own = json.loads(next(path for path in FORMS if path.stem == "gpc-sales.v4").read_text()) | {"version": 5}
    for section in own["sections"]:
        for item in section["items"]:
            item.pop("problem_text", None)
    forms.publish(own)
    record = submit(
        county_inspector, sales(form_version=5, answers={"1.3": "no"}, disposals={"4.1": "na", "4.2": "na"})
    )
    assert record["problems"] == [{"no": "1.3", "statement": "是否健全销售台账：否", "note": None}]


def test_lists_carry_addresses(county_inspector: Person) -> None:
    submit(county_inspector, production(org_address="甲路1号", production_address="乙路2号"))
    (row,) = read(county_inspector, "/inspections")["items"]
    assert (row["org_address"], row["production_address"], row["business_address"]) == ("甲路1号", "乙路2号", None)
    submit(county_inspector, sales(org_address="丙街3号", business_address="丁街4号"))
    row = read(county_inspector, "/inspections?kind=sales")["items"][0]
    assert (row["org_address"], row["business_address"]) == ("丙街3号", "丁街4号")
    submit(county_inspector, spot_check(org_address="戊路5号"), noun="spot-checks")
    assert read(county_inspector, "/spot-checks")["items"][0]["org_address"] == "戊路5号"


def test_the_export_carries_reason_people_remark_and_problems(
    county_inspector: Person, database: Database, tmp_path: Path
) -> None:
    submit(county_inspector, noted(remark="联系人 13800000001，证件 110101199003070011", org_address="甲路1号"))
    refused = {"unable": True, "unable_reason": "other", "unable_note": "门口贴告示，电话139-1234-5678"}
    submit(county_inspector, production(check_date="2026-11-19", **refused))
    for rows in (as_csv(county_inspector), as_xlsx(county_inspector, tmp_path / "x.xlsx")):
        found, unable = sorted(rows, key=lambda row: str(row["无法检查"]))
        assert found["企业地址"] == "甲路1号" and found["生产或经营地址"] == "常州市天宁区某路1号"
        assert found["检查人员"] == "甲、乙"
        assert found["存在问题"] == STATED.replace("13800000001", "138****0001")
        assert found["备注"] == "联系人 138****0001，证件 110101********0011"
        assert (found["无法检查原因"] or "") == "" and (unable["存在问题"] or "") == ""
        assert unable["无法检查原因"] == "其他（需填写说明）：门口贴告示，电话139****5678"


def test_the_export_of_spot_checks_carries_the_remark(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(remark="送样人 13800000001"), noun="spot-checks")
    (row,) = as_csv(county_inspector, noun="spot-checks")
    assert (row["企业地址"], row["备注"]) == ("常州市天宁区某路1号", "送样人 138****0001")


def test_findings_published_as_questions_become_statements(
    parties: Parties, county_inspector: Person, database: Database
) -> None:
    """And goes back: what is published now by our first forms is what a migration makes of what was published then."""
    bad = {"1.1": "no", "1.2": "yes", "6.1": "no"}
    disposals = {"4.1": "done", "4.2": "na"}
    submit(county_inspector, with_problem(uscc=WORKS, answers=bad))
    shop = {"1.1": "no", "3.2": "no"}
    name = "常州某某电缆有限公司"
    submit(county_inspector, sales(uscc=WORKS, org_name=name, form_version=1, answers=shop, disposals=disposals))

    def told() -> list[str]:
        return [row["problems"] for row in parties.enterprise.get("/supervision-checks").json["items"]]

    now = told()
    with at_revision(database, "0019"), database.read() as session:
        then = sorted(session.scalars(text("SELECT problems FROM supervision_checks")))
    assert then == [
        "1.1 是否依法取得营业执照；3.2 认证证书状态是否有效",
        "1.1 是否依法获得营业执照、生产许可证或强制性产品认证等相关证照；1.2 是否存在无证生产；"
        "6.1 是否建立销售台账并如实记录",
    ]
    assert told() == now
    assert not [one for one in now if "是否" in one]


def test_the_migration_knows_every_question_of_the_first_forms() -> None:
    migration = importlib.import_module("migrations.versions.0020_statements")
    expected = {}
    for path in FORMS:
        if path.stem.endswith(".v1"):
            form = Form.compile(json.loads(path.read_text()))
            questions = {item["no"]: item["text"] for section in form.definition["sections"]
                         for item in section["items"] if "problem_when" in item}  # fmt: skip
            found = findings(form, everything_wrong(form))
            expected |= {f"{one.no} {questions[one.no]}": f"{one.no} {one.statement}" for one in found}
    assert expected == migration.TOLD
