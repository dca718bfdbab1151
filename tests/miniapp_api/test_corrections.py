"""Corrections (更正): by the owner for a day, by superiors at any time, with a reason; nothing is lost."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from accounts.verbs import Role
from core.db import Database
from core.workflows import history
from inspection.models import InspectionVersion
from inspection.statistics import tallies
from inspection.statistics.models import EnterpriseTally
from tests.newcomers import make_station
from tests.people import (
    ALL_NA,
    PASSWORD,
    Person,
    SignIn,
    faults,
    new_id,
    production,
    sales,
    spot_check,
    uscc,
    with_problem,
)
from tests.records import Json, items_of, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def correct(person: Person, record: Json, body: Json, reason: Any = "填错", version: Any = None) -> Any:
    sent = {**body, "version": version or record["version"], "reason": reason}
    return person.put(f"/inspections/{record['id']}/correction", sent)


def counted(database: Database) -> dict[tuple[str, str], int]:
    """Records by name and product on the tallies; those that are empty are left out."""
    with database.write() as session:
        report = tallies.reconcile(session)
        assert (report.mended, report.added, report.emptied) == (0, 0, 0)
        rows = session.scalars(select(EnterpriseTally)).all()
    return {(row.org_name, row.product_code): row.records for row in rows if row.records}


def test_the_owner_corrects_and_the_old_version_stays_readable(county_inspector: Person) -> None:
    record = submit(county_inspector)
    answer = correct(
        county_inspector, record, production(remark="补充", answers={"2.1": "no"}, disposals=ALL_NA), "漏填一项"
    )
    assert answer.status_code == 200
    assert (answer.json["version"], answer.json["remark"], answer.json["problems_found"]) == (2, "补充", True)
    assert answer.json["submitted_at"] == record["submitted_at"]
    versions = read(county_inspector, f"/inspections/{record['id']}/versions")["items"]
    assert [(row["version"], row["reason"]) for row in versions] == [(1, "漏填一项")]
    old = read(county_inspector, f"/inspections/{record['id']}/versions/1")
    for name in ("answers", "disposals", "org_name", "form_version", "product_code", "products", "check_date"):
        assert old[name] == record[name]
    assert "remark" not in old
    assert county_inspector.get(f"/inspections/{record['id']}/versions/2").status_code == 404


def test_the_owner_may_correct_for_twenty_four_hours(county_inspector: Person, sign_in: SignIn, clock: Any) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(hours=24))
    assert correct(sign_in("county_inspector"), record, production(remark="一日之内")).status_code == 200


def test_the_owner_may_not_correct_after_that(county_inspector: Person, sign_in: SignIn, clock: Any) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(hours=24, seconds=1))
    answer = correct(sign_in("county_inspector"), record, production(remark="晚了"))
    assert problem(answer) == (403, "forbidden")
    assert "24" in answer.json["detail"]


def test_a_superior_may_correct_at_any_time(county_inspector: Person, sign_in: SignIn, clock: Any) -> None:
    record = submit(county_inspector)
    clock.shift(timedelta(days=400))
    answer = correct(sign_in("city_reviewer"), record, production(remark="市局更正"))
    assert (answer.status_code, answer.json["version"]) == (200, 2)
    assert correct(sign_in("province_user"), answer.json, production(remark="省局更正")).json["version"] == 3


def test_a_bureau_may_correct_what_its_own_station_entered_and_not_the_other_way_round(
    county_colleague: Person, database: Database, sign_in: SignIn, clock: Any
) -> None:
    make_station(database, "320402", "at_the_station", Role.INSPECTOR)
    of_the_station = submit(sign_in("at_the_station"))
    of_the_bureau = submit(county_colleague, production(confirm_duplicate=True))
    clock.shift(timedelta(days=2))
    bureau, station = sign_in("county_colleague"), sign_in("at_the_station")
    assert correct(bureau, of_the_station, production(remark="县局更正", confirm_duplicate=True)).status_code == 200
    assert problem(correct(station, of_the_bureau, production(remark="所更正"))) == (403, "forbidden")


def test_a_corrected_record_stays_with_the_office_that_entered_it(
    county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector)
    shown = correct(city_reviewer, record, production(remark="市局更正")).json
    for name in ("office", "region", "level", "username", "campaign_id", "created_at"):
        assert shown[name] == record[name]


def test_a_colleague_may_not_correct(county_inspector: Person, county_colleague: Person) -> None:
    answer = correct(county_colleague, submit(county_inspector), production(remark="同事"))
    assert problem(answer) == (403, "forbidden")


def test_a_neighbour_never_corrects(
    county_inspector: Person, neighbour_inspector: Person, other_city_user: Person
) -> None:
    record = submit(county_inspector)
    for stranger in (neighbour_inspector, other_city_user):
        assert problem(correct(stranger, record, production(remark="邻县"))) == (404, "not_found")


def test_a_county_does_not_correct_its_city(county_inspector: Person, city_reviewer: Person) -> None:
    assert problem(correct(county_inspector, submit(city_reviewer), production())) == (404, "not_found")


def test_a_draft_is_not_corrected(county_inspector: Person) -> None:
    assert problem(correct(county_inspector, save(county_inspector), production())) == (409, "wrong_status")


def test_a_correction_of_nothing_is_not_found(county_inspector: Person) -> None:
    assert correct(county_inspector, {"id": new_id(), "version": 1}, production()).status_code == 404


def test_a_reason_is_required(county_inspector: Person) -> None:
    record = submit(county_inspector)
    for reason, code in ((None, "required"), ("   ", "required"), (7, "wrong_type"), ("长" * 501, "too_long")):
        assert faults(correct(county_inspector, record, production(remark="x"), reason)) == {"/reason": code}
    assert read(county_inspector, f"/inspections/{record['id']}") == record


def test_a_correction_is_validated_like_a_submission(county_inspector: Person) -> None:
    record = submit(county_inspector)
    body = production(uscc="91320400MA1TEX0013", check_date="2026-11-22", inspectors=["甲"], answers={"1.1": None})
    assert faults(correct(county_inspector, record, body)) == {
        "/uscc": "bad_uscc", "/check_date": "future_date", "/inspectors": "too_few", "/answers/1.1": "required",
    }  # fmt: skip


def test_a_stale_version_is_refused(county_inspector: Person) -> None:
    record = submit(county_inspector)
    correct(county_inspector, record, production(remark="一"))
    answer = correct(county_inspector, record, production(remark="二"))
    assert problem(answer) == (409, "stale_version")
    assert answer.json["current_version"] == 2


def test_a_production_check_does_not_become_a_sales_check(county_inspector: Person) -> None:
    record = submit(county_inspector)
    assert faults(correct(county_inspector, record, sales())) == {"/kind": "kind_changed"}
    # Nor is it told of every answer that the form of another kind does not know.
    assert faults(correct(county_inspector, record, production(kind="sales"))) == {"/kind": "kind_changed"}


def test_what_was_read_can_be_sent_back_corrected(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, contact_tel="13800000001"))
    again = correct(county_inspector, record, {**record, "remark": "补充说明"}).json
    same = set(record) - {"remark", "version", "updated_at", "corrected"}
    assert {name: again[name] for name in same} == {name: record[name] for name in same}


def test_a_masked_number_sent_back_by_a_superior_keeps_the_number(
    county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector, production(contact_tel="13800000001"))
    seen = read(city_reviewer, f"/inspections/{record['id']}")
    assert seen["contact_tel"] == "138****0001"
    assert correct(city_reviewer, record, {**seen, "remark": "市局更正"}).status_code == 200
    assert read(county_inspector, f"/inspections/{record['id']}")["contact_tel"] == "13800000001"


def test_done_stays_done_in_a_correction(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "done"}))
    for value in ("in_progress", "na"):
        body = with_problem({"7.1": value}, remark="x")
        assert faults(correct(county_inspector, record, body)) == {"/disposals/7.1": "disposal_final"}
    body = with_problem({"7.1": "done", "7.2": "done"})
    assert correct(county_inspector, record, body).json["disposals"]["7.2"] == "done"


def test_a_check_that_found_nothing_after_all_drops_its_disposals(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector, with_problem({"7.1": "done", "7.2": "in_progress"}))
    shown = correct(county_inspector, record, production(), "看错一项").json
    assert (shown["problems_found"], shown["disposal_state"], shown["disposals"]) == (False, "none", ALL_NA)
    assert read(county_inspector, "/todos")["items"] == []
    assert read(county_inspector, f"/inspections/{record['id']}/versions/1")["disposals"]["7.1"] == "done"
    counted(database)


def test_a_correction_opens_and_closes_the_todo(county_inspector: Person) -> None:
    record = submit(county_inspector)
    record = correct(county_inspector, record, with_problem({"7.1": "in_progress"})).json
    assert [todo["kind"] for todo in read(county_inspector, "/todos")["items"]] == ["disposal_in_progress"]
    correct(county_inspector, record, with_problem({"7.1": "done"}))
    assert read(county_inspector, "/todos")["items"] == []


def test_a_correction_opens_and_closes_the_todo_of_a_refused_check(county_inspector: Person) -> None:
    record = submit(county_inspector)
    record = correct(county_inspector, record, production(unable=True, unable_reason="refused")).json
    assert [todo["kind"] for todo in read(county_inspector, "/todos")["items"]] == ["inspection_refused"]
    correct(county_inspector, record, production(unable=True, unable_reason="moved"))
    assert read(county_inspector, "/todos")["items"] == []


def test_the_tallies_follow_when_the_enterprise_changes(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    submit(county_inspector, production(confirm_duplicate=True))
    correct(county_inspector, record, production(uscc=uscc(2), org_name="武进某电缆厂"))
    assert counted(database) == {("常州某某电缆有限公司", "06"): 1, ("武进某电缆厂", "06"): 1}
    assert read(county_inspector, "/statistics/progress")["total"]["checked"] == 2
    assert listed(county_inspector, "q=武进") == [record["id"]]
    assert record["id"] not in listed(county_inspector, "q=某某")


def test_the_tallies_follow_when_the_product_changes(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    bicycle = items_of(county_inspector, "09")("电动自行车")
    body = production(product_code="09", products=[bicycle], regulation_types=["ccc"])
    assert correct(county_inspector, record, body).json["product_code"] == "09"
    assert counted(database) == {("常州某某电缆有限公司", "09"): 1}
    assert listed(county_inspector, "product_code=06") == []
    assert read(county_inspector, f"/inspections/{record['id']}/versions/1")["product_code"] == "06"


def test_a_correction_to_unable_is_counted_as_such(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector)
    correct(county_inspector, record, production(unable=True, unable_reason="moved"))
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["checked"], total["unable"]) == (0, 1)
    counted(database)


def test_the_verdict_of_a_spot_check_is_derived_anew(county_inspector: Person, database: Database) -> None:
    record = submit(county_inspector, spot_check(), noun="spot-checks")
    body = {**spot_check(), "version": 1, "reason": "报告更正"}
    body["items"][1]["verdict"] = "fail"
    answer = county_inspector.put(f"/spot-checks/{record['id']}/correction", body)
    assert (answer.status_code, answer.json["conclusion"]) == (200, "fail")
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["spot_batches"], total["failed_batches"]) == (1, 1)
    counted(database)


def test_a_spot_check_keeps_its_own_sheet_number_and_level_when_corrected(
    county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector, spot_check(), noun="spot-checks")
    taken = submit(county_inspector, spot_check(sheet_no="CQ-0002"), noun="spot-checks")
    path = f"/spot-checks/{record['id']}/correction"
    answer = city_reviewer.put(path, {**spot_check(remark="市局更正"), "version": 1, "reason": "补充"})
    assert (answer.status_code, answer.json["level"]) == (200, "county")
    body = {**spot_check(sheet_no=taken["sheet_no"]), "version": 2, "reason": "编号有误"}
    assert faults(city_reviewer.put(path, body)) == {"/sheet_no": "sheet_taken"}
    submit(city_reviewer, spot_check(), noun="spot-checks")  # the number is free at the city's own level


def test_corrections_stand_in_the_history_with_their_reason(county_inspector: Person, city_reviewer: Person) -> None:
    record = submit(county_inspector)
    correct(city_reviewer, record, production(remark="x"), "企业名称有误")
    rows = read(county_inspector, f"/inspections/{record['id']}/history")["items"]
    assert [(row["action"], row["version"], row.get("reason")) for row in rows] == [
        ("submit", 1, None), ("correct", 2, "企业名称有误"),
    ]  # fmt: skip


def test_versions_are_hidden_from_neighbours(county_inspector: Person, neighbour_inspector: Person) -> None:
    record = submit(county_inspector)
    correct(county_inspector, record, production(remark="x"))
    for path in ("versions", "versions/1", "history"):
        assert neighbour_inspector.get(f"/inspections/{record['id']}/{path}").status_code == 404


def test_the_old_number_stays_encrypted_and_masked(
    county_inspector: Person, city_reviewer: Person, database: Database
) -> None:
    record = submit(county_inspector, production(contact_tel="13800000001"))
    correct(county_inspector, record, production(contact_tel="13800000002"))
    path = f"/inspections/{record['id']}/versions/1"
    assert read(county_inspector, path)["contact_tel"] == "13800000001"
    assert read(city_reviewer, path)["contact_tel"] == "138****0001"
    with database.read() as session:
        stored = session.scalars(select(InspectionVersion)).one()
        assert stored.data["contact_tel"].startswith("enc2:1:")
        assert session.scalar(select(func.count()).select_from(InspectionVersion)) == 1


def test_a_history_that_comes_in_part_says_how_long_it_is_and_how_to_go_on(
    county_inspector: Person, database: Database
) -> None:
    record = submit(county_inspector)
    path = f"/inspections/{record['id']}/history"
    page = read(county_inspector, path)
    assert (page["total"], page["total_is_exact"]) == (len(page["items"]), True)
    moves = [
        history.Move("inspection", UUID(record["id"]), "correct", "submitted", "submitted", number, None, {})
        for number in range(2, 300)
    ]
    with database.write() as session:
        history.append_all(session, moves)
    page = read(county_inspector, path)
    assert (len(page["items"]), page["page_size"], page["total"], page["total_is_exact"]) == (200, 200, 299, True)
    rest = read(county_inspector, f"{path}?page_size=100&after={page['next_after']}")
    assert [row["version"] for row in rest["items"]] == list(range(201, 300)) and rest["next_after"] is None


# ---- what was done once stays done


def test_a_disposal_once_done_is_not_undone_by_two_corrections(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "done", "7.2": "in_progress"}))
    record = correct(county_inspector, record, production(), "看错一项").json
    assert record["disposals"] == ALL_NA
    for value in ("in_progress", "na"):
        answer = correct(county_inspector, record, with_problem({"7.1": value}), "又有问题")
        assert faults(answer) == {"/disposals/7.1": "disposal_final"}
    again = correct(county_inspector, record, with_problem({"7.1": "done", "7.2": "na"}), "又有问题")
    assert (again.status_code, again.json["disposals"]["7.1"]) == (200, "done")


def test_a_disposal_done_after_submission_counts_too(county_inspector: Person) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress", "7.2": "in_progress"}))
    moved = {"disposals": {"7.1": "done", "7.2": "done"}, "version": 1}
    record = county_inspector.put(f"/inspections/{record['id']}/disposals", moved).json
    record = correct(county_inspector, record, production(), "看错一项").json
    answer = correct(county_inspector, record, with_problem(), "又有问题")
    assert faults(answer) == {"/disposals/7.1": "disposal_final", "/disposals/7.2": "disposal_final"}


# ---- a correction into a duplicate asks as a submission does


def test_a_correction_into_a_duplicate_asks(county_inspector: Person) -> None:
    there = submit(county_inspector)
    for body in (production(uscc=uscc(3), org_name="第三家电缆厂"), production(check_date="2026-11-19")):
        other = submit(county_inspector, body)
        answer = correct(county_inspector, other, production(remark="填错企业或日期"))
        assert problem(answer) == (409, "duplicate_check")
        assert answer.json["duplicates"] == [there["id"]]
        confirmed = correct(county_inspector, other, production(remark="填错企业或日期", confirm_duplicate=True))
        assert (confirmed.status_code, confirmed.json["version"]) == (200, 2)
        moved_away = production(uscc=uscc(4), org_name="第四家电缆厂", check_date=other["check_date"])
        correct(county_inspector, confirmed.json, moved_away)


def test_a_correction_that_stays_the_check_it_was_does_not_ask_again(county_inspector: Person) -> None:
    submit(county_inspector)
    second = submit(county_inspector, production(confirm_duplicate=True))
    assert correct(county_inspector, second, production(remark="补充")).status_code == 200


def test_a_spot_check_never_asks(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(), noun="spot-checks")
    other = submit(county_inspector, spot_check(sheet_no="CQ-0002", uscc=uscc(3)), noun="spot-checks")
    body = {**spot_check(sheet_no="CQ-0002"), "version": 1, "reason": "企业填错"}
    assert county_inspector.put(f"/spot-checks/{other['id']}/correction", body).status_code == 200


# ---- a corrected record shows a mark and a name


def test_a_corrected_record_says_when_by_whom_and_how_often(
    county_inspector: Person, city_reviewer: Person, clock: Any
) -> None:
    record = submit(county_inspector)
    assert record["corrected"] is None
    record = correct(county_inspector, record, production(remark="一")).json
    assert record["corrected"] == {
        "at": "2026-11-21T02:00:00Z", "by": "county_inspector", "office": "天宁区市场监督管理局", "count": 1,
        "approved_by": None, "approved_office": None,
    }  # fmt: skip
    clock.shift(timedelta(minutes=5))
    correct(city_reviewer, record, production(remark="二"))
    marked = {
        "at": "2026-11-21T02:05:00Z", "by": "city_reviewer", "office": "常州市市场监督管理局", "count": 2,
        "approved_by": None, "approved_office": None,
    }  # fmt: skip
    for person in (county_inspector, city_reviewer):
        assert read(person, f"/inspections/{record['id']}")["corrected"] == marked
        (row,) = read(person, "/inspections")["items"]
        assert row["corrected"] == marked


def test_the_mark_names_the_person_at_the_phone_where_one_was_given(county_inspector: Person, client: Any) -> None:
    body = {"username": "county_inspector", "password": PASSWORD, "operator_name": "钱某"}
    token = client.post("/api/v1/sessions", json=body).json["token"]
    record = correct(Person("county_inspector", client, token), submit(county_inspector), production(remark="一")).json
    assert record["corrected"]["by"] == "钱某"


def test_exports_say_how_often_when_and_by_whom_a_record_was_corrected(county_inspector: Person) -> None:
    record = submit(county_inspector)
    correct(county_inspector, record, production(remark="一"))
    spot = submit(county_inspector, spot_check(), noun="spot-checks")
    county_inspector.put(
        f"/spot-checks/{spot['id']}/correction", {**spot_check(remark="x"), "version": 1, "reason": "补充"}
    )
    for noun in ("inspections", "spot-checks"):
        heads, row = county_inspector.get(f"/{noun}.csv").get_data(as_text=True).lstrip("\ufeff").splitlines()
        cells = dict(zip(heads.split(","), row.split(","), strict=True))
        assert (cells["更正次数"], cells["更正人"]) == ("1", "county_inspector（天宁区市场监督管理局）")
        assert cells["最近更正时间"].startswith("2026-11-21")
