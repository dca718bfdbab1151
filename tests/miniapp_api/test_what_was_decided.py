"""What a decision leaves on a filing: its opinion, a new date, or that an order was taken back (撤销)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from accounts.verbs import Role
from core import clock
from core.db import Database
from enterprise.filings.models import Filing
from tests import paperwork
from tests import parties as both
from tests.newcomers import code_of, make_user
from tests.older_schemas import at_revision
from tests.parties import DECLARATION, WORKS, Parties, act, open_declaration, upload
from tests.people import Person, faults, new_id, with_problem
from tests.records import save, submit

Json = dict[str, Any]
_MADE = next((Path(__file__).resolve().parents[2] / "migrations" / "versions").glob("*_decisions.py"))
BEFORE = f"{int(_MADE.name[:4]) - 1:04}"
"""The revision before the one that put decisions right."""


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def in_days(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


def ordered(parties: Parties, **data: Any) -> Json:
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不全", "due_on": in_days(10), **data}}
    answer = parties.reviewer.put(f"/filings/{new_id()}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def reported(parties: Parties, row: Json) -> Json:
    page = upload(parties.enterprise, paperwork.pdf(new_id()), "整改报告.pdf", "rectification_report")
    documents = [{"category": "rectification_report", "file_id": page}]
    saved = parties.enterprise.put(f"/filings/{row['id']}", {"documents": documents, "version": row["version"]})
    return dict(act(parties.enterprise, saved.json, "submit").json)


def read_by(person: Person, row: Json) -> Json:
    """The record; the list says the same."""
    (listed,) = (one for one in person.get(f"/filings?kind={row['kind']}").json["items"] if one["id"] == row["id"])
    whole = person.get(f"/filings/{row['id']}").json
    assert listed == {name: whole[name] for name in listed}
    return dict(whole)


def todos(person: Person) -> list[Json]:
    return list(person.get("/todos").json["items"])


def test_an_approved_declaration_no_longer_shows_the_opinion_with_which_it_was_once_returned(parties: Parties) -> None:
    row = open_declaration(parties)
    saved = parties.enterprise.put(f"/filings/{row['id']}", {"data": DECLARATION, "version": row["version"]}).json
    sent = act(parties.enterprise, saved, "submit").json
    returned = act(parties.reviewer, sent, "return", comment="住所与执照不符").json
    assert returned["opinion"] == "住所与执照不符"
    again = act(parties.enterprise, returned, "submit", comment="已改").json
    # What was decided last still stands, and an enterprise's own words are no opinion.
    assert again["opinion"] == "住所与执照不符"
    done = act(parties.reviewer, again, "approve").json
    assert (done["status"], done["opinion"]) == ("done", None)
    for person in (parties.enterprise, parties.reviewer):
        assert read_by(person, done)["opinion"] is None
    told = parties.enterprise.get(f"/filings/{row['id']}/history").json["items"]
    assert [one["comment"] for one in told if one["action"] == "return"] == ["住所与执照不符"]


def test_an_approval_with_an_opinion_shows_that_one(parties: Parties) -> None:
    row = reported(parties, ordered(parties))
    row = reported(parties, act(parties.reviewer, row, "return", comment="照片不清").json)
    closed = act(parties.reviewer, row, "close", comment="现场核实，已整改").json
    assert (closed["status"], closed["opinion"]) == ("closed", "现场核实，已整改")


def test_a_closed_rectification_shows_no_reason_of_an_earlier_return(parties: Parties) -> None:
    row = reported(parties, ordered(parties))
    row = reported(parties, act(parties.reviewer, row, "return", comment="照片不清").json)
    closed = act(parties.reviewer, row, "close").json
    assert (closed["status"], closed["opinion"]) == ("closed", None)
    assert read_by(parties.enterprise, closed)["opinion"] is None


def test_a_table_that_the_system_finishes_shows_no_reason_of_an_earlier_return(parties: Parties) -> None:
    filled = {"org_name": "某厂", "filled_by": "孙某", "check_date": in_days(0)}
    good = {"1": "yes", "1.licence": WORKS, "2": "yes", "3": "yes", "4": "yes", "5": "no"}
    bad = {**good, "2": "no", "2.problem": "没有索证"}
    page = upload(parties.enterprise, paperwork.pdf(), "报告.pdf", "rectification_report")
    body = {
        "kind": "self_check_sales", "data": {**filled, "answers": bad},
        "documents": [{"category": "rectification_report", "file_id": page}],
    }  # fmt: skip
    row = parties.enterprise.put(f"/filings/{new_id()}", body).json
    row = act(parties.enterprise, row, "submit").json
    assert row["status"] == "rectifying"
    row = act(parties.reviewer, row, "return", comment="请附照片").json
    row = parties.enterprise.put(
        f"/filings/{row['id']}", {"data": {**filled, "answers": good}, "version": row["version"]}
    ).json
    row = act(parties.enterprise, row, "submit").json
    assert (row["status"], row["opinion"]) == ("done", None)


def test_after_a_return_with_a_new_date_everybody_reads_the_new_one_everywhere(parties: Parties) -> None:
    row = reported(parties, ordered(parties))
    old, new = row["due_on"], in_days(40)
    row = act(parties.reviewer, row, "return", comment="照片不清", due_on=new).json
    for person in (parties.enterprise, parties.reviewer):
        shown = read_by(person, row)
        assert (shown["due_on"], shown["data"]["due_on"], shown["colour"]) == (new, new, "yellow")
        assert old not in str({name: shown[name] for name in ("data", "due_on", "summary")})
    assert [todo["due_on"] for todo in todos(parties.enterprise)] == [new]
    # Saving what was read does not bring the old one back, nor does sending it.
    saved = parties.enterprise.put(f"/filings/{row['id']}", {"data": {"due_on": old}, "version": row["version"]}).json
    row = reported(parties, saved)
    for person in (parties.enterprise, parties.reviewer):
        assert read_by(person, row)["data"]["due_on"] == new
    versions = parties.reviewer.get(f"/filings/{row['id']}/versions").json["items"]
    assert [version["data"]["due_on"] for version in versions] == [old, new]


def test_a_new_date_after_a_return_holds_on_its_last_day_and_is_late_the_day_after(
    parties: Parties, clock: Any
) -> None:
    row = reported(parties, ordered(parties))
    act(parties.reviewer, row, "return", comment="照片不清", due_on="2027-01-01")
    clock.move_to("2027-01-01T23:59:30+08:00")
    parties.enterprise = both.sign_in_enterprise(parties.enterprise.client.application, WORKS)  # type: ignore[arg-type]
    assert read_by(parties.enterprise, row)["colour"] == "yellow"
    clock.move_to("2027-01-02T00:00:00+08:00")
    assert read_by(parties.enterprise, row)["colour"] == "red"
    assert [todo["colour"] for todo in todos(parties.enterprise)] == ["red"]


def test_a_rectification_that_the_office_orders_by_itself_shows_under_the_supervision_checks(parties: Parties) -> None:
    row = ordered(parties)
    (shown,) = parties.enterprise.get("/supervision-checks").json["items"]
    assert shown["rectification_id"] == row["id"] and shown["rectification_status_label"] == "待上传整改报告"
    assert (shown["kind"], shown["product_code"], shown["result"]) == ("rectification", None, "problems")
    assert (shown["problems"], shown["checked_on"]) == ("记录不全", in_days(0))
    assert shown["office_name"] == "天宁区市场监督管理局"
    assert parties.enterprise.get("/supervision-checks?q=记录").json["total"] == 1
    assert parties.other_enterprise.get("/supervision-checks").json["total"] == 0


def test_one_that_is_ordered_from_a_check_stands_there_once(parties: Parties, county_inspector: Person) -> None:
    check = submit(county_inspector, with_problem(uscc=WORKS))
    order = {"problem": "出厂检验记录不齐全", "due_on": in_days(10)}
    row = parties.reviewer.post(f"/inspections/{check['id']}/rectification", order).json
    (shown,) = parties.enterprise.get("/supervision-checks").json["items"]
    assert (shown["id"], shown["rectification_id"]) == (check["id"], row["id"])
    assert shown["rectification_status_label"] == "待上传整改报告"


def test_a_wrongly_ordered_rectification_is_cancelled_with_a_reason_and_stays_readable(parties: Parties) -> None:
    row = ordered(parties)
    assert faults(act(parties.reviewer, row, "cancel")) == {"/comment": "required"}
    for person, refusal in ((parties.enterprise, (403, "forbidden")), (parties.far_reviewer, (404, "not_found"))):
        assert code_of(act(person, row, "cancel", comment="我不改")) == refusal
    gone = act(parties.reviewer, row, "cancel", comment="下达对象有误").json
    assert (gone["status"], gone["status_label"], gone["opinion"]) == ("cancelled", "已撤销", "下达对象有误")
    assert gone["finished_at"] is not None
    for person in (parties.enterprise, parties.reviewer):
        assert read_by(person, gone)["opinion"] == "下达对象有误"
    # The to-do to report is gone; the enterprise is told, until it says that it knows.
    (told,) = todos(parties.enterprise)
    assert told["title"].startswith("整改已撤销，无需上传整改报告") and told["link"] == f"/filings/{row['id']}"
    assert (told["due_on"], told["colour"]) == (None, "yellow")
    assert code_of(act(parties.enterprise, gone, "submit")) == (409, "wrong_status")
    assert code_of(act(parties.reviewer, gone, "cancel", comment="再次")) == (409, "wrong_status")
    known = act(parties.enterprise, gone, "acknowledge").json
    assert (known["status_label"], known["tag"], known["opinion"]) == ("已撤销", "企业已知悉", "下达对象有误")
    assert known["finished_at"] == gone["finished_at"]
    assert todos(parties.enterprise) == []
    assert parties.reviewer.get("/filings?kind=rectification&status=cancelled").json["total"] == 1
    (shown,) = parties.enterprise.get("/supervision-checks").json["items"]
    assert shown["rectification_status_label"] == "已撤销"


def test_a_rectification_that_was_reported_can_be_cancelled_too_and_the_office_has_no_to_do_left(
    parties: Parties,
) -> None:
    row = reported(parties, ordered(parties))
    assert len(todos(parties.reviewer)) == 1
    assert act(parties.reviewer, row, "cancel", comment="重复下达").json["status"] == "cancelled"
    assert todos(parties.reviewer) == [] and len(todos(parties.enterprise)) == 1
    closed = act(parties.reviewer, reported(parties, ordered(parties)), "close").json
    assert code_of(act(parties.reviewer, closed, "cancel", comment="迟了")) == (409, "wrong_status")


def test_the_same_order_after_it_was_cancelled_says_that_it_was(parties: Parties, county_inspector: Person) -> None:
    check = submit(county_inspector, with_problem(uscc=WORKS))
    path, order = f"/inspections/{check['id']}/rectification", {"problem": "记录不全", "due_on": in_days(10)}
    row = parties.reviewer.post(path, order).json
    act(parties.reviewer, row, "cancel", comment="期限有误")
    same = parties.reviewer.post(path, order)
    assert (same.status_code, same.json["status"]) == (200, "cancelled")
    assert [warning["code"] for warning in same.json["warnings"]] == ["order_cancelled"]
    other = parties.reviewer.post(path, {**order, "due_on": in_days(20)})
    assert (other.status_code, other.json["status"]) == (201, "to_upload")


def test_no_rectification_is_ordered_from_a_draft(
    parties: Parties, database: Database, sign_in: Callable[[str], Person]
) -> None:
    make_user(database, "320402", "both", Role.INSPECTOR, Role.LICENCE_REVIEWER)
    person = sign_in("both")
    draft = save(person, with_problem(uscc=WORKS))
    order = {"problem": "记录不全", "due_on": in_days(10)}
    refused = person.post(f"/inspections/{draft['id']}/rectification", order)
    assert code_of(refused) == (409, "wrong_status")
    assert refused.json["current_status"] == "draft" and "提交" in refused.json["detail"]
    # Who may not see the draft learns nothing of it.
    assert code_of(parties.reviewer.post(f"/inspections/{draft['id']}/rectification", order)) == (404, "not_found")
    # Nor by the way of filings: what such an order is about is not said by the body.
    body = {"kind": "rectification", "uscc": WORKS, "data": order, "subject": {"type": "inspection", "id": draft["id"]}}
    assert faults(person.put(f"/filings/{new_id()}", body)) == {"/subject": "no_subject"}
    with database.read() as session:
        assert not [one for one in session.query(Filing).all() if one.subject_id == UUID(draft["id"])]
    person.delete(f"/inspections/{draft['id']}")
    assert code_of(person.post(f"/inspections/{draft['id']}/rectification", order)) == (404, "not_found")


def test_what_was_decided_before_this_release_is_put_right_by_its_upgrade(parties: Parties, database: Database) -> None:
    row = reported(parties, ordered(parties, check_date=in_days(-3)))
    row = reported(parties, act(parties.reviewer, row, "return", comment="照片不清").json)
    closed = act(parties.reviewer, row, "close").json
    said = act(parties.reviewer, reported(parties, ordered(parties)), "close", comment="已核实").json
    with at_revision(database, BEFORE), database.write() as session:  # as the release before left it
        session.execute(
            text("UPDATE filings SET opinion = '照片不清' WHERE id IN (:one, :two)"),
            {"one": _stored(database, closed["id"]), "two": _stored(database, said["id"])},
        )
        assert session.execute(text("SELECT count(*) FROM supervision_checks")).scalar_one() == 0
    assert read_by(parties.enterprise, closed)["opinion"] is None
    assert read_by(parties.enterprise, said)["opinion"] == "已核实"
    shown = parties.enterprise.get("/supervision-checks").json["items"]
    assert [(one["rectification_id"], one["checked_on"]) for one in shown] == [
        (said["id"], in_days(0)), (closed["id"], in_days(-3)),
    ]  # fmt: skip
    assert {one["office_name"] for one in shown} == {"天宁区市场监督管理局"}


def _stored(database: Database, identifier: str) -> str:
    return identifier.replace("-", "") if database.engine.dialect.name == "sqlite" else identifier
