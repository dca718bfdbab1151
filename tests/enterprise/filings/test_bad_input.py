"""What a filing refuses, and that a lost answer can be asked for again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import func, select

from assets.files.models import File
from assets.files.sweeping import sweep
from core import clock
from core.db import Database
from enterprise.filings.models import Filing
from enterprise.filings.steps.actions import FINISHED
from enterprise.models import Enterprise
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests.parties import DECLARATION, OTHER_WORKS, WORKS, Parties, act, open_declaration, upload
from tests.people import Person, faults, new_id

TODAY = clock.today()
Json = dict[str, Any]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def saved(person: Person, filing_id: str, body: Json) -> Json:
    answer = person.put(f"/filings/{filing_id}", body)
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return dict(answer.json)


def declaration(parties: Parties, **changes: Any) -> Json:
    row = open_declaration(parties)
    return saved(parties.enterprise, row["id"], {"data": {**DECLARATION, **changes}, "version": row["version"]})


def pending(parties: Parties) -> Json:
    return dict(act(parties.enterprise, declaration(parties), "submit").json)


def topic(parties: Parties, **changes: Any) -> str:
    template = upload(parties.reviewer, paperwork.docx(new_id()), "模板.docx", "template")
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template, **changes}
    topic_id = new_id()
    answer = parties.reviewer.put(f"/self-check-topics/{topic_id}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return topic_id


def report_of(topic_id: str, *files: str, category: str = "self_check_report") -> Json:
    return {
        "kind": "self_check_report",
        "subject": {"type": "self_check_topic", "id": topic_id},
        "data": {"check_date": TODAY.isoformat()},
        "documents": [{"category": category, "file_id": file_id} for file_id in files],
    }


def report_file(person: Person, name: str = "自查报告.pdf", purpose: str = "self_check_report") -> str:
    return upload(person, paperwork.pdf(new_id()), name, purpose)


def ordered(parties: Parties, days: int = 10) -> Json:
    order = {"problem": "出厂检验记录不齐全", "due_on": (clock.today() + timedelta(days=days)).isoformat()}
    return saved(parties.reviewer, new_id(), {"kind": "rectification", "uscc": WORKS, "data": order})


def replied(parties: Parties, row: Json) -> Json:
    file_id = upload(parties.enterprise, paperwork.pdf(new_id()), "整改.pdf", "rectification_report")
    documents = [{"category": "rectification_report", "file_id": file_id}]
    own = saved(parties.enterprise, row["id"], {"documents": documents, "version": row["version"]})
    return dict(act(parties.enterprise, own, "submit").json)


def overdue(database: Database, row: Json) -> None:
    """As if a day had passed since the last one: sessions would not live that long."""
    with database.write() as session:
        session.get_one(Filing, UUID(row["id"])).due_on = TODAY - timedelta(days=1)


def test_a_declaration_must_be_saved_before_it_is_sent(parties: Parties) -> None:
    answer = act(parties.enterprise, open_declaration(parties), "submit")
    assert faults(answer) == {"/data": "not_saved"}


def test_a_stale_version_is_refused_with_the_current_one(parties: Parties) -> None:
    row = declaration(parties)
    answers = [
        parties.enterprise.put(f"/filings/{row['id']}", {"data": {**DECLARATION, "remark": "旧"}, "version": 1}),
        act(parties.enterprise, {**row, "version": 1}, "submit"),
    ]
    for answer in answers:
        assert (*code(answer), answer.json["current_version"]) == (409, "stale_version", 2)


def test_a_lost_answer_can_be_asked_for_again(parties: Parties) -> None:
    row = open_declaration(parties)
    body = {"data": DECLARATION, "version": row["version"]}
    first = saved(parties.enterprise, row["id"], body)
    assert saved(parties.enterprise, row["id"], body) == first
    sent = act(parties.enterprise, first, "submit").json
    again = act(parties.enterprise, first, "submit")
    assert (again.status_code, again.json) == (200, sent)
    assert saved(parties.enterprise, row["id"], body)["status"] == "pending"
    done = act(parties.reviewer, sent, "approve").json
    for _ in range(3):
        again = act(parties.reviewer, sent, "approve")
        assert (again.status_code, again.json) == (200, done)
    assert act(parties.enterprise, first, "submit").json["status"] == "done"
    rows = parties.enterprise.get("/filings?kind=data_declaration").json["items"]
    assert [r["status"] for r in rows] == ["update", "done"]


def test_a_filing_opened_twice_is_one_and_its_id_is_nobody_elses(parties: Parties) -> None:
    filing_id, body = new_id(), report_of(topic(parties), report_file(parties.enterprise))
    first = parties.enterprise.put(f"/filings/{filing_id}", body)
    again = parties.enterprise.put(f"/filings/{filing_id}", body)
    assert (first.status_code, again.status_code) == (201, 200) and first.json == again.json
    theirs = parties.other_enterprise.put(f"/filings/{filing_id}", report_of(body["subject"]["id"]))
    assert code(theirs) == (404, "not_found")


def test_a_side_opens_only_what_falls_to_it(parties: Parties) -> None:
    order = {"problem": "某问题", "due_on": TODAY.isoformat()}
    refused = [
        parties.enterprise.put(f"/filings/{new_id()}", {"kind": "rectification", "uscc": WORKS, "data": order}),
        parties.reviewer.put(f"/filings/{new_id()}", {**report_of(topic(parties)), "uscc": WORKS}),
        parties.enterprise.put(f"/filings/{new_id()}", {"kind": "data_declaration", "data": DECLARATION}),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    unknown = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "wish", "data": {}})
    assert faults(unknown) == {"/kind": "unknown_kind"}


def test_an_order_that_cannot_stand_is_refused_with_all_faults(parties: Parties) -> None:
    def order(uscc: Any = WORKS, **data: Any) -> Any:
        return parties.reviewer.put(f"/filings/{new_id()}", {"kind": "rectification", "uscc": uscc, "data": data})

    assert faults(order()) == {"/data/problem": "required", "/data/due_on": "required"}
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert faults(order(problem="某问题", due_on=yesterday)) == {"/data/due_on": "out_of_range"}
    for uscc in (None, "91320400MA1TEX0012", 7, "91320400MA0000103Q"):
        assert faults(order(uscc, problem="某问题", due_on=TODAY.isoformat())) == {"/uscc": "unknown_enterprise"}


@pytest.mark.parametrize("field", ["uscc", "licence_no"])
def test_what_the_register_says_is_not_changed_by_a_declaration(parties: Parties, field: str) -> None:
    other = {"uscc": OTHER_WORKS, "licence_no": "(苏)XK06-001-99999"}[field]
    assert declaration(parties, **{field: other})["data"][field] == DECLARATION[field]


def test_what_the_bureau_ordered_is_not_changed_by_the_enterprise(parties: Parties) -> None:
    row = ordered(parties)
    data = {"problem": "没有问题", "due_on": "2099-01-01", "measures": "已补记"}
    own = saved(parties.enterprise, row["id"], {"data": data, "version": row["version"]})
    assert (own["data"]["problem"], own["data"]["due_on"]) == ("出厂检验记录不齐全", row["due_on"])
    assert (own["due_on"], own["data"]["measures"]) == (row["due_on"], "已补记")


def test_a_file_of_a_wrong_type_for_its_category_is_refused(parties: Parties) -> None:
    """No .docx for a rectification, no picture for a self-check report (seed 000)."""
    topic_id = topic(parties)
    for name, content, purpose in (
        ("整改.jpg", paperwork.jpeg(), "rectification_report"),
        ("附件.pdf", paperwork.pdf(), "declaration_attachment"),
    ):
        file_id = upload(parties.enterprise, content, name, purpose)
        answer = parties.enterprise.put(f"/filings/{new_id()}", report_of(topic_id, file_id))
        assert faults(answer) == {"/documents/0/file_id": "wrong_file_type"}
        assert parties.enterprise.get(f"/files/{file_id}").status_code == 200
    unknown = parties.enterprise.put(
        f"/filings/{new_id()}", report_of(topic_id, report_file(parties.enterprise), category="something")
    )
    assert faults(unknown) == {"/documents/0/file_id": "unknown_category"}


def test_a_file_of_another_user_cannot_be_claimed_nor_told_from_one_that_is_not_there(parties: Parties) -> None:
    topic_id, theirs = topic(parties), report_file(parties.other_enterprise)
    answers = [parties.enterprise.put(f"/filings/{new_id()}", report_of(topic_id, f)) for f in (theirs, new_id(), "x")]
    assert {tuple(faults(answer).items()) for answer in answers} == {(("/documents/0/file_id", "unknown_file"),)}
    for part in ("", "/preview"):
        assert parties.enterprise.get(f"/files/{theirs}{part}").status_code == 404


def test_a_file_belongs_to_one_record(parties: Parties) -> None:
    topic_id, file_id = topic(parties), report_file(parties.enterprise)
    saved(parties.enterprise, new_id(), report_of(topic_id, file_id))
    second = parties.enterprise.put(f"/filings/{new_id()}", report_of(topic_id, file_id))
    assert faults(second) == {"/documents/0/file_id": "file_claimed"}
    twice = report_file(parties.enterprise)
    assert (
        "repeated_file"
        in faults(parties.enterprise.put(f"/filings/{new_id()}", report_of(topic_id, twice, twice))).values()
    )


@pytest.mark.parametrize("documents", ["x", {}, [1], [{}], [None], [{"category": 1, "file_id": 2}], [{}] * 101])
def test_documents_that_are_no_list_of_files_are_refused(parties: Parties, documents: Any) -> None:
    body = {**report_of(topic(parties)), "documents": documents}
    assert parties.enterprise.put(f"/filings/{new_id()}", body).status_code == 422


@pytest.mark.parametrize("data", ["x", [], 7, {"unknown": 1}, {"check_date": "gestern"}])
def test_data_that_the_form_does_not_know_are_refused(parties: Parties, data: Any) -> None:
    answer = parties.enterprise.put(f"/filings/{new_id()}", {**report_of(topic(parties)), "data": data})
    assert answer.status_code == (201 if data == [] else 422)


def test_a_file_that_a_sent_version_names_stays_whatever_the_working_copy_says(
    parties: Parties, application: APIFlask
) -> None:
    services = application.extensions[KEY]
    file_id, draft_id = report_file(parties.enterprise), report_file(parties.enterprise, "新.pdf")
    row = saved(parties.enterprise, new_id(), report_of(topic(parties), file_id))
    row = act(parties.enterprise, act(parties.enterprise, row, "submit").json, "withdraw").json
    path = f"/filings/{row['id']}"
    replaced = [{"category": "self_check_report", "file_id": draft_id}]
    row = saved(parties.enterprise, row["id"], {"documents": replaced, "version": row["version"]})
    row = saved(parties.enterprise, row["id"], {"documents": [], "version": row["version"]})
    with time_machine.travel(clock.now() + timedelta(days=3), tick=False):
        swept = sweep(services.database, services.uploads.storage, services.settings.incoming_dir)
    assert swept.files == 1  # the second one, which was never sent
    assert parties.reviewer.get(f"/files/{file_id}").data == parties.enterprise.get(f"/files/{file_id}").data != b""
    assert parties.reviewer.get(path).json["documents"] == [{"category": "self_check_report", "file_id": file_id}]
    assert parties.enterprise.get(f"{path}/versions").json["items"][0]["documents"][0]["file_id"] == file_id
    missing = act(parties.enterprise, row, "submit")
    assert faults(missing) == {"/documents": "required"}


def test_a_deleted_report_is_gone_for_both_sides_and_deleting_it_again_is_no_fault(parties: Parties) -> None:
    file_id = report_file(parties.enterprise)
    row = act(
        parties.enterprise, saved(parties.enterprise, new_id(), report_of(topic(parties), file_id)), "submit"
    ).json
    path = f"/filings/{row['id']}"
    assert parties.other_enterprise.delete(path).status_code == 404
    assert parties.reviewer.delete(path).status_code == 403
    assert [parties.enterprise.delete(path).status_code for _ in range(2)] == [200, 200]
    for person in (parties.enterprise, parties.reviewer):
        assert person.get(path).status_code == person.get(f"/files/{file_id}").status_code == 404
        assert person.get(f"/files/{file_id}/preview").status_code == 404
        assert row["id"] not in [item["id"] for item in person.get("/filings").json["items"]]
    assert parties.reviewer.get("/todos").json["items"] == []


def test_an_enterprise_cannot_reach_what_is_anothers_by_its_id(parties: Parties) -> None:
    file_id = report_file(parties.enterprise)
    topic_id = topic(parties)
    row = act(parties.enterprise, saved(parties.enterprise, new_id(), report_of(topic_id, file_id)), "submit").json
    path = f"/filings/{row['id']}"
    for stranger in (parties.other_enterprise, parties.far_reviewer):
        calls = [
            stranger.get(path), stranger.get(f"{path}/versions"), stranger.get(f"{path}/history"),
            stranger.get(f"/files/{file_id}"), stranger.get(f"/files/{file_id}/preview"),
            stranger.put(path, {"data": {}, "version": row["version"]}),
            *(act(stranger, row, action) for action in ("submit", "withdraw", "delete", "read", "nothing")),
        ]  # fmt: skip
        assert {answer.status_code for answer in calls} == {404}
        assert stranger.get("/filings").json["total"] == 0
    theirs = parties.other_enterprise.put(f"/filings/{new_id()}", report_of(topic_id, file_id))
    assert faults(theirs) == {"/documents/0/file_id": "unknown_file"}


def test_an_office_sees_nothing_before_it_was_sent_and_keeps_what_it_was_sent(parties: Parties) -> None:
    row = declaration(parties)
    assert parties.reviewer.get(f"/filings/{row['id']}").status_code == 404
    assert act(parties.reviewer, row, "approve").status_code == 404
    row = act(parties.enterprise, act(parties.enterprise, row, "submit").json, "withdraw").json
    saved(parties.enterprise, row["id"], {"data": {**DECLARATION, "remark": "改"}, "version": row["version"]})
    seen = parties.reviewer.get(f"/filings/{row['id']}").json
    assert "remark" not in seen["data"] and (seen["status"], seen["actions"]) == ("update", [])
    assert code(act(parties.reviewer, seen, "approve")) == (409, "wrong_status")


def test_looking_changes_no_status(parties: Parties) -> None:
    row = act(
        parties.enterprise,
        saved(parties.enterprise, new_id(), report_of(topic(parties), report_file(parties.enterprise))),
        "submit",
    ).json
    for path in ("", "/versions", "/history"):
        assert parties.reviewer.get(f"/filings/{row['id']}{path}").status_code == 200
    assert parties.enterprise.get(f"/filings/{row['id']}").json["status"] == "unread"


def test_a_late_upload_is_taken_and_marked(parties: Parties, database: Database) -> None:
    late, in_time = ordered(parties, 1), ordered(parties, 9)
    overdue(database, late)
    assert replied(parties, late)["late"] is True
    assert replied(parties, in_time)["late"] is False


def test_the_light_is_yellow_until_the_last_day_is_over_and_red_after_it(parties: Parties, database: Database) -> None:
    rows = {"yellow": ordered(parties, 0), "red": ordered(parties, 3)}
    overdue(database, rows["red"])
    for colour, row in rows.items():
        assert parties.enterprise.get(f"/filings/{row['id']}").json["colour"] == colour
        after = replied(parties, row)
        assert after["colour"] is None, "it is the bureau's turn"
        back = act(parties.reviewer, after, "return", comment="照片看不清").json
        assert back["colour"] == colour


def test_a_return_may_set_a_new_date_which_must_be_one(parties: Parties) -> None:
    row = replied(parties, ordered(parties))
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    for due_on, fault in (("morgen", "bad_format"), ("2026-02-30", "bad_format"), (yesterday, "out_of_range")):
        refused = act(parties.reviewer, row, "return", comment="照片看不清", due_on=due_on)
        assert faults(refused) == {"/due_on": fault}
    later = (TODAY + timedelta(days=30)).isoformat()
    assert act(parties.reviewer, row, "return", comment="照片看不清", due_on=later).json["due_on"] == later
    assert [todo["due_on"] for todo in parties.enterprise.get("/todos").json["items"]] == [later]


def test_an_order_and_a_return_may_set_today_as_the_last_day(parties: Parties) -> None:
    row = replied(parties, ordered(parties, days=0))
    today = clock.today().isoformat()
    assert (row["due_on"], row["late"]) == (today, False)
    assert act(parties.reviewer, row, "return", comment="照片看不清", due_on=today).json["due_on"] == today


def test_a_finished_declaration_is_told_of_in_the_same_transaction_and_other_kinds_are_not(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    told: list[str] = []
    events = application.extensions[KEY].filings.events
    events.listen(FINISHED, lambda session, filing, kind: told.append(f"{kind.code} {filing.status}"))
    closed = act(parties.reviewer, replied(parties, ordered(parties)), "close")
    assert closed.json["status"] == "closed" and told == []
    act(parties.reviewer, pending(parties), "approve")
    assert told == ["data_declaration done"]

    def fail(session: Any, filing: Filing, kind: Any) -> None:
        raise RuntimeError("the listener fails")

    row = pending(parties)
    events.listen(FINISHED, fail)
    application.config["PROPAGATE_EXCEPTIONS"] = False
    assert act(parties.reviewer, row, "approve").status_code == 500
    assert parties.enterprise.get(f"/filings/{row['id']}").json["status"] == "pending"
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Filing).where(Filing.status == "update")) == 0


def test_what_was_approved_stands_in_the_register_and_in_the_new_row(parties: Parties, database: Database) -> None:
    changed = {"licence_valid_to": "2031-12-31", "product_detail": "架空绞线", "production_address": "常州市新路9号"}
    act(parties.reviewer, act(parties.enterprise, declaration(parties, **changed), "submit").json, "approve")
    licence = parties.enterprise.get("/licences").json["items"][0]
    assert (licence["valid_to"], licence["product_detail"]) == ("2031-12-31", "架空绞线")
    with database.read() as session:
        enterprise = session.scalars(select(Enterprise).where(Enterprise.uscc == WORKS)).one()
        assert enterprise.production_address == "常州市新路9号"
    fresh = parties.enterprise.get(f"/filings/{open_declaration(parties)['id']}").json
    assert {name: fresh["data"][name] for name in changed} == changed
    assert (fresh["sent"], fresh["documents"], fresh["late"], fresh["opinion"]) == (0, [], False, None)


def test_files_are_claimed_only_by_a_filing_that_was_kept(parties: Parties, database: Database) -> None:
    file_id = report_file(parties.enterprise)
    body = {**report_of(topic(parties), file_id), "data": {"check_date": "gestern"}}
    assert parties.enterprise.put(f"/filings/{new_id()}", body).status_code == 422
    with database.read() as session:
        assert session.scalars(select(File).where(File.purpose == "self_check_report")).one().claimed_id is None
