"""Law enforcement papers (执法文书): approval, notice, record of the site, order to correct with its 送达回证."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

import inspection.enforcement
from accounts.verbs import Role
from core import clock
from miniapp_api.http.wiring import KEY
from tests.drawn_papers import codes, scanned, words
from tests.newcomers import at_once, make_user
from tests.people import Person, faults, new_id
from tests.records import problem, submit

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21

Json = dict[str, Any]
TWO = [{"name": "张三", "certificate_no": "320402001"}, {"name": "李四", "certificate_no": "320402002"}]
ORG = {"org_name": "常州某某电缆有限公司", "org_address": "常州市天宁区某路1号"}
APPROVAL: Json = {
    **ORG, "source": "special", "basis": "产品质量法第十八条", "content": "生产许可、出厂检验", "method": "onsite",
    "check_date": "2026-11-25", "urgent": False, "inspectors": TWO,
}  # fmt: skip
ORDER: Json = {
    **ORG, "facts": "出厂检验记录不齐全", "violated": "产品质量法第十二条", "basis": "产品质量法的有关规定",
    "mode": "deadline", "due_on": "2026-12-05", "demand": "补齐检验项目", "contact_name": "张三",
    "contact_tel": "0519-88880000", "inspectors": TWO,
}  # fmt: skip
SITE: Json = {
    **ORG, "check_date": "2026-11-20", "time_from": "09:30", "time_to": "11:00", "place": "生产车间",
    "inspectors": TWO, "showed_certificates": True, "told_rights": True, "recusal": "no",
    "facts": "抽查出厂检验记录30份", "refused_to_sign": False,
}  # fmt: skip
RECEIPT: Json = {
    "recipient": "常州某某电缆有限公司", "served_on": "2026-11-21", "place": "该公司", "method": "direct",
    "received_by": "赵六", "servers": TWO, "refused_to_sign": False,
}  # fmt: skip


def publish_papers(application: APIFlask) -> None:
    """Publish the forms of the papers, as the preparation of an installation does."""
    for path in sorted((Path(inspection.enforcement.__path__[0]) / "forms").glob("*.json")):
        application.extensions[KEY].forms.publish(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(autouse=True)
def _forms(application: APIFlask) -> None:
    publish_papers(application)


@pytest.fixture
def approver(application: APIFlask, sign_in: Callable[[str], Person], county_inspector: Person) -> Person:
    make_user(application.extensions[KEY].database, "320402", "county_head", Role.INSPECTION_APPROVER)
    return sign_in("county_head")


def saved(person: Person, kind: str, data: Json, **more: Any) -> Json:
    answer = person.put(f"/enforcement-papers/{new_id()}", {"kind": kind, "data": data, **more})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def step(person: Person, paper: Json, action: str, **body: Any) -> Any:
    return person.post(f"/enforcement-papers/{paper['id']}/actions/{action}", {"version": paper["version"], **body})


def taken(person: Person, paper: Json, action: str, **body: Any) -> Json:
    answer = step(person, paper, action, **body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def printed(person: Person, paper: Json, name: str = "record") -> bytes:
    answer = person.get(f"/enforcement-papers/{paper['id']}/{name}.pdf")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return bytes(answer.data)


def test_a_check_is_approved_on_the_phone_by_somebody_else_and_gets_its_number_then(
    county_inspector: Person, approver: Person, client: FlaskClient
) -> None:
    draft = saved(county_inspector, "inspection_approval", APPROVAL)
    assert "草稿" in words(printed(county_inspector, draft))
    pending = taken(county_inspector, draft, "submit")
    (todo,) = [one for one in approver.get("/todos").json["items"] if one["link"].endswith(draft["id"])]
    assert todo["title"].startswith("待审批：行政检查审批表")
    assert "待审批" in words(printed(county_inspector, draft)) and codes(printed(county_inspector, draft)) == set()
    assert step(county_inspector, pending, "approve").status_code == 403
    approved = taken(approver, pending, "approve", comment="同意检查")
    assert approved["number"] == "天宁区市监检审〔2026〕1号" and approved["decided"]["opinion"] == "同意检查"
    paper = printed(county_inspector, draft)
    assert "同意检查" in words(paper) and "320402001" in words(paper)
    assert "内容是最新的" in scanned(client, paper)[1]
    assert approver.get("/todos").json["items"] == []


def test_a_rejected_one_comes_back_with_the_reason_and_an_urgent_check_is_approved_afterwards(
    county_inspector: Person, approver: Person
) -> None:
    pending = taken(county_inspector, saved(county_inspector, "inspection_approval", APPROVAL), "submit")
    assert faults(step(approver, pending, "reject")) == {"/comment": "required"}
    back = taken(approver, pending, "reject", comment="依据不足")
    assert back["status"] == "draft" and back["number"] is None
    past = {**APPROVAL, "check_date": "2026-11-20"}
    late = saved(county_inspector, "inspection_approval", past)
    assert faults(step(county_inspector, late, "submit")) == {"/data/check_date": "out_of_range"}
    today = saved(county_inspector, "inspection_approval", {**APPROVAL, "check_date": "2026-11-21"})
    assert step(county_inspector, today, "submit").status_code == 200
    urgent = saved(county_inspector, "inspection_approval", {**past, "urgent": True})
    assert faults(step(county_inspector, urgent, "submit")) == {"/data/urgent_reason": "required"}
    told = saved(county_inspector, "inspection_approval", {**past, "urgent": True, "urgent_reason": "举报现场销毁证据"})
    done = taken(approver, taken(county_inspector, told, "submit"), "approve")
    assert "事后补办审批" in words(printed(county_inspector, done))


def test_an_order_to_correct_has_a_number_a_deadline_and_a_receipt_of_its_service(
    county_inspector: Person, client: FlaskClient
) -> None:
    check = submit(county_inspector)
    order = saved(county_inspector, "correction_order", ORDER, inspection_id=check["id"])
    issued = taken(county_inspector, order, "issue")
    assert issued["number"] == "天宁区市监责改〔2026〕1号" and issued["due_on"] == "2026-12-05"
    assert any(one["due_on"] == "2026-12-05" for one in county_inspector.get("/todos").json["items"])
    said = words(printed(county_inspector, issued))
    assert "2026年12月5日前改正" in said and "张三（执法证号：320402001）" in said
    assert county_inspector.get(f"/enforcement-papers/{order['id']}/receipt.pdf").status_code == 404
    early = step(county_inspector, issued, "serve", data={**RECEIPT, "served_on": "2026-11-20"})
    assert faults(early) == {"/data/served_on": "out_of_range"}
    refused = {**RECEIPT, "refused_to_sign": True}
    assert faults(step(county_inspector, issued, "serve", data=refused)) == {
        "/data/refusal_reason": "required", "/data/witness": "required",
    }  # fmt: skip
    served = taken(
        county_inspector, issued, "serve", data={**refused, "refusal_reason": "负责人不在", "witness": "社区钱七"}
    )
    receipt = printed(county_inspector, served, "receipt")
    assert "送达回证" in words(receipt) and "社区钱七" in words(receipt) and issued["number"] in words(receipt)
    assert "送达回证" in scanned(client, receipt)[1]
    again = taken(county_inspector, served, "recheck", comment="已改正")
    assert county_inspector.get("/todos").json["items"] == []
    listed = county_inspector.get(f"/enforcement-papers?inspection_id={check['id']}&status=served").json["items"]
    assert [one["id"] for one in listed] == [order["id"]]
    voided = taken(county_inspector, again, "void", comment="文书有误")
    assert "记录已作废" in scanned(client, receipt)[1] and voided["status"] == "voided"


def test_the_deadline_of_an_order_is_no_day_before_it_is_issued(county_inspector: Person) -> None:
    for due_on, outcome in (("2026-11-20", 422), ("2026-11-21", 200)):
        order = saved(county_inspector, "correction_order", {**ORDER, "due_on": due_on})
        assert step(county_inspector, order, "issue").status_code == outcome


def test_who_refuses_to_sign_the_record_of_the_site_is_noted_with_the_reason_and_a_witness(
    county_inspector: Person,
) -> None:
    paper = saved(county_inspector, "site_record", {**SITE, "refused_to_sign": True})
    assert faults(step(county_inspector, paper, "issue")) == {
        "/data/refusal_reason": "required", "/data/witness": "required",
    }  # fmt: skip
    whole = {**SITE, "refused_to_sign": True, "refusal_reason": "须请示总公司", "witness": "钱七"}
    issued = taken(county_inspector, saved(county_inspector, "site_record", whole), "issue")
    said = words(printed(county_inspector, issued))
    assert "拒绝签字，理由：须请示总公司" in said and "见证人：钱七" in said
    assert problem(step(county_inspector, issued, "serve", data=RECEIPT)) == (409, "wrong_status")


def test_the_certificate_numbers_of_officers_are_kept_once_and_filled_in(county_inspector: Person) -> None:
    named = [{"name": "张三"}, {"name": "李四"}]
    paper = saved(county_inspector, "site_record", {**SITE, "inspectors": named})
    assert faults(step(county_inspector, paper, "issue")) == {
        "/data/inspectors/0/certificate_no": "required", "/data/inspectors/1/certificate_no": "required",
    }  # fmt: skip
    for row in TWO:
        assert county_inspector.put("/enforcement-officers", row).status_code == 200
    assert county_inspector.get("/enforcement-officers").json["items"] == TWO
    assert taken(county_inspector, paper, "issue")["data"]["inspectors"] == TWO
    assert county_inspector.delete("/enforcement-officers/张三").status_code == 200
    assert [one["name"] for one in county_inspector.get("/enforcement-officers").json["items"]] == ["李四"]


def test_of_orders_issued_at_once_each_gets_the_next_number_and_one_twice_gets_one(
    application: Any, county_inspector: Person
) -> None:
    orders = [saved(county_inspector, "correction_order", ORDER) for _ in range(3)]

    def issue(order: Json) -> Callable[[], Any]:
        person = Person("county_inspector", application.test_client(), county_inspector.token)
        return lambda: step(person, order, "issue")

    answers = at_once(*(issue(order) for order in [*orders, orders[0]]))
    numbers = {one.json["number"] for one in answers if one.status_code == 200}
    assert numbers == {f"天宁区市监责改〔2026〕{n}号" for n in (1, 2, 3)}


def test_drafts_are_of_their_office_and_the_rest_of_those_above_it(
    county_inspector: Person, city_reviewer: Person, neighbour_inspector: Person
) -> None:
    order = saved(county_inspector, "correction_order", ORDER)
    path = f"/enforcement-papers/{order['id']}"
    assert city_reviewer.get(path).status_code == 404
    issued = taken(county_inspector, order, "issue")
    assert city_reviewer.get(path).status_code == 200 and neighbour_inspector.get(path).status_code == 404
    assert neighbour_inspector.get(f"{path}/record.pdf").status_code == 404
    assert step(city_reviewer, issued, "void", comment="x").status_code == 403
    assert neighbour_inspector.get("/enforcement-papers").json["items"] == []
    assert clock.today() + timedelta(days=14) == clock.today().replace(month=12, day=5)


def test_a_form_of_a_bureau_is_a_kind_of_its_own_and_is_printed_plain(
    application: APIFlask, county_inspector: Person
) -> None:
    form = {
        "code": "own-talk", "version": 1, "title": "行政约谈记录", "kind": "enforcement",
        "sections": [{"code": "a", "title": "约谈", "items": [
            {"field": "org_name", "text": "被约谈单位", "type": "text", "required": True, "max_length": 100},
            {"field": "said", "text": "约谈内容", "type": "text", "required": True, "max_length": 500},
        ]}],
    }  # fmt: skip
    application.extensions[KEY].forms.publish(form)
    assert "own-talk" in {one["code"] for one in county_inspector.get("/enforcement-paper-kinds").json["items"]}
    data = {"org_name": "常州某某厂", "said": "要求限期整改"}
    issued = taken(county_inspector, saved(county_inspector, "own-talk", data), "issue")
    said = words(printed(county_inspector, issued))
    assert "行政约谈记录" in said and "要求限期整改" in said and "天宁区市监执〔2026〕1号" in said
