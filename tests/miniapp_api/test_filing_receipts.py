"""What an enterprise reads before and after it sends a filing: the check (预检) and the receipt (提交回执)."""

import base64
import hashlib
import io
from collections.abc import Callable

import pytest
import zxingcpp
from apiflask import APIFlask
from PIL import Image

from core import clock
from tests import paperwork
from tests import parties as both
from tests.newcomers import code_of
from tests.parties import WORKS, Parties, act, upload
from tests.people import Person, new_id


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def order(parties: Parties) -> str:
    """The id of a rectification (整改) that was ordered."""
    filing_id = new_id()
    body = {
        "kind": "rectification",
        "uscc": WORKS,
        "data": {"problem": "记录不齐全", "due_on": clock.today().isoformat()},
    }
    assert parties.reviewer.put(f"/filings/{filing_id}", body).status_code == 201
    return filing_id


def save(parties: Parties, filing_id: str, paper: bytes) -> None:
    """The report is uploaded and saved; nothing is sent."""
    report = upload(parties.enterprise, paper, "整改报告.pdf", "rectification_report")
    body = {
        "data": {"measures": "已补齐记录"}, "documents": [{"category": "rectification_report", "file_id": report}],
        "version": parties.enterprise.get(f"/filings/{filing_id}").json["version"],
    }  # fmt: skip
    assert parties.enterprise.put(f"/filings/{filing_id}", body).status_code == 200


def test_the_check_says_what_sending_would_say_and_changes_nothing(parties: Parties) -> None:
    filing_id = order(parties)
    before = parties.enterprise.get(f"/filings/{filing_id}").json
    assert parties.enterprise.put(f"/filings/{filing_id}", {"data": {}, "version": 1}).status_code == 200
    found = parties.enterprise.get(f"/filings/{filing_id}/check")
    sent = act(parties.enterprise, parties.enterprise.get(f"/filings/{filing_id}").json, "submit")
    assert found.json["errors"] == sent.json["errors"]
    assert [(fault["path"], fault["message"]) for fault in found.json["errors"]] == [("/documents", "请上传“整改报告”")]
    save(parties, filing_id, paperwork.pdf("一"))
    assert parties.enterprise.get(f"/filings/{filing_id}/check").json == {"errors": [], "owed": []}
    after = parties.enterprise.get(f"/filings/{filing_id}").json
    assert (after["status"], after["sent"]) == (before["status"], 0)


def test_only_the_enterprise_checks_and_only_while_it_can_send(parties: Parties) -> None:
    filing_id = order(parties)
    assert parties.reviewer.get(f"/filings/{filing_id}/check").status_code == 403
    for stranger in (parties.other_enterprise, parties.far_reviewer):
        assert stranger.get(f"/filings/{filing_id}/check").status_code in (403, 404)
    save(parties, filing_id, paperwork.pdf("二"))
    assert act(parties.enterprise, parties.enterprise.get(f"/filings/{filing_id}").json, "submit").status_code == 200
    assert code_of(parties.enterprise.get(f"/filings/{filing_id}/check")) == (409, "wrong_status")


def test_each_sending_has_a_receipt_with_its_own_number_time_and_digests(parties: Parties) -> None:
    filing_id, papers = order(parties), [paperwork.pdf("第一次"), paperwork.pdf("第二次")]
    assert code_of(parties.enterprise.get(f"/filings/{filing_id}/receipt")) == (404, "not_found")
    for paper in papers:
        save(parties, filing_id, paper)
        sent = act(parties.enterprise, parties.enterprise.get(f"/filings/{filing_id}").json, "submit").json
        receipt = parties.enterprise.get(f"/filings/{filing_id}/receipt").json
        assert receipt["sent_at"] == sent["sent_at"]
        assert [one["sha256"] for one in receipt["documents"]] == [hashlib.sha256(paper).hexdigest()]
        assert receipt["documents"][0]["category_title"] == "整改报告"
        if paper is papers[0]:
            filing = parties.reviewer.get(f"/filings/{filing_id}").json
            assert act(parties.reviewer, filing, "return", comment="请补充照片").status_code == 200
    receipts = [parties.enterprise.get(f"/filings/{filing_id}/receipt?sending={n}").json for n in (1, 2)]
    assert receipts[1] == receipt
    assert receipts[0]["number"] != receipts[1]["number"]
    assert receipts[0]["number"].startswith(f"{clock.today():%Y%m%d}-")
    moves = parties.enterprise.get(f"/filings/{filing_id}/history").json["items"]
    assert [one["content"] for one in receipts] == [move["content"] for move in moves if "content" in move]


def test_the_code_of_a_receipt_leads_to_it_and_opens_only_by_right(parties: Parties) -> None:
    filing_id = order(parties)
    save(parties, filing_id, paperwork.pdf("三"))
    act(parties.enterprise, parties.enterprise.get(f"/filings/{filing_id}").json, "submit")
    receipt = parties.enterprise.get(f"/filings/{filing_id}/receipt").json
    picture = Image.open(io.BytesIO(base64.b64decode(receipt["qr"].partition(",")[2]))).convert("L")
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == receipt["url"]
    assert read.text.endswith(f"/app/#/pages/enterprise/receipt?id={filing_id}&sending=1")
    assert parties.reviewer.get(f"/filings/{filing_id}/receipt").json["number"] == receipt["number"]
    for stranger in (parties.other_enterprise, parties.far_reviewer):
        assert stranger.get(f"/filings/{filing_id}/receipt").status_code == 404
