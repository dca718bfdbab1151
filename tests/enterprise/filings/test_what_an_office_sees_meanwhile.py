"""What an office sees of a filing while its enterprise changes it: what was sent, and nothing else."""

from typing import Any

import pytest

from core import clock
from tests import paperwork
from tests.newcomers import code_of
from tests.parties import DECLARATION, Parties, act, open_declaration, send_report, upload
from tests.people import Person, new_id

TODAY = clock.today().isoformat()
Json = dict[str, Any]


def put(person: Person, filing_id: str, body: Json) -> Json:
    answer = person.put(f"/filings/{filing_id}", body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return dict(answer.json)


def listed(person: Person, query: str = "") -> list[Json]:
    return list(person.get(f"/filings?{query}").json["items"])


@pytest.fixture
def report(parties: Parties) -> Json:
    """A self-check report that was sent, is taken back, and is being changed."""
    template = upload(parties.reviewer, paperwork.docx(new_id()), "模板.docx", "template")
    topic_id = new_id()
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template}
    assert parties.reviewer.put(f"/self-check-topics/{topic_id}", body).status_code == 201
    sent = send_report(parties, topic_id).json
    taken_back = act(parties.enterprise, sent, "withdraw").json
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "改过的报告.pdf", "self_check_report")
    changed = {
        "data": {"check_date": "2026-01-02"},
        "documents": [{"category": "self_check_report", "file_id": file_id}],
        "version": taken_back["version"],
    }
    return put(parties.enterprise, sent["id"], changed)


def test_a_report_being_changed_is_listed_as_it_was_sent(parties: Parties, report: Json) -> None:
    (row,) = listed(parties.reviewer)
    assert row["summary"] == {"check_date": TODAY}
    shown = parties.reviewer.get(f"/filings/{report['id']}").json
    assert (shown["summary"], shown["data"]["check_date"]) == ({"check_date": TODAY}, TODAY)
    (own,) = listed(parties.enterprise, "kind=self_check_report")
    assert own["summary"] == {"check_date": "2026-01-02"}


def test_a_report_being_changed_is_shown_as_unread_with_a_tag_and_found_among_the_unread(
    parties: Parties, report: Json
) -> None:
    for person in (parties.reviewer, parties.enterprise):
        for query in (
            "status=unread",
            "kind=self_check_report&status=unread",
            "status=unread&q=电缆",
            "status=editing",
        ):
            assert [row["id"] for row in listed(person, query)] == [report["id"]], query
            assert person.get(f"/filings?{query}").json["total"] == 1
        (row,) = listed(person, "status=unread")
        assert (row["status"], row["status_label"], row["tag"]) == ("editing", "未阅", "修改中")
        assert listed(person, "status=read") == []
    assert code_of(act(parties.reviewer, report, "read")) == (409, "wrong_status")
    again = act(parties.enterprise, report, "submit").json
    assert (again["status"], again["status_label"], again["tag"]) == ("unread", "未阅", None)
    assert listed(parties.reviewer, "status=editing") == []


def test_pages_of_what_is_unread_hold_what_is_being_changed_in_its_place(parties: Parties, report: Json) -> None:
    topic_id = report["subject"]["id"]
    sent = [send_report(parties, topic_id).json["id"] for _ in range(2)]
    act(parties.reviewer, send_report(parties, topic_id).json, "read")
    wanted = [*reversed(sent), report["id"]]
    pages = [parties.reviewer.get(f"/filings?status=unread&page_size=2&page={page}").json for page in (1, 2, 3)]
    assert [[row["id"] for row in page["items"]] for page in pages] == [wanted[:2], wanted[2:], []]
    assert {(page["total"], page["total_is_exact"]) for page in pages} == {(3, True)}


def test_a_returned_declaration_keeps_the_product_that_was_sent_in_the_list(parties: Parties) -> None:
    row = open_declaration(parties)
    row = put(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    row = act(parties.enterprise, row, "submit").json
    row = act(parties.reviewer, row, "return", comment="请补充").json
    put(
        parties.enterprise,
        row["id"],
        {"data": {**DECLARATION, "product_detail": "改到一半"}, "version": row["version"]},
    )
    (shown,) = listed(parties.reviewer)
    assert shown["summary"] == {"licence_no": "(苏)XK06-001-00001", "product_detail": DECLARATION["product_detail"]}
    assert (shown["status_label"], shown["tag"]) == ("审核不通过", None)


def test_an_office_fetches_only_files_that_were_sent(parties: Parties, report: Json) -> None:
    (unsent,) = (one["file_id"] for one in report["documents"])
    (sent,) = (one["file_id"] for one in parties.reviewer.get(f"/filings/{report['id']}").json["documents"])
    assert sent != unsent
    for part in ("", "/preview"):
        assert parties.reviewer.get(f"/files/{sent}{part}").status_code == 200
        assert code_of(parties.reviewer.get(f"/files/{unsent}{part}")) == (404, "not_found")
        assert parties.enterprise.get(f"/files/{unsent}{part}").status_code == 200
        assert parties.other_enterprise.get(f"/files/{sent}{part}").status_code == 404
    act(parties.enterprise, report, "submit")
    for file_id in (sent, unsent):
        assert parties.reviewer.get(f"/files/{file_id}").status_code == 200
