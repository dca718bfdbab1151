"""What either side reads of a filing: its words, its lists, and nothing that was not sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.verbs import Role
from core import clock
from core.db import Database
from tests import paperwork
from tests.newcomers import code_of, make_user
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration, send_report, upload
from tests.people import Person, faults, new_id
from tests.register import put_enterprises

TODAY = clock.today()
LATER = (TODAY + timedelta(days=30)).isoformat()
Json = dict[str, Any]


def put(person: Any, filing_id: str, body: Json) -> Json:
    answer = person.put(f"/filings/{filing_id}", body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return dict(answer.json)


def topic(parties: Parties, topic_id: str, **changes: Any) -> Json:
    template = changes.pop("template_file_id", None) or upload(
        parties.reviewer, paperwork.docx(new_id()), "模板.docx", "template"
    )
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template, **changes}
    answer = parties.reviewer.put(f"/self-check-topics/{topic_id}", body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return dict(answer.json)


def report(parties: Parties, topic_id: str) -> Json:
    """A report that was sent."""
    answer = send_report(parties, topic_id)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def ordered(parties: Parties, uscc: str = WORKS) -> Json:
    data = {"problem": "出厂检验记录不齐全", "due_on": LATER, "check_date": TODAY.isoformat()}
    return put(parties.reviewer, new_id(), {"kind": "rectification", "uscc": uscc, "data": data})


def prepared(parties: Parties, row: Json) -> Json:
    """An answer to the order that the enterprise saved and did not send."""
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "整改.pdf", "rectification_report")
    named = [{"category": "rectification_report", "file_id": file_id}]
    body = {"data": {"measures": "初稿"}, "documents": named, "version": row["version"]}
    return put(parties.enterprise, row["id"], body)


def listed(person: Any, filing: Json) -> Json:
    return dict(next(row for row in person.get("/filings").json["items"] if row["id"] == filing["id"]))


def test_an_office_reads_its_order_but_not_what_the_enterprise_prepares(parties: Parties) -> None:
    row = ordered(parties)
    own = prepared(parties, row)
    assert own["data"]["measures"] == "初稿" and len(own["documents"]) == 1
    seen = parties.reviewer.get(f"/filings/{row['id']}").json
    assert seen["data"] == {"problem": "出厂检验记录不齐全", "due_on": LATER, "check_date": TODAY.isoformat()}
    assert seen["documents"] == []
    act(parties.enterprise, own, "submit")
    seen = parties.reviewer.get(f"/filings/{row['id']}").json
    assert (seen["data"]["measures"], seen["documents"]) == ("初稿", own["documents"])


def test_a_new_date_stands_in_the_order_too(parties: Parties) -> None:
    sent = act(parties.enterprise, prepared(parties, ordered(parties)), "submit").json
    new_day = (TODAY + timedelta(days=60)).isoformat()
    act(parties.reviewer, sent, "return", comment="照片看不清", due_on=new_day)
    own = parties.enterprise.get(f"/filings/{sent['id']}").json
    assert (own["due_on"], own["data"]["due_on"], own["data"]["measures"]) == (new_day, new_day, "初稿")
    again = act(parties.enterprise, own, "submit").json
    assert parties.reviewer.get(f"/filings/{sent['id']}").json["data"]["due_on"] == again["due_on"] == new_day


def test_a_credit_code_is_understood_however_it_is_typed(parties: Parties) -> None:
    assert ordered(parties, WORKS.lower())["uscc"] == WORKS
    assert len(parties.reviewer.get(f"/licences?uscc={WORKS.lower()}").json["items"]) == 1


def test_what_was_read_is_refused_in_the_words_of_the_manual(parties: Parties) -> None:
    topic_id = new_id()
    topic(parties, topic_id)
    row = report(parties, topic_id)
    row = act(parties.reviewer, row, "read").json
    for refused, words in (
        (act(parties.enterprise, row, "withdraw"), "该报告已阅，不可撤回修改"),
        (act(parties.enterprise, row, "delete"), "该报告已阅，不可删除"),
        (parties.enterprise.delete(f"/filings/{row['id']}"), "该报告已阅，不可删除"),
    ):
        assert code_of(refused) == (409, "wrong_status")
        assert (refused.json["detail"], refused.json["current_status"]) == (words, "read")


@pytest.mark.parametrize("closing", [{"active": False}, {"open_to": (TODAY - timedelta(days=1)).isoformat()}])
def test_a_report_taken_back_is_sent_again_though_its_topic_closed_meanwhile(parties: Parties, closing: Json) -> None:
    topic_id = new_id()
    first = topic(parties, topic_id, open_from=(TODAY - timedelta(days=9)).isoformat())
    row = act(parties.enterprise, report(parties, topic_id), "withdraw").json
    kept = {"template_file_id": first["template_file_id"], "open_from": first["open_from"]}
    topic(parties, topic_id, **kept, **closing, version=1)
    assert act(parties.enterprise, row, "submit").json["status"] == "unread"
    late = {"kind": "self_check_report", "subject": {"type": "self_check_topic", "id": topic_id},
            "data": {"check_date": TODAY.isoformat()}}  # fmt: skip
    refused = act(parties.enterprise, put(parties.enterprise, new_id(), late), "submit")
    assert faults(refused) == {"/subject": "topic_closed", "/documents": "required"}


def test_lists_show_what_the_manual_shows(parties: Parties) -> None:
    """Topic and day of a report; day of the check and problem of a rectification; number and product of a licence."""
    topic_id = new_id()
    topic(parties, topic_id)
    sent, row = report(parties, topic_id), ordered(parties)
    declared = open_declaration(parties)
    for person in (parties.enterprise, parties.reviewer):
        shown = listed(person, sent)
        assert (shown["title"], shown["summary"]) == ("自查报告：2026年度自查", {"check_date": TODAY.isoformat()})
        assert listed(person, row)["summary"] == {"check_date": TODAY.isoformat(), "problem": "出厂检验记录不齐全"}
    numbered = {"licence_no": "(苏)XK06-001-00001", "product_detail": "塑料绝缘控制电缆"}
    assert listed(parties.enterprise, declared)["summary"] == numbered


def test_a_list_of_an_office_shows_nothing_that_the_enterprise_is_changing(parties: Parties) -> None:
    row = open_declaration(parties)
    row = put(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    row = act(parties.enterprise, act(parties.enterprise, row, "submit").json, "withdraw").json
    changed = {**DECLARATION, "product_detail": "改到一半"}
    put(parties.enterprise, row["id"], {"data": changed, "version": row["version"]})
    assert listed(parties.enterprise, row)["summary"]["product_detail"] == "改到一半"
    sent = {"licence_no": "(苏)XK06-001-00001", "product_detail": DECLARATION["product_detail"]}
    assert listed(parties.reviewer, row)["summary"] == sent


def test_an_office_reads_a_mobile_number_only_while_it_handles_the_filing(parties: Parties) -> None:
    row = open_declaration(parties)
    row = put(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    row = act(parties.enterprise, row, "submit").json
    path = f"/filings/{row['id']}"

    def read(person: Person) -> str:
        return str(person.get(path).json["data"]["contact_mobile"])

    def of_versions(person: Person) -> list[str]:
        return [version["data"]["contact_mobile"] for version in person.get(f"{path}/versions").json["items"]]

    assert read(parties.reviewer) == "13800000007" and of_versions(parties.reviewer) == ["138****0007"]
    assert act(parties.reviewer, row, "approve").json["status"] == "done"
    assert read(parties.reviewer) == "138****0007" and of_versions(parties.reviewer) == ["138****0007"]
    assert read(parties.enterprise) == "13800000007"


def moved(database: Database, **facts: Any) -> None:
    """常州某某电缆 has gone to 南京玄武."""
    with database.write() as session:
        new: Any = {"uscc": WORKS, "name": "常州某某电缆有限公司", "region_code": "320102", **facts}
        put_enterprises(session, new)


def test_the_accounts_of_an_enterprise_move_with_it(
    parties: Parties, database: Database, sign_in: Callable[[str], Person]
) -> None:
    make_user(database, "320100", "other_city_approver", Role.ACCOUNT_APPROVER)
    old, new = sign_in("city_reviewer"), sign_in("other_city_approver")
    user_id = parties.enterprise.get("/me").json["id"]
    moved(database, name="南京某某电缆有限公司")
    me = parties.enterprise.get("/me").json
    assert (me["enterprise"]["name"], me["region"]["code"]) == ("南京某某电缆有限公司", "320102")
    reset = f"/users/{user_id}/reset-password"
    assert code_of(old.post(reset, {})) == (404, "not_found")
    assert code_of(parties.reviewer.post(reset, {})) == (404, "not_found")
    assert code_of(new.post(reset, {})) == (403, "two_people_needed")
    assert parties.far_reviewer.post(reset, {}).status_code == 200


def test_what_was_not_sent_moves_with_its_enterprise_to_the_bureau_of_the_new_place(
    parties: Parties, database: Database
) -> None:
    order, row = ordered(parties), open_declaration(parties)
    row = put(parties.enterprise, row["id"], {"data": DECLARATION, "version": row["version"]})
    moved(database)
    sent = act(parties.enterprise, row, "submit").json
    assert code_of(act(parties.reviewer, sent, "approve")) == (404, "not_found")
    assert parties.reviewer.get(f"/filings/{order['id']}").status_code == 200
    assert parties.far_reviewer.get(f"/filings/{order['id']}").status_code == 404
    assert act(parties.far_reviewer, sent, "approve").json["status"] == "done"
