"""The self-check tables on paper (附件2、附件3): to be signed and sent back, stale after a change, else a draft."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from miniapp_api.http.wiring import KEY
from tests.drawn_papers import codes, scanned, words
from tests.enterprise.filings.filled import filled
from tests.paperwork import pdf as scan
from tests.parties import Parties, act, upload
from tests.people import Person, new_id

pytestmark = pytest.mark.usefixtures("clock")

Json = dict[str, Any]
FOOT = {
    "self_check_sales": "注：如有存在问题，则需另附整改报告",
    "self_check_production": "注：如有存在问题，则需另附隐患台帐及整改报告。",
}


def saved(parties: Parties, application: Any, kind: str = "self_check_sales", **data: Any) -> Json:
    engine = application.extensions[KEY].filings
    said = {**filled(engine, engine.kinds[kind]), **data}
    answer = parties.enterprise.put(f"/filings/{new_id()}", {"kind": kind, "data": said})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def paper(person: Person, filing: Json) -> bytes:
    answer = person.get(f"/filings/{filing['id']}/record.pdf")
    assert answer.status_code == 200 and answer.mimetype == "application/pdf", answer.get_data(as_text=True)
    return bytes(answer.data)


@pytest.mark.parametrize("kind", sorted(FOOT))
def test_a_complete_table_is_printed_to_be_signed_and_holds_when_it_is_sent_with_the_signed_pages(
    parties: Parties, application: Any, client: FlaskClient, kind: str
) -> None:
    table = saved(parties, application, kind)
    printed = paper(parties.enterprise, table)
    said = words(printed)
    for word in ("天宁区工业产品质量安全隐患自查表", "自查单位（盖章）", "待签章", FOOT[kind], "第1页"):
        assert word in said, word
    assert "内容是最新的" in (page := scanned(client, printed)[1]) and "待签章，尚未提交" in page
    assert parties.reviewer.get(f"/filings/{table['id']}/record.pdf").status_code == 404

    pages = [upload(parties.enterprise, scan(f"page {n}"), f"{n}.pdf", "signed_pages") for n in (1, 2)]
    documents = [{"category": "signed_pages", "file_id": one} for one in pages]
    again = parties.enterprise.put(f"/filings/{table['id']}", {"documents": documents, "version": table["version"]})
    assert again.status_code == 200 and again.json["warnings"] == []
    sent = act(parties.enterprise, again.json, "submit")
    assert sent.status_code == 200, sent.get_data(as_text=True)
    assert [one["file_id"] for one in sent.json["documents"]] == pages
    page = scanned(client, printed)[1]
    assert "内容是最新的" in page and "待签章" not in page
    by_office = paper(parties.reviewer, table)
    assert codes(by_office) == codes(printed) and "待签章" not in words(by_office)


def test_a_change_after_printing_makes_the_print_stale_and_says_so(
    parties: Parties, application: Any, client: FlaskClient
) -> None:
    table = saved(parties, application)
    old = paper(parties.enterprise, table)
    data = {**table["data"], "filled_by": "另一人"}
    changed = parties.enterprise.put(f"/filings/{table['id']}", {"data": data, "version": table["version"]})
    assert [one["code"] for one in changed.json["warnings"]] == ["print_stale"]
    assert "内容已更新" in scanned(client, old)[1]
    back = {"data": table["data"], "version": changed.json["version"]}
    assert parties.enterprise.put(f"/filings/{table['id']}", back).json["warnings"] == []
    assert "内容是最新的" in scanned(client, old)[1]


def test_a_draft_says_so_across_and_a_deleted_table_has_no_print(
    parties: Parties, application: Any, client: FlaskClient
) -> None:
    table = saved(parties, application, filled_by="")
    draft = paper(parties.enterprise, table)
    assert "草稿" in words(draft) and codes(draft) == set() and "待签章" not in words(draft)
    whole = saved(parties, application)
    printed = paper(parties.enterprise, whole)
    assert parties.enterprise.delete(f"/filings/{whole['id']}").status_code == 200
    assert scanned(client, printed)[0] == 404


def test_neither_strangers_nor_kinds_without_a_paper_are_printed(parties: Parties, application: Any) -> None:
    table = saved(parties, application)
    for person in (parties.other_enterprise, parties.far_reviewer):
        assert person.get(f"/filings/{table['id']}/record.pdf").status_code == 404
    row = parties.enterprise.get("/filings?kind=data_declaration").json["items"][0]
    assert parties.enterprise.get(f"/filings/{row['id']}/record.pdf").status_code == 404
