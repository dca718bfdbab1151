"""Voiding (作废): a record that should not be there stays readable, marked, and counts nowhere any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask

from accounts.verbs import Role
from core.db import Database
from inspection.statistics import tallies
from tests import parties as both
from tests.newcomers import make_station, make_user
from tests.parties import WORKS, Parties
from tests.people import Person, SignIn, faults, new_id, production, spot_check, with_problem
from tests.records import Json, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

REFUSED = {"unable": True, "unable_reason": "refused"}


def void(person: Person, record: Json, noun: str = "inspections", reason: Any = "重复录入", version: Any = None) -> Any:
    sent = {"reason": reason, "version": version or record["version"]}
    return person.post(f"/{noun}/{record['id']}/void", sent)


def held(database: Database) -> None:
    """The kept figures are what the records say."""
    with database.write() as session:
        report = tallies.reconcile(session)
    assert (report.mended, report.added, report.emptied) == (0, 0, 0)


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def test_a_voided_record_stays_readable_and_says_when_by_whom_and_why(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    answer = void(county_inspector, record)
    assert answer.status_code == 200
    shown = read(county_inspector, f"/inspections/{record['id']}")
    assert shown == answer.json
    assert (shown["status"], shown["version"]) == ("voided", 2)
    assert shown["voided"] == {
        "at": "2026-11-21T02:00:00Z", "by": "county_inspector", "office": "天宁区市场监督管理局", "reason": "重复录入",
    }  # fmt: skip
    same = set(record) - {"status", "version", "updated_at", "voided"}
    assert {name: shown[name] for name in same} == {name: record[name] for name in same}
    assert record["voided"] is None
    moves = read(county_inspector, f"/inspections/{record['id']}/history")["items"]
    assert [(row["action"], row.get("reason")) for row in moves] == [("submit", None), ("void", "重复录入")]


def test_the_owner_may_void_for_twenty_four_hours(county_inspector: Person, sign_in: SignIn, clock: Any) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(hours=24))
    assert void(sign_in("county_inspector"), record).status_code == 200


def test_the_owner_may_not_void_a_second_later_and_is_told_who_may(
    county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(hours=24, seconds=1))
    answer = void(sign_in("county_inspector"), record)
    assert problem(answer) == (403, "forbidden")
    assert "24 小时" in answer.json["detail"] and "上级" in answer.json["detail"]


@pytest.mark.parametrize("superior", ["city_reviewer", "province_user"])
def test_a_superior_office_may_void_at_any_time(
    county_inspector: Person, sign_in: SignIn, clock: Any, superior: str
) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(days=400))
    assert void(sign_in(superior), record).json["voided"]["by"] == superior


def test_a_bureau_voids_what_its_station_entered_and_not_the_other_way_round(
    county_colleague: Person, database: Database, sign_in: SignIn
) -> None:
    make_station(database, "320402", "at_the_station", Role.INSPECTOR)
    station = sign_in("at_the_station")
    of_the_station = submit(station)
    of_the_bureau = submit(county_colleague, production(confirm_duplicate=True))
    assert problem(void(station, of_the_bureau)) == (403, "forbidden")
    assert void(county_colleague, of_the_station).status_code == 200


def test_a_colleague_may_not_void_and_a_neighbour_does_not_see(
    county_inspector: Person, county_colleague: Person, neighbour_inspector: Person, other_city_user: Person
) -> None:
    record = submit(county_inspector)
    assert problem(void(county_colleague, record)) == (403, "forbidden")
    for stranger in (neighbour_inspector, other_city_user):
        assert problem(void(stranger, record)) == (404, "not_found")


def test_a_county_does_not_void_what_its_city_entered(county_inspector: Person, city_reviewer: Person) -> None:
    assert problem(void(county_inspector, submit(city_reviewer))) == (404, "not_found")


def test_what_the_province_entered_a_colleague_there_voids_after_a_day_and_never_its_owner(
    database: Database, province_user: Person, sign_in: SignIn, clock: Any
) -> None:
    make_user(database, "320000", "province_colleague")
    record = submit(province_user)
    clock.shift(timedelta(days=2))
    assert problem(void(sign_in("province_user"), record)) == (403, "forbidden")
    assert void(sign_in("province_colleague"), record).json["voided"]["by"] == "province_colleague"


def test_a_reason_is_demanded(county_inspector: Person) -> None:
    record = submit(county_inspector)
    for reason, code in ((None, "required"), ("   ", "required"), ("。。", "meaningless"), ("长" * 501, "too_long")):
        assert faults(void(county_inspector, record, reason=reason)) == {"/reason": code}
    assert read(county_inspector, f"/inspections/{record['id']}") == record


def test_voiding_sent_again_is_answered_alike_and_voiding_anew_is_refused(
    county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector)
    first = void(county_inspector, record)
    assert void(county_inspector, record).json == first.json
    for person in (county_inspector, city_reviewer):
        answer = void(person, record, reason="另一个原因")
        assert problem(answer) == (409, "wrong_status")
        assert (answer.json["current_status"], "已作废" in answer.json["detail"]) == ("voided", True)
        assert "另建一条记录" in answer.json["detail"]
    assert len(read(county_inspector, f"/inspections/{record['id']}/history")["items"]) == 2


def test_a_stale_version_is_refused(county_inspector: Person) -> None:
    record = submit(county_inspector)
    sent = {**production(remark="补充"), "version": 1, "reason": "漏填"}
    assert county_inspector.put(f"/inspections/{record['id']}/correction", sent).status_code == 200
    answer = void(county_inspector, record)
    assert (problem(answer), answer.json["current_version"]) == ((409, "stale_version"), 2)


def test_a_draft_is_deleted_not_voided(county_inspector: Person) -> None:
    answer = void(county_inspector, save(county_inspector))
    assert problem(answer) == (409, "wrong_status") and "删除暂存" in answer.json["detail"]


def test_a_voided_record_takes_no_disposal_no_correction_and_no_second_submission(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    path = f"/inspections/{record['id']}"
    assert void(county_inspector, record).status_code == 200
    disposals = {"disposals": {"7.1": "done"}, "version": 2}
    assert problem(county_inspector.put(f"{path}/disposals", disposals)) == (409, "wrong_status")
    corrected = {**production(), "version": 2, "reason": "更正"}
    assert problem(county_inspector.put(f"{path}/correction", corrected)) == (409, "wrong_status")
    for again in (
        county_inspector.put(f"{path}/submission", production(version=2)),
        county_inspector.put(path, production(version=2)),
        county_inspector.delete(path),
    ):
        assert problem(again) == (409, "already_submitted")
        assert "作废" in again.json["detail"]
    # The lost answer of the submission itself can still be asked for.
    repeated = county_inspector.put(f"{path}/submission", with_problem({"7.1": "in_progress"}))
    assert (repeated.status_code, repeated.json["status"]) == (200, "voided")


def test_lists_exports_searches_and_figures_leave_it_out(
    county_inspector: Person, city_reviewer: Person, database: Database
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    assert void(county_inspector, record).status_code == 200
    for person in (county_inspector, city_reviewer):
        for query in ("", "q=电缆", "problem=true", "disposal=in_progress", "region=320402", "status=draft",
                      "from=2026-11-01&to=2026-11-30", "q=电缆&from=2026-11-01", "kind=production"):  # fmt: skip
            assert listed(person, query) == [], query
            assert record["id"] not in person.get(f"/inspections.csv?{query}").get_data(as_text=True)
        for query in ("", "from=2026-11-01&to=2026-11-30", "from=2026-11-21"):
            total = read(person, f"/statistics/progress?{query}")["total"]
            assert not any(value for name, value in total.items() if isinstance(value, int) and name != "planned")
    held(database)


def test_a_filter_shows_what_was_voided(county_inspector: Person, city_reviewer: Person, sign_in: SignIn) -> None:
    voided = submit(county_inspector)
    kept = submit(county_inspector, production(confirm_duplicate=True))
    void(county_inspector, voided)
    for person in (county_inspector, city_reviewer):
        assert listed(person) == [kept["id"]]
        for query in (
            "",
            "&q=某某",
            "&kind=production&product_code=06",
            "&region=320402",
            "&from=2026-11-20&to=2026-11-20",
        ):
            assert listed(person, f"status=voided{query}") == [voided["id"]], query
        for query in ("&q=武进", "&kind=sales", "&region=320404", "&to=2026-11-19", "&problem=true", "&q=%25"):
            assert listed(person, f"status=voided{query}") == [], query
        assert voided["id"] in person.get("/inspections.csv?status=voided").get_data(as_text=True)
    (row,) = read(county_inspector, "/inspections?status=voided")["items"]
    assert (row["status"], row["voided"]["reason"]) == ("voided", "重复录入")
    assert listed(sign_in("neighbour_inspector"), "status=voided") == []
    assert listed(city_reviewer, "status=voided&own_office=true") == []


def test_the_same_check_entered_anew_is_no_duplicate_of_the_voided_one(county_inspector: Person) -> None:
    record = submit(county_inspector)
    again = f"/inspections/{new_id()}/submission"
    assert problem(county_inspector.put(again, production())) == (409, "duplicate_check")
    void(county_inspector, record)
    assert county_inspector.put(again, production()).status_code == 201


def test_the_sheet_of_a_voided_spot_check_can_be_entered_anew(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector, spot_check(), noun="spot-checks")
    again = f"/spot-checks/{new_id()}/submission"
    assert faults(county_inspector.put(again, spot_check())) == {"/sheet_no": "sheet_taken"}
    shown = void(county_inspector, record, "spot-checks").json
    assert (shown["status"], shown["sheet_no"], shown["conclusion"]) == ("voided", "CQ-0001", "pass")
    assert county_inspector.put(again, spot_check()).status_code == 201
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["spot_batches"], total["spot_enterprises"]) == (1, 1)
    assert listed(county_inspector, "status=voided", "spot-checks") == [record["id"]]
    held(database)


def test_its_to_dos_are_closed(county_inspector: Person) -> None:
    in_progress = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    refused = submit(county_inspector, production(**REFUSED, confirm_duplicate=True))
    assert read(county_inspector, "/todos")["total"] == 2
    void(county_inspector, in_progress)
    void(county_inspector, refused)
    assert read(county_inspector, "/todos")["items"] == []


def test_the_enterprise_sees_it_no_more(parties: Parties, county_inspector: Person) -> None:
    record = submit(county_inspector, production(uscc=WORKS))
    assert [row["id"] for row in read(parties.enterprise, "/supervision-checks")["items"]] == [record["id"]]
    void(county_inspector, record)
    assert read(parties.enterprise, "/supervision-checks")["items"] == []


def test_a_record_from_which_a_rectification_is_under_way_is_not_voided(
    parties: Parties, county_inspector: Person
) -> None:
    record = submit(county_inspector, with_problem(uscc=WORKS))
    order = {"problem": "无证生产", "due_on": "2026-12-20"}
    ordered = parties.reviewer.post(f"/inspections/{record['id']}/rectification", order)
    assert ordered.status_code == 201
    answer = void(county_inspector, record)
    assert problem(answer) == (409, "rectification_open")
    assert answer.json["rectifications"] == [ordered.json["id"]]
    assert [row["id"] for row in read(parties.enterprise, "/supervision-checks")["items"]] == [record["id"]]


def test_once_that_is_taken_back_it_is_voided(parties: Parties, county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem(uscc=WORKS))
    order = {"problem": "无证生产", "due_on": "2026-12-20"}
    ordered = parties.reviewer.post(f"/inspections/{record['id']}/rectification", order).json
    cancel = {"version": ordered["version"], "comment": "下达有误"}
    cancelled = parties.reviewer.post(f"/filings/{ordered['id']}/actions/cancel", cancel)
    assert cancelled.status_code == 200, cancelled.get_data(as_text=True)
    assert void(county_inspector, record).status_code == 200


def test_no_rectification_is_ordered_from_a_voided_record(parties: Parties, county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem(uscc=WORKS))
    void(county_inspector, record)
    order = {"problem": "无证生产", "due_on": "2026-12-20"}
    answer = parties.reviewer.post(f"/inspections/{record['id']}/rectification", order)
    assert problem(answer) == (409, "wrong_status")
