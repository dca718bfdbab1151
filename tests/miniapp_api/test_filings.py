"""Filings over HTTP: orders from checks, deletion sent again, templates that are replaced."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask

from accounts.verbs import Role
from assets.files.models import File
from core import clock
from core.db import Database
from tests import paperwork
from tests import parties as both
from tests.newcomers import at_once, code_of, make_user
from tests.parties import OTHER_WORKS, WORKS, Parties, act, open_declaration, upload
from tests.people import Person, faults, new_id, production, with_problem
from tests.records import submit

Json = dict[str, Any]


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def ordering(check: Json) -> tuple[str, Json]:
    due_on = (clock.today() + timedelta(days=10)).isoformat()
    return f"/inspections/{check['id']}/rectification", {"problem": "出厂检验记录不齐全", "due_on": due_on}


def topic_with(person: Person, topic_id: str, template_id: str, **changes: Any) -> Any:
    body = {"title": "2026年度自查", "year": 2026, "template_file_id": template_id, **changes}
    return person.put(f"/self-check-topics/{topic_id}", body)


def draft_report(parties: Parties) -> Json:
    topic_id = new_id()
    template = upload(parties.reviewer, paperwork.docx(), "模板.docx", "template")
    assert topic_with(parties.reviewer, topic_id, template).status_code == 201
    report = upload(parties.enterprise, paperwork.pdf(new_id()), "自查报告.pdf", "self_check_report")
    body = {
        "kind": "self_check_report",
        "subject": {"type": "self_check_topic", "id": topic_id},
        "data": {"check_date": clock.today().isoformat()},
        "documents": [{"category": "self_check_report", "file_id": report}],
    }
    return dict(parties.enterprise.put(f"/filings/{new_id()}", body).json)


def test_one_order_that_two_reviewers_give_at_once_is_one_rectification_for_both(
    parties: Parties, county_inspector: Person, database: Database, sign_in: Callable[[str], Person],
    application: APIFlask,
) -> None:  # fmt: skip
    make_user(database, "320402", "second_reviewer", Role.LICENCE_REVIEWER)
    tokens = [parties.reviewer.token, sign_in("second_reviewer").token]
    for number in range(5):
        path, body = ordering(submit(county_inspector, production(uscc=WORKS, check_date=f"2026-11-1{number}")))
        people = [Person("", application.test_client(), token) for token in tokens]
        answers = at_once(*(partial(person.post, path, body) for person in people))
        assert sorted(answer.status_code for answer in answers) == [200, 201], answers[0].get_data(as_text=True)
        assert answers[0].json == answers[1].json
    assert parties.enterprise.get("/filings?kind=rectification").json["total"] == 5


def test_a_published_check_and_the_rectification_ordered_from_it_name_each_other(
    parties: Parties, county_inspector: Person
) -> None:
    check = submit(county_inspector, with_problem(uscc=WORKS))

    def shown(person: Person) -> list[str | None]:
        return [row["rectification_id"] for row in person.get("/supervision-checks").json["items"]]

    assert shown(parties.enterprise) == [None]
    path, body = ordering(check)
    ordered = parties.reviewer.post(path, body).json
    assert shown(parties.enterprise) == [ordered["id"]]
    for person in (parties.enterprise, parties.reviewer):
        assert person.get(f"/filings/{ordered['id']}").json["subject"] == {"type": "inspection", "id": check["id"]}
    correction = {**with_problem(uscc=WORKS, remark="补充"), "reason": "更正", "version": 1}
    assert county_inspector.put(f"/inspections/{check['id']}/correction", correction).status_code == 200
    assert shown(parties.enterprise) == [ordered["id"]]
    correction = {**with_problem(uscc=OTHER_WORKS, org_name="常州另一电线厂"), "reason": "更正", "version": 2}
    assert county_inspector.put(f"/inspections/{check['id']}/correction", correction).status_code == 200
    assert (shown(parties.enterprise), shown(parties.other_enterprise)) == ([], [None])


def test_the_step_delete_sent_again_is_answered_like_the_first_time(parties: Parties) -> None:
    report = draft_report(parties)
    answers = [act(parties.enterprise, report, "delete") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert {answer.json["status"] for answer in answers} == {"deleted"}
    assert answers[0].json == answers[2].json
    assert code_of(act(parties.enterprise, report, "delete", comment="又一次")) == (404, "not_found")
    for stranger in (parties.other_enterprise, parties.reviewer):
        assert code_of(act(stranger, report, "delete")) == (404, "not_found")
    assert parties.enterprise.get(f"/filings/{report['id']}").status_code == 404


def test_a_topic_lets_go_of_the_template_that_was_replaced(parties: Parties, database: Database) -> None:
    topic_id = new_id()
    old, new = (upload(parties.reviewer, paperwork.docx(name), "模板.docx", "template") for name in "旧新")

    def claimed(file_id: str) -> UUID | None:
        with database.read() as session:
            return session.get_one(File, UUID(file_id)).claimed_id

    assert topic_with(parties.reviewer, topic_id, old).status_code == 201
    assert str(claimed(old)) == topic_id
    assert topic_with(parties.reviewer, topic_id, old, version=1, title="改名").json["version"] == 2
    assert str(claimed(old)) == topic_id
    assert topic_with(parties.reviewer, topic_id, new, version=1).status_code == 409
    assert (str(claimed(old)), claimed(new)) == (topic_id, None)
    assert topic_with(parties.reviewer, topic_id, new, version=2).json["template_file_id"] == new
    assert (claimed(old), str(claimed(new))) == (None, topic_id)
    for part in ("", "/preview"):
        assert parties.enterprise.get(f"/files/{old}{part}").status_code == 404
    assert parties.enterprise.get(f"/files/{new}").status_code == 200


def test_filings_are_found_by_a_fragment_of_the_name_within_reach_and_with_the_other_filters(
    parties: Parties, database: Database, sign_in: Callable[[str], Person]
) -> None:
    make_user(database, "320400", "city_licences", Role.LICENCE_REVIEWER)
    city = sign_in("city_licences")
    due_on = (clock.today() + timedelta(days=10)).isoformat()
    for code in (WORKS, OTHER_WORKS):
        body = {"kind": "rectification", "uscc": code, "data": {"problem": "记录不齐全", "due_on": due_on}}
        assert parties.reviewer.put(f"/filings/{new_id()}", body).status_code == 201

    def found(person: Person, query: str) -> list[str]:
        page = person.get(f"/filings?{query}").json
        assert page["total"] == len(page["items"])
        return [row["org_name"] for row in page["items"]]

    for person in (parties.reviewer, city):
        assert found(person, "q=电缆") == ["常州某某电缆有限公司"]
        assert found(person, "q=常州") == ["常州另一电线厂", "常州某某电缆有限公司"]
        assert found(person, "q=常州&kind=rectification&status=to_upload") == found(person, "q=常州")
        assert found(person, "q=常州&status=closed") == found(person, "q=常州&kind=data_declaration") == []
        assert found(person, "q=龘靐") == found(person, "q=%25") == []
        assert found(person, "q=州") == found(person, "q=常州")
    assert found(parties.far_reviewer, "q=常州") == []
    assert found(parties.enterprise, "q=电缆&kind=rectification") == ["常州某某电缆有限公司"]


def test_a_name_that_many_enterprises_have_is_found_by_walking_the_newest_filings(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_on = (clock.today() + timedelta(days=10)).isoformat()
    body = {"kind": "rectification", "uscc": WORKS, "data": {"problem": "记录不齐全", "due_on": due_on}}
    assert parties.reviewer.put(f"/filings/{new_id()}", body).status_code == 201
    for limits in ({"_FEW": 0}, {"_FEW": 0, "_MANY": 0}):
        for name, value in limits.items():
            monkeypatch.setattr(f"enterprise.filings.reading.lists.{name}", value)
        assert parties.reviewer.get("/filings?q=电缆").json["total"] == 1
        assert parties.reviewer.get("/filings?q=电缆&status=closed").json["total"] == 0
        assert parties.reviewer.get("/filings?q=龘靐").json["total"] == 0
        assert parties.far_reviewer.get("/filings?q=电缆").json["total"] == 0


def test_what_the_system_did_is_not_shown_as_erased(parties: Parties) -> None:
    row = open_declaration(parties)
    (opened,) = parties.enterprise.get(f"/filings/{row['id']}/history").json["items"]
    assert (opened["action"], "erased" in opened) == ("open", False)


def test_an_order_given_again_after_a_correction_goes_to_the_enterprise_that_was_meant(
    parties: Parties, county_inspector: Person
) -> None:
    check = submit(county_inspector, with_problem(uscc=WORKS))
    path, body = ordering(check)
    first = parties.reviewer.post(path, body)
    assert (first.status_code, first.json["uscc"]) == (201, WORKS)
    correction = {**with_problem(uscc=OTHER_WORKS, org_name="常州另一电线厂"), "reason": "填错企业", "version": 1}
    corrected = county_inspector.put(f"/inspections/{check['id']}/correction", correction)
    # The order stays with whom it was given: who corrects is told that somebody has to take it back.
    assert "rectification_open" in [warning["code"] for warning in corrected.json["warnings"]]
    answers = [parties.reviewer.post(path, body) for _ in range(2)]
    assert [(answer.status_code, answer.json["uscc"]) for answer in answers] == [(201, OTHER_WORKS), (200, OTHER_WORKS)]
    (published,) = parties.other_enterprise.get("/supervision-checks").json["items"]
    assert published["rectification_id"] == answers[0].json["id"] != first.json["id"]
    for person in (parties.enterprise, parties.other_enterprise):
        assert person.get("/filings?kind=rectification").json["total"] == 1


def test_the_phone_is_told_how_large_each_document_may_be(parties: Parties) -> None:
    for kind in parties.enterprise.get("/filing-kinds").json["items"]:
        for document in parties.enterprise.get(f"/filing-kinds/{kind['code']}").json["documents"]:
            assert document["max_bytes"] == 20 * 1024 * 1024


def test_a_key_that_no_filing_has_is_named_and_nothing_is_saved(parties: Parties) -> None:
    row = draft_report(parties)
    path = f"/filings/{row['id']}"
    document = {"category": "self_check_report", "file_id": new_id()}
    for sent, told in (
        ({"document": [document]}, {"/document": "unknown_item"}),
        ({"foo": 1, "a/b": 2}, {"/foo": "unknown_item", "/a~1b": "unknown_item"}),
        ({"foo": 1, "data": {"check_date": "x"}}, {"/foo": "unknown_item", "/data/check_date": "bad_date"}),
    ):
        known = {"data": {"check_date": "2026-01-02"}, **sent}
        assert faults(parties.enterprise.put(path, {**known, "version": row["version"]})) == told
        assert code_of(parties.enterprise.put(path, {**known, "version": 9})) == (409, "stale_version")
    assert parties.enterprise.get(path).json == row
    new = {"kind": "self_check_sales", "data": {}, "foo": 1}
    assert faults(parties.enterprise.put(f"/filings/{new_id()}", new)) == {"/foo": "unknown_item"}
    assert parties.enterprise.get("/filings?kind=self_check_sales").json["total"] == 0


def test_what_was_read_may_be_sent_back(parties: Parties) -> None:
    row = draft_report(parties)
    assert parties.enterprise.put(f"/filings/{row['id']}", row).json["version"] == row["version"] + 1


@pytest.mark.parametrize("version", ["1", True, 1.0, 0, [1]])
def test_a_version_that_is_no_version_is_a_fault_of_the_body(parties: Parties, version: Any) -> None:
    row = draft_report(parties)
    body = {"data": {"check_date": "2026-01-02"}, "version": version}
    assert faults(parties.enterprise.put(f"/filings/{row['id']}", body)) == {"/version": "wrong_type"}
    body = {"kind": "self_check_sales", "data": {}, "version": version}
    assert faults(parties.enterprise.put(f"/filings/{new_id()}", body)) == {"/version": "wrong_type"}
    assert parties.enterprise.get(f"/filings/{row['id']}").json == row
