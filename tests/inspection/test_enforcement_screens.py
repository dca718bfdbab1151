"""What screens of law enforcement papers are drawn from: steps with their words, what is known beforehand, Word."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from docx import Document
from flask.testing import FlaskClient

from accounts.verbs import Role
from inspection.enforcement.steps import STEPS
from inspection.enforcement.workflows import PAPER
from miniapp_api.http.wiring import KEY
from tests.drawn_papers import words
from tests.inspection.test_annexes import record
from tests.inspection.test_enforcement_papers import (
    APPROVAL,
    ORDER,
    RECEIPT,
    SITE,
    TWO,
    printed,
    publish_papers,
    saved,
    step,
    taken,
)  # fmt: skip
from tests.newcomers import make_user
from tests.people import Person, new_id, uscc
from tests.records import submit
from tests.register import put_enterprises

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _forms(application: APIFlask) -> None:
    publish_papers(application)


@pytest.fixture
def approver(application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person) -> Person:
    make_user(application.extensions[KEY].database, "320402", "county_head", Role.INSPECTION_APPROVER)
    return sign_in("county_head")


def whole(person: Person, paper: Json) -> Json:
    return dict(person.get(f"/enforcement-papers/{paper['id']}").json)


def labels(paper: Json) -> list[str]:
    return [one["label"] for one in paper["steps"]]


def written(person: Person, paper: Json, name: str = "record") -> str:
    answer = person.get(f"/enforcement-papers/{paper['id']}/{name}.docx")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = Document(io.BytesIO(answer.data)).element.body
    return "".join("".join(node.text or "" for node in body.iter() if node.tag.endswith("}t")).split())


def test_every_step_of_the_workflow_has_its_words() -> None:
    assert set(STEPS) == {action for _, action in PAPER.steps} - {"save"}


def test_the_first_step_offered_is_what_is_next_and_each_side_is_offered_its_own(
    county_inspector: Person, approver: Person
) -> None:
    draft = saved(county_inspector, "inspection_approval", APPROVAL)
    assert labels(draft) == ["提交审批", "删除"] and draft["standing"] == "填写完整后提交负责人审批。"
    pending = taken(county_inspector, draft, "submit")
    assert labels(pending) == ["撤回"]
    offered = whole(approver, pending)["steps"]
    assert [(one["label"], one["comment"]) for one in offered] == [("同意", "optional"), ("不同意", "required")]
    back = taken(approver, pending, "reject", comment="依据不足")
    assert "负责人没有同意" in whole(county_inspector, back)["standing"]


def test_an_order_says_which_form_its_service_answers_and_what_can_be_printed(county_inspector: Person) -> None:
    issued = taken(county_inspector, saved(county_inspector, "correction_order", ORDER), "issue")
    assert issued["steps"][0]["label"] == "填写送达回证"
    assert county_inspector.get(f"/forms/{issued['steps'][0]['form']}").json["title"] == "送达回证"
    served = taken(county_inspector, issued, "serve", data=RECEIPT)
    assert [one["title"] for one in served["prints"]] == ["责令改正通知书", "送达回证"]
    for one in served["prints"]:
        for path in (one["pdf"], one["word"]):
            assert county_inspector.get(path.removeprefix("/api/v1")).status_code == 200
    form = served["receipt_form"]
    assert county_inspector.get(f"/forms/{form['code']}/{form['version']}").status_code == 200


def test_a_paper_of_a_check_begins_with_what_the_check_says(county_inspector: Person) -> None:
    county_inspector.put("/enforcement-officers", {"name": "甲", "certificate_no": "320402001"})
    body = record("onsite_production", inspectors=["甲", "乙"], escort="王某某")
    check = submit(county_inspector, body)
    paper = saved(county_inspector, "site_record", {}, inspection_id=check["id"])
    said = paper["data"]
    assert (said["org_name"], said["org_address"]) == (check["org_name"], check["org_address"])
    assert (said["check_date"], said["escort"]) == (check["check_date"], "王某某")
    assert said["inspectors"] == [{"name": "甲", "certificate_no": "320402001"}, {"name": "乙"}]
    # What is saved later without naming the check still belongs to it.
    path = f"/enforcement-papers/{paper['id']}"
    again = county_inspector.put(path, {"kind": "site_record", "data": said, "version": paper["version"]})
    assert again.json["inspection_id"] == check["id"]


def test_what_was_given_stays_and_the_register_fills_in_the_rest(
    application: APIFlask, county_inspector: Person
) -> None:
    code = uscc(77)
    facts = {"uscc": code, "name": "名录中的企业", "address": "名录中的住所", "region_code": "320402"}
    with application.extensions[KEY].database.write() as session:
        put_enterprises(session, {**facts, "product_codes": ["06"]})
    paper = saved(county_inspector, "correction_order", {"uscc": code, "org_address": "现场地址"})
    assert (paper["data"]["org_name"], paper["data"]["org_address"]) == ("名录中的企业", "现场地址")
    later = saved(county_inspector, "correction_order", {})
    body = {"kind": "correction_order", "data": {"uscc": code}, "version": later["version"]}
    filled = county_inspector.put(f"/enforcement-papers/{later['id']}", body).json["data"]
    assert filled["org_name"] == "名录中的企业" and filled["org_address"] == "名录中的住所"


def test_a_check_of_elsewhere_fills_in_nothing(county_inspector: Person, sign_in: Callable[[str], Person]) -> None:
    check = submit(county_inspector, record("onsite_production"))
    stranger = sign_in("neighbour_inspector")
    body = {"kind": "site_record", "data": {}, "inspection_id": check["id"]}
    assert stranger.put(f"/enforcement-papers/{new_id()}", body).status_code == 404


def test_word_has_the_words_of_the_papers_and_no_code(county_inspector: Person, approver: Person) -> None:
    told = {**SITE, "refused_to_sign": True, "refusal_reason": "称须 <请示> & {{ 7 * 7 }}", "witness": "钱七"}
    record_of_site = taken(county_inspector, saved(county_inspector, "site_record", told), "issue")
    text = written(county_inspector, record_of_site)
    assert "被检查人拒绝签字，理由：称须<请示>&{{7*7}}。见证人：钱七" in text and "张三（执法证号：320402001）" in text
    assert "记录与事实相符" not in text and "记录与事实相符" not in words(printed(county_inspector, record_of_site))
    order = taken(county_inspector, saved(county_inspector, "correction_order", ORDER), "issue")
    assert "于2026年12月5日前改正" in written(county_inspector, order)
    assert written(county_inspector, order).startswith("天宁区市场监督管理局责令改正通知书" + order["number"])
    served = taken(county_inspector, order, "serve", data=RECEIPT)
    assert "责令改正通知书" + order["number"] in written(county_inspector, served, "receipt")
    pending = taken(county_inspector, saved(county_inspector, "inspection_approval", APPROVAL), "submit")
    approved = taken(approver, pending, "approve", comment="同意检查")
    assert "同意检查" in written(county_inspector, approved) and "2026年11月21日" in written(county_inspector, approved)


def test_an_approval_at_night_bears_the_day_of_the_office(
    county_inspector: Person, sign_in: Callable[[str], Person], approver: Person
) -> None:
    pending = taken(county_inspector, saved(county_inspector, "inspection_approval", APPROVAL), "submit")
    with time_machine.travel("2026-11-21T17:30:00Z", tick=False):  # 01:30 of the 22nd in China
        approved = taken(sign_in("county_head"), pending, "approve")
    assert "2026年11月22日" in words(printed(county_inspector, approved))


def test_an_officer_without_a_number_is_named_and_one_who_was_registered_is_filled_in(
    county_inspector: Person, client: FlaskClient
) -> None:
    nameless = [{"name": "张三"}, {"name": "李四"}]
    paper = saved(county_inspector, "correction_order", {**ORDER, "inspectors": nameless})
    refused = step(county_inspector, paper, "issue")
    assert "请填写张三的执法证号" in refused.get_data(as_text=True)
    for one in TWO:
        county_inspector.put("/enforcement-officers", one)
    assert taken(county_inspector, paper, "issue")["data"]["inspectors"] == TWO
