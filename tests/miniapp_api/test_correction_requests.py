"""After its owner's own day a record is corrected by application (更正申请), or because it was returned (退回更正)."""

from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from accounts.verbs import Role
from core.db import Database
from core.workflows import history
from inspection import integrity
from inspection.models import CorrectionRequest
from inspection.statistics import tallies
from tests import parties as both
from tests.newcomers import make_station, make_user
from tests.people import ALL_NA, Person, SignIn, faults, new_id, production, spot_check, uscc, with_problem
from tests.records import Json, listed, problem, read, submit

pytestmark = pytest.mark.usefixtures("clock")

A_DAY_LATER = timedelta(hours=24, seconds=1)


@pytest.fixture
def late(sign_in: SignIn, clock: Any) -> Any:
    """Submit, and sign in again when the owner's day is over: the record and whoever is called by name."""

    def made(body: Json | None = None, noun: str = "inspections", name: str = "county_inspector") -> Json:
        record = submit(sign_in(name), body, noun=noun)
        clock.shift(A_DAY_LATER)
        return record

    return made


def ask(person: Person, record: Json, body: Json, noun: str = "inspections", **more: Any) -> Any:
    sent = {**body, "version": record["version"], "reason": "漏填一项", **more}
    return person.post(f"/{noun}/{record['id']}/correction-requests", sent)


def asked(person: Person, record: Json, body: Json, noun: str = "inspections", **more: Any) -> Json:
    answer = ask(person, record, body, noun, **more)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def approve(person: Person, request: Json, **body: Any) -> Any:
    return person.post(f"/correction-requests/{request['id']}/approve", body)


def reject(person: Person, request: Json, opinion: Any = "理由不足") -> Any:
    return person.post(f"/correction-requests/{request['id']}/reject", {"opinion": opinion})


def send_back(person: Person, record: Json, opinion: Any = "企业名称有误，请核对", noun: str = "inspections") -> Any:
    return person.post(f"/{noun}/{record['id']}/return", {"opinion": opinion})


def todos(person: Person) -> list[tuple[str, str]]:
    return [(todo["kind"], todo["link"]) for todo in read(person, "/todos")["items"]]


def held(database: Database) -> None:
    with database.write() as session:
        report = tallies.reconcile(session)
        assert (report.mended, report.added, report.emptied) == (0, 0, 0)
        assert list(history.verify(session)) == []
        assert list(integrity.verify(session)) == []


# ---- asking


def test_after_a_day_the_owner_is_told_to_apply(late: Any, sign_in: SignIn) -> None:
    record = late()
    body = {**production(remark="晚了"), "version": 1, "reason": "漏填"}
    answer = sign_in("county_inspector").put(f"/inspections/{record['id']}/correction", body)
    assert problem(answer) == (403, "forbidden")
    assert "更正申请" in answer.json["detail"]


def test_an_application_shows_both_versions_and_the_places_at_which_they_differ(late: Any, sign_in: SignIn) -> None:
    record = late(production(contact_tel="13800000001"))
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    body = with_problem({"7.1": "in_progress"}, org_name="常州另一电缆有限公司", contact_tel="13800000002")
    request = asked(owner, record, body)
    assert (request["status"], request["version"], request["base_version"]) == ("pending", 1, 1)
    assert request["reason"] == "漏填一项"
    assert request["requested"] == {
        "at": "2026-11-22T02:00:01Z", "by": "county_inspector", "office": "天宁区市场监督管理局",
    }  # fmt: skip
    shown = read(city, f"/correction-requests/{request['id']}")
    assert (shown["before"]["org_name"], shown["after"]["org_name"]) == ("常州某某电缆有限公司", "常州另一电缆有限公司")
    assert shown["actions"] == ["approve", "reject"] and not shown["outdated"]
    differences = {row["path"]: (row["before"], row["after"]) for row in shown["differences"]}
    assert differences == {
        "/org_name": ("常州某某电缆有限公司", "常州另一电缆有限公司"), "/contact_tel": ("138****0001", "138****0002"),
        "/answers/1.2": ("no", "yes"), "/disposals/7.1": ("na", "in_progress"),
    }  # fmt: skip
    labels = {row["path"]: row["label"] for row in shown["differences"]}
    assert labels["/answers/1.2"].startswith("1.2 ") and labels["/org_name"] == "企业名称"
    assert "13800000001" not in str(shown) and "13800000002" not in str(shown)
    mine = read(owner, f"/correction-requests/{request['id']}")
    assert mine["after"]["contact_tel"] == "13800000002" and mine["actions"] == ["withdraw"]
    # Nothing has changed yet; its day is over, so that the office reads the record's number masked.
    assert read(owner, f"/inspections/{record['id']}") == {**record, "contact_tel": "138****0001"}


