"""An enterprise and a bureau, through all four kinds, with real documents."""

from datetime import date, timedelta
from typing import Any

from apiflask import APIFlask

from tests import paperwork
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration, upload
from tests.people import new_id

TODAY = date.today()


def saved(person: Any, filing_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = person.put(f"/filings/{filing_id}", body)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return dict(answer.json)


def test_a_declaration_is_edited_sent_returned_sent_again_and_approved(parties: Parties) -> None:
    row = open_declaration(parties)
    assert row["status_label"] == "更新申报" and row["actions"] == ["save", "submit"]
    row = saved(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    row = act(parties.enterprise, row, "submit").json
    assert row["status"] == "pending"
    seen = parties.reviewer.get(f"/filings/{row['id']}").json
    assert seen["actions"] == ["approve", "return"] and seen["data"]["contact_name"] == "孙某"
    row = act(parties.reviewer, seen, "return", comment="产品明细不全").json
    assert (row["status"], row["opinion"]) == ("returned", "产品明细不全")
    own = parties.enterprise.get(f"/filings/{row['id']}").json
    changed = {**DECLARATION, "product_detail": "塑料绝缘控制电缆；架空绞线"}
    own = saved(parties.enterprise, own["id"], {"data": changed, "version": own["version"]})
    own = act(parties.enterprise, own, "submit").json
    done = act(parties.reviewer, own, "approve").json
    assert done["status"] == "done"
    licence = parties.enterprise.get("/licences").json["items"][0]
    assert licence["product_detail"] == "塑料绝缘控制电缆；架空绞线"
    fresh = open_declaration(parties)
    assert fresh["id"] != done["id"]
    filled = parties.enterprise.get(f"/filings/{fresh['id']}").json["data"]
    assert filled["product_detail"] == "塑料绝缘控制电缆；架空绞线"


def test_a_self_check_report_is_sent_taken_back_corrected_and_read(parties: Parties) -> None:
    template = upload(parties.reviewer, paperwork.docx(), "模板.docx", "template")
    topic = new_id()
    made = parties.reviewer.put(
        f"/self-check-topics/{topic}", {"title": "2026年度自查", "year": 2026, "template_file_id": template}
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    assert parties.enterprise.get("/self-check-topics").json["items"][0]["template_file_id"] == template
    assert parties.enterprise.get(f"/files/{template}").status_code == 200
    report = upload(parties.enterprise, paperwork.pdf(), "自查报告.pdf", "self_check_report")
    filing = new_id()
    body = {
        "kind": "self_check_report",
        "subject": {"type": "self_check_topic", "id": topic},
        "data": {"check_date": TODAY.isoformat()},
        "documents": [{"category": "self_check_report", "file_id": report}],
    }
    row = saved(parties.enterprise, filing, body, 201)
    assert parties.reviewer.get(f"/filings/{filing}").status_code == 404
    row = act(parties.enterprise, row, "submit").json
    assert row["status_label"] == "未阅"
    assert parties.reviewer.get(f"/files/{report}").status_code == 200
    row = act(parties.enterprise, row, "withdraw").json
    better = upload(parties.enterprise, paperwork.REPORT_DOC.read_bytes(), "自查报告.doc", "self_check_report")
    row = saved(
        parties.enterprise,
        filing,
        {"documents": [{"category": "self_check_report", "file_id": better}], "version": row["version"]},
    )
    still = parties.reviewer.get(f"/filings/{filing}").json
    assert still["documents"] == [{"category": "self_check_report", "file_id": report}]
    row = act(parties.enterprise, row, "submit").json
    assert parties.reviewer.get(f"/filings/{filing}").json["documents"][0]["file_id"] == better
    read = act(parties.reviewer, parties.reviewer.get(f"/filings/{filing}").json, "read").json
    assert read["status_label"] == "已阅"
    late = act(parties.enterprise, read, "withdraw")
    assert (late.status_code, late.json["current_status"]) == (409, "read")
    assert parties.enterprise.delete(f"/filings/{filing}").status_code == 409


def test_a_rectification_is_ordered_returned_and_closed(parties: Parties) -> None:
    filing = new_id()
    order = {"problem": "出厂检验记录不齐全", "due_on": (TODAY + timedelta(days=10)).isoformat()}
    row = saved(parties.reviewer, filing, {"kind": "rectification", "uscc": WORKS, "data": order}, 201)
    assert row["status_label"] == "待上传整改报告"
    todo = parties.enterprise.get("/todos").json["items"][0]
    assert todo["colour"] == "yellow" and todo["title"].startswith("待上传整改报告")
    report = upload(parties.enterprise, paperwork.jpeg(), "整改.jpg", "rectification_report")
    own = parties.enterprise.get(f"/filings/{filing}").json
    named = {"documents": [{"category": "rectification_report", "file_id": report}], "version": own["version"]}
    own = saved(parties.enterprise, filing, named)
    own = act(parties.enterprise, own, "submit").json
    assert own["status_label"] == "待跟踪检查"
    back = act(parties.reviewer, parties.reviewer.get(f"/filings/{filing}").json, "return", comment="照片看不清").json
    assert back["opinion"] == "照片看不清"
    own = parties.enterprise.get(f"/filings/{filing}").json
    assert "submit" in own["actions"]
    own = act(
        parties.enterprise, saved(parties.enterprise, filing, {**named, "version": own["version"]}), "submit"
    ).json
    closed = act(parties.reviewer, own, "close").json
    assert closed["status_label"] == "检查结束"


def test_a_self_check_table_with_a_problem_needs_its_documents_and_is_closed(parties: Parties) -> None:
    filing = new_id()
    answers = {str(n): "yes" for n in range(1, 11)} | {"2": "no", "1.licence": "320402000000001", "6.methods": ["self"]}
    answers |= {"7.detail": "ok", "8.detail": "bad", "8.problem": "台帐缺少批号"}
    head = {"org_name": "常州某某电缆有限公司", "legal_representative": "钱某", "filled_by": "孙某"}
    data = {**head, "check_date": TODAY.isoformat(), "answers": answers}
    row = saved(parties.enterprise, filing, {"kind": "self_check_production", "data": data}, 201)
    refused = act(parties.enterprise, row, "submit")
    assert refused.status_code == 422
    assert [fault["message"] for fault in refused.json["errors"]] == ["请上传“隐患台帐”", "请上传“整改报告”"]
    documents = [
        {
            "category": "hazard_ledger",
            "file_id": upload(parties.enterprise, paperwork.xlsx(), "台帐.xlsx", "declaration_attachment"),
        },
        {
            "category": "rectification_report",
            "file_id": upload(parties.enterprise, paperwork.pdf(), "整改.pdf", "rectification_report"),
        },
    ]
    row = saved(parties.enterprise, filing, {"documents": documents, "version": row["version"]})
    row = act(parties.enterprise, row, "submit").json
    assert row["status_label"] == "整改中"
    closed = act(parties.reviewer, parties.reviewer.get(f"/filings/{filing}").json, "close").json
    assert closed["status_label"] == "已闭环"


def test_another_enterprise_and_another_bureau_see_nothing(parties: Parties, application: APIFlask) -> None:
    row = open_declaration(parties)
    saved_row = saved(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    act(parties.enterprise, saved_row, "submit")
    for stranger in (parties.other_enterprise, parties.far_reviewer):
        assert stranger.get(f"/filings/{row['id']}").status_code == 404
        assert stranger.get("/filings").json["items"] == []
        assert act(stranger, row, "approve").status_code == 404
        assert stranger.get("/licences").json["items"] == []
