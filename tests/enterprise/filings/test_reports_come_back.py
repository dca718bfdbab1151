"""A report of several photographed pages, one whose change is given up, and one that an office cannot read."""

from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask

from assets.files.models import File
from core.workflows.history import verify
from enterprise.filings.integrity import verify_filings
from enterprise.filings.models import Filing
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.newcomers import code_of
from tests.parties import WORKS, Parties, act, send_report, upload
from tests.people import new_id

Json = dict[str, Any]


@pytest.fixture
def report(parties: Parties) -> Json:
    """A self-check report that was sent and is unread."""
    template = upload(parties.reviewer, paperwork.docx(new_id()), "模板.docx", "template")
    topic_id = new_id()
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template}
    assert parties.reviewer.put(f"/self-check-topics/{topic_id}", body).status_code == 201
    return dict(send_report(parties, topic_id).json)


def read_by(person: Any, filing: Json) -> Json:
    return dict(person.get(f"/filings/{filing['id']}").json)


def todos(person: Any) -> list[str]:
    return [todo["title"] for todo in person.get("/todos").json["items"] if todo["kind"] == "filing"]


def changed(parties: Parties, report: Json) -> Json:
    """The report taken back and changed, not sent again."""
    row = act(parties.enterprise, report, "withdraw").json
    other = upload(parties.enterprise, paperwork.pdf(new_id()), "改.pdf", "self_check_report")
    change = {
        "data": {"check_date": "2026-01-02"}, "version": row["version"],
        "documents": [{"category": "self_check_report", "file_id": other}],
    }  # fmt: skip
    return dict(parties.enterprise.put(f"/filings/{report['id']}", change).json)


def assert_history_holds(application: APIFlask) -> None:
    services = application.extensions[KEY]
    with services.database.read() as session:
        assert list(verify(session)) == []
        assert list(verify_filings(session, services.filings.kinds)) == []


def test_a_change_that_is_given_up_leaves_what_was_sent(parties: Parties, report: Json, application: APIFlask) -> None:
    row = changed(parties, report)
    (dropped,) = (one["file_id"] for one in row["documents"])
    assert "cancel" in row["actions"]
    row = act(parties.enterprise, row, "cancel").json
    assert (row["status"], row["sent"], row["data"]) == ("unread", 1, report["data"])
    assert row["documents"] == report["documents"]
    assert read_by(parties.reviewer, report)["documents"] == report["documents"]
    assert todos(parties.reviewer) == ["自查报告待阅：常州某某电缆有限公司"]
    assert_history_holds(application)
    # What was uploaded meanwhile belongs to nobody and may be used again.
    with application.extensions[KEY].database.read() as session:
        assert session.get_one(File, UUID(dropped)).unclaimed_since is not None
    assert act(parties.reviewer, row, "read").json["status"] == "read"


def test_giving_up_a_change_twice_is_answered_alike(parties: Parties, report: Json) -> None:
    row = changed(parties, report)
    first, again = (act(parties.enterprise, row, "cancel") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200) and first.json == again.json


def test_a_report_that_is_being_changed_can_be_deleted(parties: Parties, report: Json) -> None:
    row = changed(parties, report)
    assert "delete" in row["actions"]
    assert parties.enterprise.delete(f"/filings/{row['id']}").status_code in (200, 204)
    assert parties.reviewer.get(f"/filings/{row['id']}").status_code == 404
    assert todos(parties.reviewer) == []