def test_only_the_owner_applies_and_only_when_it_has_to(
    late: Any, sign_in: SignIn, county_inspector: Person, neighbour_inspector: Person
) -> None:
    fresh = submit(county_inspector)
    answer = ask(county_inspector, fresh, production(remark="一"))
    assert problem(answer) == (409, "correct_directly")
    record = late(production(check_date="2026-11-19"))
    body = production(check_date="2026-11-19", remark="一")
    for name in ("county_colleague", "city_reviewer"):
        assert problem(ask(sign_in(name), record, body)) == (403, "forbidden")
    assert problem(ask(sign_in("neighbour_inspector"), record, body)) == (404, "not_found")


def test_an_application_is_validated_like_a_submission(late: Any, sign_in: SignIn) -> None:
    record = late(with_problem({"7.1": "done"}))
    owner = sign_in("county_inspector")
    assert faults(ask(owner, record, production(inspectors=["甲"]))) == {"/inspectors": "too_few"}
    assert faults(ask(owner, record, with_problem())) == {"/disposals/7.1": "disposal_final"}
    assert faults(ask(owner, record, with_problem({"7.1": "done"}))) == {"": "no_difference"}
    for reason, code in ((None, "required"), ("  ", "required"), ("。", "meaningless"), ("长" * 501, "too_long")):
        assert faults(ask(owner, record, production(), reason=reason)) == {"/reason": code}
    stale = ask(owner, record, production(), version=7)
    assert (problem(stale), stale.json["current_version"]) == ((409, "stale_version"), 1)
    other = submit(owner, production(uscc=uscc(3), org_name="第三家"))
    duplicate = ask(owner, record, production(uscc=uscc(3), org_name="第三家"))
    assert (problem(duplicate), duplicate.json["duplicates"]) == ((409, "duplicate_check"), [other["id"]])
    confirmed = asked(owner, record, production(uscc=uscc(3), org_name="第三家", confirm_duplicate=True))
    assert confirmed["confirmed"] == ["confirm_duplicate"]


def test_the_same_application_sent_again_is_the_same_one(late: Any, sign_in: SignIn, database: Database) -> None:
    record, owner = late(), sign_in("county_inspector")
    first = ask(owner, record, production(remark="一"))
    again = ask(owner, record, production(remark="一"))
    assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)
    assert reject(sign_in("city_reviewer"), first.json).status_code == 200
    assert ask(owner, record, production(remark="一")).json["status"] == "rejected"
    with database.read() as session:
        assert len(session.scalars(select(CorrectionRequest)).all()) == 1


