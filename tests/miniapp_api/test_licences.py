"""Licences and self-check topics over HTTP, and rectifications ordered from a check."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import update
from sqlalchemy.orm import Session

from accounts.verbs import Role
from core import clock
from core.db import Database
from core.errors import Fault
from enterprise.production.models import SelfCheckTopic
from enterprise.production.operations import LicenceFacts, put_licence
from miniapp_api.http.wiring import KEY
from tests import paperwork
from tests import parties as both
from tests.newcomers import at_once, code_of, make_user
from tests.parties import FAR_WORKS, OTHER_WORKS, WORKS, Parties, send_report, upload
from tests.people import Person, faults, new_id, production, sales, uscc
from tests.records import save, submit

TODAY = clock.today()
DUE_ON = (TODAY + timedelta(days=10)).isoformat()
Json = dict[str, Any]


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


@pytest.fixture
def city_licences(parties: Parties, database: Database, sign_in: Callable[[str], Person]) -> Person:
    """A licence reviewer of 常州市."""
    make_user(database, "320400", "city_licences", Role.LICENCE_REVIEWER)
    return sign_in("city_licences")


def template(person: Person) -> str:
    return upload(person, paperwork.docx(new_id()), "模板.docx", "template")


def topic_body(person: Person, **changes: Any) -> Json:
    return {"title": "2026年度自查", "year": 2026, "template_file_id": template(person), **changes}


def put_topic(person: Person, topic_id: str | None = None, **changes: Any) -> Any:
    return person.put(f"/self-check-topics/{topic_id or new_id()}", topic_body(person, **changes))


def test_licences_are_listed_to_their_holder_and_to_the_offices_above(
    parties: Parties, city_licences: Person, application: APIFlask, database: Database
) -> None:
    engine = application.extensions[KEY].filings
    with database.write() as session:
        for number, code in (("(苏)XK06-001-00002", WORKS), ("(苏)XK06-001-00003", OTHER_WORKS), ("X-9", FAR_WORKS)):
            put_licence(session, engine, LicenceFacts(number, code, "电线电缆", "控制电缆"))

    def listed(person: Person, query: str = "") -> list[str]:
        return [row["licence_no"] for row in person.get(f"/licences{query}").json["items"]]

    assert listed(parties.enterprise) == ["(苏)XK06-001-00001", "(苏)XK06-001-00002"]
    assert listed(parties.other_enterprise) == ["(苏)XK06-001-00003"]
    assert len(listed(parties.reviewer)) == len(listed(city_licences)) == 3
    assert listed(parties.far_reviewer) == ["X-9"]
    assert listed(parties.reviewer, f"?uscc={OTHER_WORKS}") == ["(苏)XK06-001-00003"]
    assert listed(parties.enterprise, f"?uscc={OTHER_WORKS}") == listed(parties.reviewer, f"?uscc={FAR_WORKS}") == []
    first = parties.enterprise.get("/licences").json["items"][0]
    assert (first["product_class"], first["valid_to"], first["status"]) == ("电线电缆", "2028-12-31", "valid")
    assert len(parties.enterprise.get("/filings?kind=data_declaration&status=update").json["items"]) == 2


def test_a_licence_stored_again_is_changed_and_opens_no_second_row(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    facts = LicenceFacts("(苏)XK06-001-00001", WORKS, "电线电缆", "架空绞线")
    with database.write() as session:
        assert put_licence(session, application.extensions[KEY].filings, facts)[1].outcome == "updated"
    assert [row["product_detail"] for row in parties.enterprise.get("/licences").json["items"]] == ["架空绞线"]
    assert parties.enterprise.get("/filings").json["total"] == 1


def test_a_corrected_licence_corrects_the_row_that_nobody_touched_and_no_other(
    parties: Parties, application: APIFlask, database: Database
) -> None:
    def imported(detail: str) -> None:
        facts = LicenceFacts("(苏)XK06-001-00001", WORKS, "电线电缆", detail, valid_to=date(2030, 6, 30))
        with database.write() as session:
            put_licence(session, application.extensions[KEY].filings, facts)

    read = both.open_declaration(parties)
    imported("架空绞线")
    body = {"data": both.DECLARATION, "version": read["version"]}
    assert code_of(parties.enterprise.put(f"/filings/{read['id']}", body)) == (409, "stale_version")
    row = parties.enterprise.get(f"/filings/{read['id']}").json
    assert (row["data"]["product_detail"], row["data"]["licence_valid_to"]) == ("架空绞线", "2030-06-30")
    assert row["data"]["org_name"] == "常州某某电缆有限公司"
    saved = parties.enterprise.put(f"/filings/{row['id']}", {**body, "version": row["version"]}).json
    imported("塑料绝缘电缆")
    assert parties.enterprise.get(f"/filings/{row['id']}").json == saved


def test_an_inspector_reads_the_licence_register_of_the_own_regions(
    parties: Parties, application: APIFlask, database: Database, county_inspector: Person, neighbour_inspector: Person
) -> None:
    numbers = [row["licence_no"] for row in county_inspector.get(f"/licences?uscc={WORKS}").json["items"]]
    assert numbers == ["(苏)XK06-001-00001"]
    for typed in ("（苏）XK06-001-00001", "苏xk06—001—00001", "(苏)XK06-001-00001"):
        page = county_inspector.get("/licences", query_string={"licence_no": typed}).json
        assert [row["valid_to"] for row in page["items"]] == ["2028-12-31"], typed
        assert neighbour_inspector.get("/licences", query_string={"licence_no": typed}).json["total"] == 0
    assert county_inspector.get("/licences?licence_no=(苏)XK06-001-00009").json["total"] == 0


def test_an_enterprise_comes_with_the_licence_that_a_check_of_the_product_is_filled_with(
    parties: Parties, application: APIFlask, database: Database, county_inspector: Person
) -> None:
    engine = application.extensions[KEY].filings
    today = clock.today()
    with database.write() as session:
        for number, kind, valid_to in (
            ("(苏)XK06-001-00004", "电线电缆", today - timedelta(days=1)),
            ("(苏)XK06-001-00005", "电线电缆", today + timedelta(days=5000)),
            ("(苏)XK08-001-00001", "水泥", today),
        ):
            put_licence(session, engine, LicenceFacts(number, WORKS, kind, "明细", valid_to=valid_to))
    shown = county_inspector.get(f"/enterprises/{WORKS}?product_code=06").json
    assert shown["licence"]["licence_no"] == "(苏)XK06-001-00005"
    assert shown["licence"]["valid_to"] == (today + timedelta(days=5000)).isoformat()
    held = [(one["licence_no"], one["status"], one["product_code"]) for one in shown["licences"]]
    assert held[-1] == ("(苏)XK06-001-00004", "expired", "06") and len(held) == 4
    cement = county_inspector.get(f"/enterprises/{WORKS}?product_code=05").json["licence"]
    assert (cement["licence_no"], cement["status"]) == ("(苏)XK08-001-00001", "valid"), "the last day still counts"
    assert county_inspector.get(f"/enterprises/{WORKS}?product_code=09").json["licence"] is None
    assert county_inspector.get(f"/enterprises/{WORKS}").json["licence"] is None
    assert faults(county_inspector.get(f"/enterprises/{WORKS}?product_code=99")).keys() == {"/product_code"}


def test_an_inspector_sees_neither_topics_nor_filings(parties: Parties, county_inspector: Person) -> None:
    for path in ("/self-check-topics", "/filings", "/filing-kinds"):
        assert county_inspector.get(path).status_code == 403
    assert county_inspector.put(f"/self-check-topics/{new_id()}", {}).status_code == 403


def test_a_topic_is_seen_by_the_enterprises_and_offices_below_it(parties: Parties, city_licences: Person) -> None:
    ids = {put_topic(person).json["id"]: person for person in (parties.reviewer, city_licences, parties.far_reviewer)}
    county, city, far = ids

    def seen(person: Person) -> set[str]:
        return {topic["id"] for topic in person.get("/self-check-topics").json["items"]}

    assert seen(parties.enterprise) == seen(parties.reviewer) == seen(city_licences) == {county, city}
    assert seen(parties.far_reviewer) == {far}
    assert send_report(parties, city).status_code == 200
    assert faults(send_report(parties, far)) == {"/subject": "unknown_subject"}
    assert faults(send_report(parties, new_id())) == {"/subject": "unknown_subject"}


def test_a_topic_is_changed_by_its_own_office_with_the_version_it_read(
    parties: Parties, city_licences: Person, sign_in: Callable[[str], Person]
) -> None:
    topic_id, body = new_id(), topic_body(parties.reviewer)
    path = f"/self-check-topics/{topic_id}"
    assert [parties.reviewer.put(path, body).status_code for _ in range(2)] == [201, 200]
    for stranger in (city_licences, parties.far_reviewer):
        assert code_of(put_topic(stranger, topic_id, version=1)) == (404, "not_found")
    with time_machine.travel(clock.now() + timedelta(hours=30), tick=False):
        reviewer = sign_in("licence_reviewer")
        changed = reviewer.put(path, {**body, "title": "新题目", "version": 1})
    assert (changed.json["version"], changed.json["title"]) == (2, "新题目")
    assert changed.json["open_from"] == TODAY.isoformat()
    stale = parties.reviewer.put(path, {**body, "title": "又一题目", "version": 1})
    assert (*code_of(stale), stale.json["current_version"]) == (409, "stale_version", 2)
    assert code_of(parties.reviewer.put(path, {**body, "title": "无版本"})) == (409, "stale_version")


def test_whoever_loses_a_race_for_a_topic_is_told_the_version_that_it_has_now(
    parties: Parties, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic_id, body = new_id(), topic_body(parties.reviewer)
    assert parties.reviewer.put(f"/self-check-topics/{topic_id}", body).status_code == 201

    def overtaken(session: Session, *_: Any) -> list[Fault]:
        session.execute(
            update(SelfCheckTopic).where(SelfCheckTopic.id == UUID(topic_id)).values(version=5)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        return []

    monkeypatch.setattr("enterprise.production.operations.claim", overtaken)
    lost = parties.reviewer.put(f"/self-check-topics/{topic_id}", {**body, "title": "晚了", "version": 1})
    assert (*code_of(lost), lost.json["current_version"]) == (409, "stale_version", 5)


def test_a_topic_needs_a_template_of_ones_own_and_a_period_that_can_be(parties: Parties) -> None:
    assert faults(put_topic(parties.reviewer, template_file_id=new_id())) == {"/template_file_id": "unknown_file"}
    foreign = template(parties.far_reviewer)
    assert faults(put_topic(parties.reviewer, template_file_id=foreign)) == {"/template_file_id": "unknown_file"}
    backwards = {"open_from": "2026-12-01", "open_to": "2026-11-30"}
    assert faults(put_topic(parties.reviewer, **backwards)) == {"/open_to": "out_of_range"}
    report = upload(parties.reviewer, paperwork.pdf(), "自查报告.pdf", "self_check_report")
    assert faults(put_topic(parties.reviewer, template_file_id=report)) == {"/template_file_id": "wrong_file_type"}


@pytest.mark.parametrize(
    ("first", "last", "active", "open_"),
    [(0, 0, True, True), (0, None, True, True), (-9, -1, True, False), (1, 9, True, False), (0, 9, False, False)],
)
def test_a_report_is_sent_while_its_topic_is_active_and_open(
    parties: Parties, first: int, last: int | None, active: bool, open_: bool
) -> None:
    period = {
        "open_from": (TODAY + timedelta(days=first)).isoformat(),
        "open_to": (TODAY + timedelta(days=last)).isoformat() if last is not None else None,
        "active": active,
    }
    answer = send_report(parties, put_topic(parties.reviewer, **period).json["id"])
    if open_:
        assert answer.json["status"] == "unread"
    else:
        assert faults(answer) == {"/subject": "topic_closed"}


def test_a_topic_that_is_made_twice_at_once_is_one(parties: Parties, application: APIFlask, database: Database) -> None:
    path, body = f"/self-check-topics/{new_id()}", topic_body(parties.reviewer)

    def one(title: str) -> Callable[[], Any]:
        own = Person("", application.test_client(), parties.reviewer.token)
        return lambda: own.put(path, {**body, "title": title})

    answers = at_once(*(one(title) for title in ("甲", "乙", "丙")))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    with database.read() as session:
        assert session.get_one(SelfCheckTopic, UUID(path[-36:])).version == 1


def order(person: Person, check: Json, problem: str = "出厂检验记录不齐全", due_on: str = DUE_ON) -> Any:
    return person.post(f"/inspections/{check['id']}/rectification", {"problem": problem, "due_on": due_on})


def test_a_rectification_is_ordered_from_a_check_by_one_call(parties: Parties, county_inspector: Person) -> None:
    check = submit(county_inspector, production(uscc=WORKS))
    first = order(parties.reviewer, check)
    assert (first.status_code, first.json["status"], first.json["due_on"]) == (201, "to_upload", DUE_ON)
    assert first.json["data"]["check_date"] == check["check_date"]
    again = order(parties.reviewer, check)
    assert (again.status_code, again.json) == (200, first.json)
    other = order(parties.reviewer, check, "另一问题")
    assert (other.status_code, other.json["id"] != first.json["id"]) == (201, True)
    assert parties.enterprise.get("/filings?kind=rectification").json["total"] == 2


def test_an_order_that_cannot_stand_is_refused(
    parties: Parties, county_inspector: Person, city_licences: Person
) -> None:
    check = submit(county_inspector, production(uscc=WORKS))
    assert faults(order(parties.reviewer, check, due_on="2026-02-30")).keys() == {"/due_on"}
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    assert faults(order(parties.reviewer, check, due_on=yesterday)) == {"/due_on": "out_of_range"}
    assert "/problem" in faults(order(parties.reviewer, check, problem=""))
    nameless = submit(county_inspector, sales())
    assert faults(order(parties.reviewer, nameless)) == {"/uscc": "no_uscc"}
    unknown = submit(county_inspector, production(uscc=uscc(999), org_name="某厂"))
    assert faults(order(parties.reviewer, unknown)) == {"/uscc": "unknown_enterprise"}
    draft = save(county_inspector, production(uscc=WORKS))
    for person, record in (
        (parties.reviewer, draft),
        (parties.reviewer, {"id": new_id()}),
        (parties.far_reviewer, check),
    ):
        assert code_of(order(person, record)) == (404, "not_found")
    for person in (county_inspector, parties.enterprise):
        assert code_of(order(person, check)) == (403, "forbidden")
    assert order(city_licences, check).status_code == 201