@pytest.mark.parametrize("marked_as_read", [False, True], ids=["unread", "marked as read"])
def test_a_report_that_cannot_be_read_is_returned_and_sent_again(
    parties: Parties, report: Json, application: APIFlask, marked_as_read: bool
) -> None:
    row = act(parties.reviewer, report, "read").json if marked_as_read else report
    assert "return" in read_by(parties.reviewer, row)["actions"]
    assert code_of(act(parties.reviewer, row, "return")) == (422, "invalid")
    row = act(parties.reviewer, row, "return", comment="文件设有密码，打不开").json
    assert (row["status"], row["status_label"], row["finished_at"]) == ("returned", "被退回", None)
    assert todos(parties.enterprise) == ["自查报告被退回：常州某某电缆有限公司"] and todos(parties.reviewer) == []
    own = read_by(parties.enterprise, row)
    assert own["opinion"] == "文件设有密码，打不开" and own["actions"] == ["save", "submit"]
    refused = parties.enterprise.delete(f"/filings/{row['id']}")
    assert refused.status_code == 409 and refused.json["detail"] == "该报告已被局方退回，不可删除，请修改后重新提交"
    better = upload(parties.enterprise, paperwork.pdf(new_id()), "可读.pdf", "self_check_report")
    named = {"documents": [{"category": "self_check_report", "file_id": better}], "version": own["version"]}
    row = parties.enterprise.put(f"/filings/{row['id']}", named).json
    row = act(parties.enterprise, row, "submit").json
    assert (row["status"], row["sent"]) == ("unread", 2)
    assert todos(parties.enterprise) == [] and todos(parties.reviewer) == ["自查报告待阅：常州某某电缆有限公司"]
    assert act(parties.reviewer, row, "read").json["finished_at"] is not None
    assert_history_holds(application)


def test_what_an_office_has_read_or_returned_is_not_deleted_after_it_was_sent_again(
    parties: Parties, report: Json
) -> None:
    row = act(parties.reviewer, report, "return", comment="看不清").json
    row = act(parties.enterprise, row, "submit").json
    for status in ("unread", "editing"):
        own = read_by(parties.enterprise, row)
        assert own["status"] == status and "delete" not in own["actions"]
        refused = parties.enterprise.delete(f"/filings/{row['id']}")
        assert (refused.status_code, refused.json["detail"]) == (409, "局方已阅过该报告，不可删除")
        if status == "unread":
            row = act(parties.enterprise, row, "withdraw").json
    assert read_by(parties.reviewer, row)["id"] == row["id"]


def ordered(parties: Parties) -> Json:
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "无证生产", "due_on": "2099-01-01"}}
    filing_id = new_id()
    answer = parties.reviewer.put(f"/filings/{filing_id}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return read_by(parties.enterprise, {"id": filing_id})


def test_a_rectification_report_of_several_photographed_pages_keeps_their_order(parties: Parties) -> None:
    row = ordered(parties)
    pages = [
        upload(parties.enterprise, paperwork.jpeg((64 + page, 64)), f"第{page}页.jpg", "rectification_report")
        for page in range(3)
    ]
    documents = [{"category": "rectification_report", "file_id": page} for page in reversed(pages)]
    row = parties.enterprise.put(f"/filings/{row['id']}", {"documents": documents, "version": row["version"]}).json
    row = act(parties.enterprise, row, "submit").json
    assert row["status"] == "to_follow"
    assert read_by(parties.reviewer, row)["documents"] == documents
    for page in pages:
        assert parties.reviewer.get(f"/files/{page}").status_code == 200


def test_more_pages_than_twenty_are_refused_with_the_limit(parties: Parties) -> None:
    kind = parties.enterprise.get("/filing-kinds/rectification").json
    assert [document["max_count"] for document in kind["documents"]] == [20]
    row = ordered(parties)
    pages = [
        upload(parties.enterprise, paperwork.pdf(f"page {page}"), f"{page}.pdf", "rectification_report")
        for page in range(21)
    ]
    documents = [{"category": "rectification_report", "file_id": page} for page in pages]
    refused = parties.enterprise.put(f"/filings/{row['id']}", {"documents": documents, "version": row["version"]})
    assert refused.status_code == 422
    assert refused.json["errors"] == [
        {"path": "/documents/20/file_id", "code": "too_many_files", "message": "整改报告最多上传 20 个文件"}
    ]


def test_a_report_that_was_marked_as_read_before_it_could_be_returned_can_be_returned_now(
    parties: Parties, report: Json, application: APIFlask
) -> None:
    # A row as the version before this one left it: read is where it ends.
    row = act(parties.reviewer, report, "read").json
    with application.extensions[KEY].database.read() as session:
        assert session.get_one(Filing, UUID(row["id"])).finished_at is not None
    assert act(parties.reviewer, row, "return", comment="看不清").json["status"] == "returned"