def test_a_newer_application_takes_the_place_of_the_one_that_is_pending(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    first = asked(owner, record, production(remark="一"))
    second = asked(owner, record, production(remark="二"))
    assert read(owner, f"/correction-requests/{first['id']}")["status"] == "withdrawn"
    assert problem(approve(city, first)) == (409, "wrong_status")
    assert todos(city) == [("correction_requested", f"/correction-requests/{second['id']}")]


def test_the_owner_takes_an_application_back(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    request = asked(owner, record, production(remark="一"))
    path = f"/correction-requests/{request['id']}/withdraw"
    assert problem(city.post(path, {})) == (403, "forbidden")
    assert owner.post(path, {}).json["status"] == "withdrawn"
    assert owner.post(path, {}).json["status"] == "withdrawn"
    assert todos(city) == []
    assert problem(approve(city, request)) == (409, "wrong_status")


# ---- deciding


def test_an_accepted_application_corrects_the_record_just_as_asked(
    late: Any, sign_in: SignIn, database: Database
) -> None:
    record = late(production(contact_tel="13800000001"))
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    body = with_problem({"7.1": "in_progress"}, uscc=uscc(5), org_name="第五家电缆厂", contact_tel="13800000002")
    request = asked(owner, record, body)
    assert todos(city) == [("correction_requested", f"/correction-requests/{request['id']}")]
    assert todos(owner) == []
    answer = approve(city, request)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.json["status"], answer.json["decided"]["by"]) == ("approved", "city_reviewer")
    shown = read(owner, f"/inspections/{record['id']}")
    assert (shown["version"], shown["contact_tel"], shown["org_name"]) == (2, "13800000002", "第五家电缆厂")
    for name in ("uscc", "answers", "disposals", "inspectors", "products", "check_date"):
        assert shown[name] == body[name], name
    assert (shown["office"], shown["username"]) == (record["office"], "county_inspector")
    assert shown["corrected"] == {
        "at": "2026-11-22T02:00:01Z", "by": "county_inspector", "office": "天宁区市场监督管理局", "count": 1,
        "approved_by": "city_reviewer", "approved_office": "常州市市场监督管理局",
    }  # fmt: skip
    moves = read(owner, f"/inspections/{record['id']}/history")["items"]
    assert (moves[-1]["action"], moves[-1]["actor"], moves[-1]["author"]) == (
        "correct", "city_reviewer", "county_inspector",
    )  # fmt: skip
    assert moves[-1]["reason"] == "漏填一项"
    assert read(owner, f"/inspections/{record['id']}/versions/1")["org_name"] == "常州某某电缆有限公司"
    assert listed(owner, "q=第五家") == [record["id"]]
    assert ("disposal_in_progress", f"/inspections/{record['id']}") in todos(owner) and todos(city) == []
    assert approve(city, request).json == answer.json
    assert problem(reject(city, request)) == (409, "wrong_status")
    held(database)


def test_a_refused_application_changes_nothing_and_its_owner_is_told_why(
    late: Any, sign_in: SignIn, database: Database
) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    request = asked(owner, record, production(remark="一"))
    for opinion, code in ((None, "required"), ("！！", "meaningless"), ("长" * 501, "too_long")):
        assert faults(reject(city, request, opinion)) == {"/opinion": code}
    answer = reject(city, request, "照片显示并非如此")
    assert (answer.json["status"], answer.json["decided"]["opinion"]) == ("rejected", "照片显示并非如此")
    assert reject(city, request, "照片显示并非如此").json == answer.json
    assert read(owner, f"/inspections/{record['id']}") == record
    assert todos(owner) == [("correction_rejected", f"/correction-requests/{request['id']}")]
    assert "照片显示并非如此" in read(owner, "/todos")["items"][0]["title"]
    assert read(owner, f"/correction-requests/{request['id']}")["actions"] == ["read"]
    assert problem(city.post(f"/correction-requests/{request['id']}/read", {})) == (403, "forbidden")
    assert owner.post(f"/correction-requests/{request['id']}/read", {}).status_code == 200
    assert todos(owner) == [] and problem(approve(city, request)) == (409, "wrong_status")
    held(database)


def test_an_earlier_refusal_need_not_be_read_once_it_was_asked_anew_returned_or_voided(
    late: Any, sign_in: SignIn
) -> None:
    record = late()
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    reject(city, asked(owner, record, production(remark="一")))
    assert [kind for kind, _ in todos(owner)] == ["correction_rejected"]
    second = asked(owner, record, production(remark="二"))
    assert todos(owner) == []
    reject(city, second)
    send_back(city, record)
    assert [kind for kind, _ in todos(owner)] == ["correction_returned"]
    body = {**production(remark="三"), "version": 2, "reason": "按退回意见更正"}
    assert owner.put(f"/inspections/{record['id']}/correction", body).status_code == 200
    third = asked(owner, {**record, "version": 3}, production(remark="四"))
    reject(city, third)
    assert city.post(f"/inspections/{record['id']}/void", {"reason": "重复录入", "version": 3}).status_code == 200
    assert todos(owner) == []


@pytest.mark.parametrize("heir", ["county_colleague", "neighbour_inspector", None])
def test_what_was_refused_to_somebody_who_left_a_colleague_reads(
    late: Any, sign_in: SignIn, database: Database, heir: str | None
) -> None:
    record = late()
    city, colleague = sign_in("city_reviewer"), sign_in("county_colleague")
    request = asked(sign_in("county_inspector"), record, production(remark="一"))
    path = f"/correction-requests/{request['id']}"
    reject(city, request)
    assert problem(colleague.get(path)) == (404, "not_found")
    ids = {user["username"]: user["id"] for user in read(city, "/users?page_size=100")["items"]}
    office_id = read(sign_in("neighbour_inspector"), "/me")["office"]["id"]
    to = {"hand_over_to": ids[heir]} if heir else {}
    moved = city.post(f"/users/{ids['county_inspector']}/move", {"office_id": office_id, **to})
    assert moved.status_code == 200, moved.get_data(as_text=True)
    assert todos(colleague) == [("correction_rejected", path)]
    assert todos(sign_in("neighbour_inspector")) == []
    assert read(colleague, path)["actions"] == ["read"]
    assert [row["id"] for row in read(colleague, "/correction-requests")["items"]] == [request["id"]]
    assert colleague.post(f"{path}/read", {}).status_code == 200
    assert todos(colleague) == []


def test_what_somebody_who_left_asked_for_a_colleague_takes_back_and_nobody_beside_decides(
    late: Any, sign_in: SignIn
) -> None:
    record = late()
    city, colleague = sign_in("city_reviewer"), sign_in("county_colleague")
    request = asked(sign_in("county_inspector"), record, production(remark="一"))
    path = f"/correction-requests/{request['id']}"
    ids = {user["username"]: user["id"] for user in read(city, "/users?page_size=100")["items"]}
    assert city.post(f"/users/{ids['county_inspector']}/disable", {"reason": "离职"}).status_code == 200
    assert read(colleague, path)["actions"] == ["withdraw"]
    assert problem(approve(colleague, request)) == (403, "forbidden")
    assert read(city, path)["actions"] == ["approve", "reject"]
    assert colleague.post(f"{path}/withdraw", {}).json["status"] == "withdrawn"


def test_what_was_returned_to_somebody_who_is_disabled_a_colleague_mends(late: Any, sign_in: SignIn) -> None:
    record = late()
    city, colleague = sign_in("city_reviewer"), sign_in("county_colleague")
    send_back(city, record)
    ids = {user["username"]: user["id"] for user in read(city, "/users?page_size=100")["items"]}
    assert city.post(f"/users/{ids['county_inspector']}/disable", {"reason": "离职"}).status_code == 200
    assert todos(colleague) == [("correction_returned", f"/inspections/{record['id']}")]
    body = {**production(remark="同事更正"), "version": 2, "reason": "按退回意见更正"}
    assert colleague.put(f"/inspections/{record['id']}/correction", body).status_code == 200


def test_who_hands_drafts_over_and_stays_is_asked_to_mend_as_before(late: Any, sign_in: SignIn) -> None:
    record = late()
    city, colleague = sign_in("city_reviewer"), sign_in("county_colleague")
    send_back(city, record)
    ids = {user["username"]: user["id"] for user in read(city, "/users?page_size=100")["items"]}
    body = {"hand_over_to": ids["county_colleague"]}
    assert city.post(f"/users/{ids['county_inspector']}/hand-over", body).status_code == 200
    assert todos(colleague) == []
    assert todos(sign_in("county_inspector")) == [("correction_returned", f"/inspections/{record['id']}")]


def test_a_record_that_changed_meanwhile_is_not_corrected_by_an_old_application(late: Any, sign_in: SignIn) -> None:
    record = late(with_problem({"7.1": "in_progress"}))
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    request = asked(owner, record, with_problem({"7.1": "in_progress"}, remark="一"))
    moved = {"disposals": {"7.1": "done"}, "version": 1}
    assert owner.put(f"/inspections/{record['id']}/disposals", moved).status_code == 200
    assert read(city, f"/correction-requests/{request['id']}")["outdated"]
    answer = approve(city, request)
    assert (problem(answer), answer.json["current_version"]) == ((409, "stale_version"), 2)
    assert "重新申请" in answer.json["detail"]
    renewed = asked(owner, {**record, "version": 2}, with_problem({"7.1": "done"}, remark="一"))
    assert approve(city, renewed).status_code == 200


def test_a_duplicate_that_came_meanwhile_is_asked_of_whoever_decides(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    request = asked(owner, record, production(uscc=uscc(3), org_name="第三家"))
    other = submit(owner, production(uscc=uscc(3), org_name="第三家"))
    answer = approve(city, request)
    assert (problem(answer), answer.json["duplicates"]) == ((409, "duplicate_check"), [other["id"]])
    assert approve(city, request, confirm_duplicate=True).status_code == 200


def test_a_name_that_contradicts_the_register_is_asked_of_the_owner_and_not_again_of_who_decides(
    application: APIFlask, late: Any, sign_in: SignIn
) -> None:
    record = late()
    parties = both.prepare(application, sign_in)
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    body = production(uscc=both.WORKS, org_name="另一名称的企业")
    assert problem(ask(owner, record, body)) == (409, "name_differs")
    request = asked(owner, record, {**body, "confirm_name": True})
    assert request["confirmed"] == ["confirm_name"]
    assert approve(city, request).status_code == 200
    assert read(owner, f"/inspections/{record['id']}")["name_differs"] is True
    assert read(parties.enterprise, "/supervision-checks")["items"] == []


def test_nobody_decides_on_what_they_asked_for_nor_beside_the_office_above(
    late: Any, sign_in: SignIn, database: Database
) -> None:
    record = late()
    request = asked(sign_in("county_inspector"), record, production(remark="一"))
    path = f"/correction-requests/{request['id']}"
    assert problem(approve(sign_in("county_inspector"), request)) == (403, "forbidden")
    for name in ("county_colleague", "neighbour_inspector", "other_city_user", "other_province_user"):
        stranger = sign_in(name)
        assert problem(approve(stranger, request)) == (404, "not_found")
        assert problem(stranger.get(path)) == (404, "not_found")
        assert read(stranger, "/correction-requests")["items"] == []
    assert approve(sign_in("province_user"), request).status_code == 200


def test_a_bureau_decides_on_what_its_station_asked_for(late: Any, sign_in: SignIn, database: Database) -> None:
    make_station(database, "320402", "at_the_station", Role.INSPECTOR)
    record = late(name="at_the_station")
    request = asked(sign_in("at_the_station"), record, production(remark="一"))
    bureau = sign_in("county_colleague")
    assert [row["id"] for row in read(bureau, "/correction-requests")["items"]] == [request["id"]]
    assert todos(bureau) == [("correction_requested", f"/correction-requests/{request['id']}")]
    assert approve(bureau, request).status_code == 200


def test_what_the_province_entered_a_colleague_there_decides(late: Any, sign_in: SignIn, database: Database) -> None:
    make_user(database, "320000", "province_colleague")
    record = late(name="province_user")
    owner, colleague = sign_in("province_user"), sign_in("province_colleague")
    request = asked(owner, record, production(remark="一"))
    assert problem(approve(owner, request)) == (403, "forbidden")
    assert todos(colleague) == [("correction_requested", f"/correction-requests/{request['id']}")]
    assert approve(colleague, request).json["status"] == "approved"
    assert read(sign_in("city_reviewer"), "/correction-requests")["items"] == []


def test_the_list_has_own_ones_and_those_to_decide_by_status(late: Any, sign_in: SignIn, clock: Any) -> None:
    record = late()
    spot = late(spot_check(), noun="spot-checks")
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    first = asked(owner, record, production(remark="一"))
    clock.shift(timedelta(seconds=1))
    second = asked(owner, spot, spot_check(remark="二"), noun="spot-checks")
    for person in (owner, city):
        assert [row["id"] for row in read(person, "/correction-requests")["items"]] == [second["id"], first["id"]]
    reject(city, first)
    for status, ids in (("pending", [second["id"]]), ("rejected", [first["id"]]), ("approved", [])):
        assert [row["id"] for row in read(city, f"/correction-requests?status={status}")["items"]] == ids
    assert city.get("/correction-requests?status=open").status_code == 422
    (row,) = read(city, "/correction-requests?status=pending")["items"]
    assert (row["record"]["type"], row["record"]["org_name"]) == ("spot_check", "常州某某电缆有限公司")
    assert "before" not in row


def test_a_spot_check_is_corrected_by_application_too(late: Any, sign_in: SignIn, database: Database) -> None:
    record = late(spot_check(), noun="spot-checks")
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    body = spot_check(sheet_no="CQ-0009")
    body["items"][1]["verdict"] = "fail"
    request = asked(owner, record, body, noun="spot-checks")
    assert {row["path"] for row in request["differences"]} == {"/sheet_no", "/items"}
    assert approve(city, request).status_code == 200
    shown = read(owner, f"/spot-checks/{record['id']}")
    assert (shown["conclusion"], shown["sheet_no"], shown["level"]) == ("fail", "CQ-0009", "county")
    held(database)


def test_voiding_a_record_ends_what_was_asked_for(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    request = asked(owner, record, production(remark="一"))
    assert city.post(f"/inspections/{record['id']}/void", {"reason": "重复录入", "version": 1}).status_code == 200
    assert todos(city) == []
    assert read(owner, f"/correction-requests/{request['id']}")["status"] == "withdrawn"
    assert problem(approve(city, request)) == (409, "wrong_status")
    assert problem(ask(owner, {**record, "version": 2}, production(remark="二"))) == (409, "wrong_status")


def test_the_number_in_an_application_is_encrypted_at_rest(late: Any, sign_in: SignIn, database: Database) -> None:
    record = late(production(contact_tel="13800000001"))
    asked(sign_in("county_inspector"), record, production(contact_tel="13800000002"))
    with database.read() as session:
        stored = session.scalars(select(CorrectionRequest)).one()
    assert stored.before["data"]["contact_tel"].startswith("enc2:1:")
    assert stored.asked["data"]["contact_tel"].startswith("enc2:1:")


# ---- returning


@pytest.mark.parametrize("noun", ["inspections", "spot-checks"])
def test_a_returned_record_is_corrected_by_its_owner_once(
    late: Any, sign_in: SignIn, database: Database, noun: str
) -> None:
    body = production if noun == "inspections" else spot_check
    record = late(body(), noun=noun)
    owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
    answer = send_back(city, record, noun=noun)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.json["status"], answer.json["version"]) == ("submitted", 2)
    assert answer.json["returned"] == {
        "at": "2026-11-22T02:00:01Z", "by": "city_reviewer", "office": "常州市市场监督管理局",
        "opinion": "企业名称有误，请核对",
    }  # fmt: skip
    assert send_back(city, record, noun=noun).json == answer.json
    assert todos(owner) == [("correction_returned", f"/{noun}/{record['id']}")]
    assert "企业名称有误" in read(owner, "/todos")["items"][0]["title"]
    assert todos(sign_in("county_colleague")) == []
    assert listed(owner, noun=noun) == [record["id"]]
    assert problem(ask(owner, answer.json, body(remark="一"), noun=noun)) == (409, "correct_directly")
    path = f"/{noun}/{record['id']}/correction"
    corrected = owner.put(path, {**body(remark="一"), "version": 2, "reason": "按退回意见更正"})
    assert corrected.status_code == 200, corrected.get_data(as_text=True)
    assert (corrected.json["returned"], corrected.json["corrected"]["by"]) == (None, "county_inspector")
    assert todos(owner) == []
    again = owner.put(path, {**body(remark="二"), "version": 3, "reason": "再改一次"})
    assert problem(again) == (403, "forbidden")
    # The same words can be said again of what was corrected wrongly.
    assert send_back(city, record, noun=noun).json["version"] == 4
    held(database)


def test_only_who_stands_above_returns_a_record(county_inspector: Person, sign_in: SignIn, database: Database) -> None:
    record = submit(county_inspector)
    for name in ("county_inspector", "county_colleague"):
        assert problem(send_back(sign_in(name), record)) == (403, "forbidden")
    assert problem(send_back(sign_in("neighbour_inspector"), record)) == (404, "not_found")
    for opinion, code in ((None, "required"), ("…", "meaningless"), ("长" * 501, "too_long")):
        assert faults(send_back(sign_in("city_reviewer"), record, opinion)) == {"/opinion": code}
    stale = {"opinion": "请核对", "version": 9}
    answer = sign_in("city_reviewer").post(f"/inspections/{record['id']}/return", stale)
    assert problem(answer) == (409, "stale_version")
    assert send_back(sign_in("province_user"), record).status_code == 200


def test_the_newer_opinion_holds(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    send_back(city, record, "请核对名称")
    shown = send_back(city, record, "还有地址也不对").json
    assert (shown["returned"]["opinion"], shown["version"]) == ("还有地址也不对", 3)
    (todo,) = read(owner, "/todos")["items"]
    assert "地址" in todo["title"]


def test_a_record_about_which_an_application_is_pending_is_not_returned(late: Any, sign_in: SignIn) -> None:
    record, city = late(), sign_in("city_reviewer")
    asked(sign_in("county_inspector"), record, production(remark="一"))
    answer = send_back(city, record)
    assert problem(answer) == (409, "already_open") and "更正申请" in answer.json["detail"]
    assert read(city, f"/inspections/{record['id']}") == {**read(city, f"/inspections/{record['id']}"), "version": 1}


def test_a_returned_record_that_is_voided_wants_nothing_any_more(late: Any, sign_in: SignIn) -> None:
    record, owner, city = late(), sign_in("county_inspector"), sign_in("city_reviewer")
    send_back(city, record)
    voided = city.post(f"/inspections/{record['id']}/void", {"reason": "重复录入", "version": 2}).json
    assert (voided["status"], voided["returned"]) == ("voided", None) and todos(owner) == []
    assert problem(send_back(city, record, "请更正")) == (409, "wrong_status")


def test_what_somebody_who_left_entered_a_colleague_mends(late: Any, sign_in: SignIn) -> None:
    first, second = late(with_problem(dict(ALL_NA))), late(production(check_date="2026-11-19"))
    city, colleague = sign_in("city_reviewer"), sign_in("county_colleague")
    users = read(city, "/users?page_size=100")["items"]
    leaving = next(user["id"] for user in users if user["username"] == "county_inspector")
    send_back(city, first)
    assert todos(colleague) == []
    staying = next(user["id"] for user in users if user["username"] == "county_colleague")
    gone = city.post(f"/users/{leaving}/disable", {"reason": "离职", "hand_over_to": staying})
    assert gone.status_code == 200, gone.get_data(as_text=True)
    assert todos(colleague) == [("correction_returned", f"/inspections/{first['id']}")]
    body = {**with_problem(remark="同事更正"), "version": 2, "reason": "按退回意见更正"}
    assert colleague.put(f"/inspections/{first['id']}/correction", body).status_code == 200
    request = asked(colleague, second, production(check_date="2026-11-19", remark="同事申请"))
    assert approve(city, request).status_code == 200
    send_back(city, second, "再核对一次")
    assert ("correction_returned", f"/inspections/{second['id']}") in todos(colleague)


def test_ids_that_are_not_there_are_not_found(city_reviewer: Person) -> None:
    nothing = {"id": new_id(), "version": 1}
    assert problem(approve(city_reviewer, nothing)) == (404, "not_found")
    assert problem(reject(city_reviewer, nothing)) == (404, "not_found")
    assert problem(send_back(city_reviewer, nothing)) == (404, "not_found")
    assert problem(ask(city_reviewer, nothing, production())) == (404, "not_found")
