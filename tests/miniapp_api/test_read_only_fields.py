"""What a body says of fields that only the server writes: as they were read they are passed over, else a warning."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask

from core import clock
from inspection.submissions.sent import SERVER_SET
from tests import parties as both
from tests.parties import WORKS, Parties, act, open_declaration
from tests.people import Person, faults, new_id, production, spot_check, with_problem
from tests.records import save, submit

Json = dict[str, Any]


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def warned(answer: Any) -> list[str]:
    """Paths of the warnings `read_only` of an accepted write, each with a sentence."""
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    found = [warning for warning in answer.json["warnings"] if warning["code"] == "read_only"]
    assert all("不能修改" in warning["message"] for warning in found)
    return sorted(warning["path"] for warning in found)


def test_a_filing_that_is_sent_back_as_it_was_read_is_answered_without_a_warning(parties: Parties) -> None:
    row = parties.enterprise.get(f"/filings/{open_declaration(parties)['id']}").json
    answer = parties.enterprise.put(f"/filings/{row['id']}", {**row, "data": {**row["data"], "contact_name": "孙某"}})
    assert warned(answer) == [] and answer.json["data"]["contact_name"] == "孙某"


def test_a_filing_names_each_read_only_field_that_was_sent_differently(parties: Parties) -> None:
    row = open_declaration(parties)
    sent = {
        "version": row["version"], "status": "done", "title": "别的", "opinion": "同意", "uscc": "91320400MA1TEX0012",
        "kind": "rectification", "subject": None, "due_on": "2030-01-01",
        "data": {"uscc": "91320400MA1TEX0012", "licence_no": "(苏)XK06-001-09999", "contact_name": "孙某"},
    }  # fmt: skip
    for _ in range(2):  # a repetition is told the same of what never changes
        answer = parties.enterprise.put(f"/filings/{row['id']}", sent)
        assert {"/data/licence_no", "/data/uscc", "/kind", "/title", "/uscc"} <= set(warned(answer))
    assert answer.json["status"] == "update" and answer.json["data"]["licence_no"] == "(苏)XK06-001-00001"
    again = parties.enterprise.put(f"/filings/{row['id']}", {**sent, "version": row["version"] + 1})
    everything = ["/data/licence_no", "/data/uscc", "/due_on", "/kind", "/opinion", "/status", "/title"]
    assert warned(again) == [*everything, "/uscc"]


def test_a_new_filing_that_claims_a_status_is_warned(parties: Parties) -> None:
    body = {"kind": "self_check_sales", "uscc": "91320400MA1TEX0012", "status": "done", "sent": 3, "data": {}}
    answer = parties.enterprise.put(f"/filings/{new_id()}", body)
    assert (answer.status_code, warned(answer)) == (201, ["/sent", "/status", "/uscc"])
    same = {"kind": "self_check_sales", "uscc": WORKS.lower(), "data": {}}
    assert warned(parties.enterprise.put(f"/filings/{new_id()}", same)) == []


def test_a_date_that_a_step_cannot_set_is_warned(parties: Parties) -> None:
    due_on = (clock.today() + timedelta(days=10)).isoformat()
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不全", "due_on": due_on}}
    row = parties.reviewer.put(f"/filings/{new_id()}", body).json
    assert warned(act(parties.reviewer, row, "cancel", comment="误下", due_on="2030-01-01")) == ["/due_on"]


def test_a_draft_of_a_check_names_what_was_sent_differently(county_inspector: Person) -> None:
    record_id = new_id()
    body = production(status="submitted", username="别人", level="province", campaign_id=None, warnings=[])
    answer = county_inspector.put(f"/inspections/{record_id}", body)
    assert warned(answer) == ["/level", "/status", "/username"]
    read = county_inspector.get(f"/inspections/{record_id}").json
    assert read["warnings"] == []
    assert warned(county_inspector.put(f"/inspections/{record_id}", {**read, "remark": "补充"})) == []
    sent = {**production(version=2), "office": {"id": new_id(), "name": "别的局"}, "submitted_at": None}
    answer = county_inspector.put(f"/inspections/{record_id}/submission", sent)
    assert warned(answer) == ["/office"]


def test_a_submission_of_what_was_read_as_a_draft_is_not_warned(county_inspector: Person) -> None:
    draft = save(county_inspector)
    read = county_inspector.get(f"/inspections/{draft['id']}").json
    assert warned(county_inspector.put(f"/inspections/{draft['id']}/submission", read)) == []
    read = county_inspector.get(f"/inspections/{draft['id']}").json
    correction = {**read, "remark": "改", "reason": "更正", "problems_found": True}
    assert warned(county_inspector.put(f"/inspections/{draft['id']}/correction", correction)) == ["/problems_found"]


def test_a_spot_check_names_its_derived_fields_too(county_inspector: Person) -> None:
    body = spot_check(conclusion="fail")
    body["items"] = [{**body["items"][0], "item_name": "别的项目"}, *body["items"][1:]]
    answer = county_inspector.put(f"/spot-checks/{new_id()}/submission", body)
    assert warned(answer) == ["/conclusion", "/items/0/item_name"]
    read = county_inspector.get(f"/spot-checks/{answer.json['id']}").json
    assert warned(county_inspector.put(f"/spot-checks/{read['id']}/correction", {**read, "reason": "更正"})) == []


def test_every_field_is_named_in_chinese(county_inspector: Person) -> None:
    draft = save(county_inspector)
    sent = {**draft, **dict.fromkeys(sorted(SERVER_SET - {"warnings"}), "别的")}
    answer = county_inspector.put(f"/inspections/{draft['id']}", sent)
    assert "/returned" in warned(answer)
    for warning in answer.json["warnings"]:
        assert not re.search("[a-z]", warning["message"]), warning


def test_disposals_take_the_whole_record_and_change_nothing_else(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    path = f"/inspections/{record['id']}/disposals"
    sent = {**record, "disposals": {**record["disposals"], "7.1": "done"}, "remark": "顺便改", "status": "draft"}
    answer = county_inspector.put(path, sent)
    assert warned(answer) == ["/remark", "/status"]
    assert (answer.json["status"], answer.json["disposals"]["7.1"]) == ("submitted", "done")
    assert answer.json.get("remark") == record.get("remark")
    unknown = {"disposals": {"7.1": "done"}, "version": 2, "nonsense": 1}
    assert faults(county_inspector.put(path, unknown)) == {"/nonsense": "unknown_field"}
