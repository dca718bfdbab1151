"""The keeper of shared words (词条管理): merge, rename, retype, retire, restore, with history, for the own province."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update

from core.config import Settings
from core.db import Database
from inspection.dictionaries.models import DictionaryEntry
from tests.command_line import command_line
from tests.people import LICENCE_ITEM, Person, SignIn, faults, new_id, production, spot_check
from tests.records import problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")
CABLE = {"name": "超导缆", "regulation_type": "licence"}


def add(person: Person, body: dict[str, Any], code: str = "06", noun: str = "items") -> str:
    item = new_id()
    answer = person.put(f"/products/{code}/{noun}/{item}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return item


def act(person: Person, item: str, action: str, noun: str = "items", code: str = "06", **body: Any) -> dict[str, Any]:
    answer = person.post(f"/products/{code}/{noun}/{item}/actions/{action}", {"version": 1, **body})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def on_the_next_day(clock: time_machine.Traveller, sign_in: SignIn) -> tuple[Person, Person]:
    clock.shift(timedelta(days=1))
    return sign_in("county_inspector"), sign_in("province_user")


def names(person: Person, path: str = "/products/06/items") -> list[str]:
    return [item["name"] for item in read(person, path)["items"]]


def test_a_renamed_entry_keeps_its_id_and_older_records_show_the_name_of_their_time(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    before = submit(county_inspector, production(products=[item]))
    renamed = act(province_user, item, "rename", name="超导电缆", reason="错别字")
    assert (renamed["id"], renamed["name"], renamed["version"]) == (item, "超导电缆", 2)
    assert renamed["other_names"] == ["超导缆"]
    assert "超导缆" not in names(county_inspector) and "超导电缆" in names(county_inspector)
    assert read(county_inspector, f"/inspections/{before['id']}")["product_names"] == ["超导缆"]
    after = submit(county_inspector, production(products=[item], check_date="2026-11-21"))
    assert after["product_names"] == ["超导电缆"]


def test_adding_the_former_name_of_a_renamed_entry_means_that_entry(
    county_inspector: Person, county_colleague: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    act(province_user, item, "rename", name="超导电缆")
    lost_answer = county_inspector.put(f"/products/06/items/{item}", CABLE)
    assert (lost_answer.status_code, lost_answer.json["name"]) == (200, "超导电缆")
    once_more = county_colleague.put(f"/products/06/items/{new_id()}", CABLE)
    assert (once_more.status_code, once_more.json["id"]) == (200, item)


def test_a_name_that_stands_already_however_it_is_typed_is_refused(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    for name in ("架空绞线", "架 空绞线"):
        answer = province_user.post(f"/products/06/items/{item}/actions/rename", {"version": 1, "name": name})
        assert problem(answer) == (409, "name_taken")
    other = add(county_inspector, {"name": "Ａ型缆", "regulation_type": "licence"})
    answer = province_user.post(f"/products/06/items/{item}/actions/rename", {"version": 1, "name": "a 型缆"})
    assert problem(answer) == (409, "name_taken") and other != item
    assert "合并" in answer.json["detail"]


def test_a_merged_entry_stays_valid_as_another_name_and_is_no_longer_offered(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, {"name": "架空铰线", "regulation_type": "licence"})
    before = submit(county_inspector, production(products=[item]))
    merged = act(province_user, item, "merge", into=LICENCE_ITEM)
    assert (merged["status"], merged["merged_into"]) == ("merged", LICENCE_ITEM)
    assert "架空铰线" not in names(county_inspector)
    assert names(county_inspector, "/products/06/items?status=merged") == ["架空铰线"]
    offline = submit(county_inspector, production(products=[item], check_date="2026-11-21"))
    assert (offline["products"], offline["product_names"]) == ([LICENCE_ITEM], ["架空绞线"])
    assert read(county_inspector, f"/inspections/{before['id']}")["product_names"] == ["架空铰线"]
    again = county_inspector.put(f"/products/06/items/{new_id()}", {"name": "架空铰线", "regulation_type": "licence"})
    assert (again.status_code, again.json["id"]) == (200, LICENCE_ITEM)
    assert act(province_user, item, "restore", version=2)["status"] == "active"
    assert "架空铰线" in names(county_inspector)


def test_a_retired_entry_may_be_merged_into_the_one_that_takes_its_place(
    county_inspector: Person, province_user: Person, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    item = add(county_inspector, CABLE)
    act(province_user, item, "retire", reason="重复")
    merged = act(province_user, item, "merge", version=2, into=LICENCE_ITEM)
    assert (merged["status"], merged["retired_on"]) == ("merged", None)
    county_inspector, province_user = on_the_next_day(clock, sign_in)
    sent = submit(county_inspector, production(products=[item], check_date="2026-11-22"))
    assert (sent["products"], sent["warnings"]) == ([LICENCE_ITEM], [])
    act(province_user, item, "restore", version=3)
    assert "超导缆" in names(county_inspector)


def test_two_entries_never_become_each_others_other_name(county_inspector: Person, province_user: Person) -> None:
    first, second = add(county_inspector, CABLE), add(county_inspector, {**CABLE, "name": "超导电缆"})
    act(province_user, first, "merge", into=second)
    answer = province_user.post(f"/products/06/items/{second}/actions/merge", {"version": 1, "into": first})
    assert faults(answer) == {"/into": "not_active"}


def test_what_was_merged_may_be_merged_again(county_inspector: Person, province_user: Person) -> None:
    first, second = add(county_inspector, CABLE), add(county_inspector, {**CABLE, "name": "超导电缆"})
    act(province_user, first, "merge", into=second)
    act(province_user, second, "merge", into=LICENCE_ITEM)
    assert submit(county_inspector, production(products=[first]))["products"] == [LICENCE_ITEM]


def test_an_entry_is_merged_only_into_another_one_in_use_of_its_list_and_type(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    retired = add(county_inspector, {**CABLE, "name": "旧缆"})
    act(province_user, retired, "retire", reason="重复")
    ccc = add(county_inspector, {"name": "认证缆", "regulation_type": "ccc"})
    elsewhere = add(county_inspector, {"name": "复合水泥", "regulation_type": "licence"}, "05")
    for into, code in (
        (item, "same_item"), (retired, "not_active"), (ccc, "other_regulation_type"),
        (elsewhere, "unknown_item"), (new_id(), "unknown_item"),
    ):  # fmt: skip
        answer = province_user.post(f"/products/06/items/{item}/actions/merge", {"version": 1, "into": into})
        assert faults(answer) == {"/into": code}


def test_a_retired_entry_counts_for_checks_of_its_last_day_and_not_for_those_of_the_day_after(
    county_inspector: Person, province_user: Person, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    item = add(county_inspector, CABLE)
    draft = save(county_inspector, production(products=[item]))
    assert draft["warnings"] == []
    retired = act(province_user, item, "retire", reason="应选架空绞线")
    assert (retired["status"], retired["retired_on"]) == ("retired", "2026-11-21")
    assert "超导缆" not in names(county_inspector)
    county_inspector, province_user = on_the_next_day(clock, sign_in)
    last_day = submit(county_inspector, production(products=[item], check_date="2026-11-21"))
    assert [one["code"] for one in last_day["warnings"]] == ["retired_item"]
    assert read(county_inspector, f"/inspections/{last_day['id']}")["warnings"] == last_day["warnings"]
    day_after = production(products=[item], check_date="2026-11-22")
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", day_after)
    assert faults(answer) == {"/products/0": "retired_item"}
    assert "2026-11-21" in answer.json["errors"][0]["message"]
    kept = save(county_inspector, {**day_after, "version": 1}, draft["id"])
    assert (kept["products"], [one["code"] for one in kept["warnings"]]) == ([item], ["retired_item"])
    act(province_user, item, "restore", version=2)
    assert submit(county_inspector, {**day_after, "version": 2}, draft["id"])["warnings"] == []


def test_a_retired_entry_is_not_added_again_but_its_record_can_be_corrected(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    record = submit(county_inspector, production(products=[item]))
    act(province_user, item, "retire", reason="不规范")
    answer = county_inspector.put(f"/products/06/items/{new_id()}", {**CABLE, "name": "超导 缆"})
    assert faults(answer) == {"/name": "retired"}
    corrected = production(products=[item], remark="补记", version=1, reason="漏填备注")
    assert county_inspector.put(f"/inspections/{record['id']}/correction", corrected).status_code == 200


def test_a_retired_test_item_is_refused_for_samples_of_later_days(
    county_inspector: Person, province_user: Person, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    item = add(county_inspector, {"name": "直流电阻"}, noun="test-items")
    act(province_user, item, "retire", "test-items", reason="与导体电阻重复")
    rows = [{"item_id": item, "verdict": "pass"}]
    county_inspector, province_user = on_the_next_day(clock, sign_in)
    taken = submit(county_inspector, spot_check(items=rows, sampled_on="2026-11-21"), noun="spot-checks")
    assert [one["code"] for one in taken["warnings"]] == ["retired_item"]
    later = spot_check(items=rows, sampled_on="2026-11-22", sheet_no="CQ-2")
    answer = county_inspector.put(f"/spot-checks/{new_id()}/submission", later)
    assert faults(answer) == {"/items/0/item_id": "retired_item"}
    answer = province_user.post(f"/products/06/test-items/{item}/actions/retype", {"version": 2})
    assert answer.status_code in (404, 405)


def test_a_mended_type_holds_from_the_next_day_and_both_hold_until_then(
    county_inspector: Person, province_user: Person, clock: time_machine.Traveller, sign_in: SignIn
) -> None:
    item = add(county_inspector, CABLE)
    before = submit(county_inspector, production(products=[item]))
    retyped = act(province_user, item, "retype", regulation_type="ccc", reason="属于认证目录")
    assert retyped["regulation_type"] == "ccc"
    assert retyped["former_types"] == [{"regulation_type": "licence", "until": "2026-11-21"}]
    county_inspector, province_user = on_the_next_day(clock, sign_in)
    for day, kind, right in (
        ("2026-11-21", "licence", True), ("2026-11-21", "ccc", True),
        ("2026-11-22", "licence", False), ("2026-11-22", "ccc", True),
    ):  # fmt: skip
        body = production(products=[item], regulation_types=[kind], check_date=day, confirm_duplicate=True)
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", body)
        assert (answer.status_code == 201) is right, (day, kind, answer.get_data(as_text=True))
    body = production(products=[item], remark="补记", version=1, reason="漏填备注")
    assert province_user.put(f"/inspections/{before['id']}/correction", body).status_code == 200


def test_another_type_on_adding_is_warned_of_and_not_stored(county_inspector: Person, county_colleague: Person) -> None:
    item = add(county_inspector, CABLE)
    answer = county_colleague.put(f"/products/06/items/{new_id()}", {"name": "超导缆", "regulation_type": "ccc"})
    assert (answer.status_code, answer.json["id"], answer.json["regulation_type"]) == (200, item, "licence")
    assert [one["code"] for one in answer.json["warnings"]] == ["other_regulation_type"]
    assert "工业产品生产许可证管理" in answer.json["warnings"][0]["message"]
    same = county_colleague.put(f"/products/06/items/{new_id()}", CABLE)
    assert same.json["warnings"] == []


def test_a_type_that_is_unusual_for_the_product_is_warned_of(county_inspector: Person, province_user: Person) -> None:
    item = new_id()
    answer = county_inspector.put(f"/products/05/items/{item}", {"name": "白水泥", "regulation_type": "ccc"})
    assert answer.status_code == 201
    assert [one["code"] for one in answer.json["warnings"]] == ["unusual_regulation_type"]
    assert "水泥" in answer.json["warnings"][0]["message"]
    mended = act(province_user, item, "retype", code="05", regulation_type="licence", reason="选错")
    assert mended["warnings"] == []


def test_which_types_fit_a_product_is_for_the_administrator_to_say(
    settings: Settings, county_inspector: Person
) -> None:
    def added(kind: str) -> list[str]:
        body = {"name": f"特种水泥{new_id()[:6]}", "regulation_type": kind}
        answer = county_inspector.put(f"/products/05/items/{new_id()}", body)
        return [one["code"] for one in answer.json["warnings"]]

    def shown() -> list[str]:
        return next(
            one["regulation_types"] for one in read(county_inspector, "/products")["items"] if one["code"] == "05"
        )

    assert (added("ccc"), shown()) == (["unusual_regulation_type"], ["licence"])
    with command_line(settings) as run:
        run("dictionaries", "types", "05", "licence", "ccc")
        assert (added("ccc"), added("other"), shown()) == ([], ["unusual_regulation_type"], ["licence", "ccc"])
        assert "强制性产品认证" in run("dictionaries", "types", "05").stdout
        run("dictionaries", "types", "05", "--reset")
        run("dictionaries", "types", "05", "x", status=2)
    assert (added("ccc"), shown()) == (["unusual_regulation_type"], ["licence"])


def test_only_who_covers_the_province_keeps_its_entries(
    county_inspector: Person, city_reviewer: Person, province_user: Person, sign_in: SignIn
) -> None:
    item = add(county_inspector, CABLE)
    body = {"version": 1, "name": "超导电缆"}
    for person in (county_inspector, city_reviewer):
        assert problem(person.post(f"/products/06/items/{item}/actions/rename", body)) == (403, "forbidden")
    elsewhere = sign_in("other_province_user")
    assert problem(elsewhere.post(f"/products/06/items/{item}/actions/rename", body)) == (404, "not_found")
    assert elsewhere.get(f"/products/06/items/{item}").status_code == 404
    assert elsewhere.get(f"/products/06/items/{item}/history").status_code == 404  # a keeper too
    answer = province_user.post(f"/products/06/items/{LICENCE_ITEM}/actions/rename", body)
    assert problem(answer) == (403, "forbidden") and "全国" in answer.json["detail"]
    assert "dictionaries.keep" in read(province_user, "/me")["verbs"]
    assert "dictionaries.keep" not in read(city_reviewer, "/me")["verbs"]


def test_the_same_action_again_is_answered_alike_and_a_stale_one_refused(
    county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    path, body = f"/products/06/items/{item}/actions/rename", {"version": 1, "name": "超导电缆"}
    first, again = province_user.post(path, body), province_user.post(path, body)
    assert (again.status_code, again.json) == (200, first.json)
    answer = province_user.post(path, {"version": 1, "name": "超导线"})
    assert problem(answer) == (409, "stale_version") and answer.json["current_version"] == 2
    assert faults(province_user.post(path, {"version": 2, "name": "超导电缆"})) == {"/name": "unchanged"}
    assert faults(province_user.post(path, {"version": 2, "name": "——"})) == {"/name": "meaningless"}
    restore = province_user.post(f"/products/06/items/{item}/actions/restore", {"version": 2})
    assert problem(restore) == (409, "wrong_status")
    retire = province_user.post(f"/products/06/items/{item}/actions/retire", {"version": 2})
    assert faults(retire) == {"/reason": "required"}


def test_the_history_says_who_changed_what(county_inspector: Person, province_user: Person) -> None:
    item = add(county_inspector, CABLE)
    act(province_user, item, "rename", name="超导电缆", reason="错别字")
    act(province_user, item, "retire", version=2, reason="不生产")
    shown = read(province_user, f"/products/06/items/{item}/history")["items"]
    assert [(row["action"], row["actor"], row["reason"]) for row in shown] == [
        ("rename", "province_user", "错别字"), ("retire", "province_user", "不生产"),
    ]  # fmt: skip
    assert shown[0]["changed"] == {"name": ["超导缆", "超导电缆"]}
    detail = read(province_user, f"/products/06/items/{item}")
    assert (detail["added_by"], detail["other_names"]) == ("county_inspector", ["超导缆"])
    assert read(county_inspector, f"/products/06/items/{item}") == {**detail, "added_by": None}
    assert problem(county_inspector.get(f"/products/06/items/{item}/history")) == (403, "forbidden")


def test_an_entry_of_the_country_that_comes_later_does_not_double_the_provinces_own(
    county_inspector: Person, sign_in: SignIn, province_user: Person, database: Database
) -> None:
    item = add(county_inspector, {"name": "直流电阻"}, noun="test-items")
    with database.write() as session:
        own = session.scalars(select(DictionaryEntry).where(DictionaryEntry.name == "直流电阻")).one()
        columns = {c.name: getattr(own, c.name) for c in DictionaryEntry.__table__.columns}
        session.add(DictionaryEntry(**{**columns, "id": type(own.id)(new_id()), "area1": "", "proposed": True}))
    assert names(county_inspector, "/products/06/test-items").count("直流电阻") == 1
    assert names(sign_in("other_province_user"), "/products/06/test-items").count("直流电阻") == 1
    again = county_inspector.put(f"/products/06/test-items/{new_id()}", {"name": "直流电阻"})
    assert again.json["id"] == item
    act(province_user, item, "retire", "test-items", reason="不用")
    assert "直流电阻" not in names(county_inspector, "/products/06/test-items")


def test_the_administrator_keeps_entries_of_the_country_on_the_command_line(
    settings: Settings, province_user: Person
) -> None:
    with command_line(settings) as run:
        assert "架空绞线" in run("dictionaries", "list", "06").stdout
        run("dictionaries", "rename", LICENCE_ITEM, "架空绞线（裸）")
        refused = run("dictionaries", "rename", LICENCE_ITEM, "电线组件", status=1)
        assert "已有名称为“电线组件”的词条" in refused.stderr
        run("dictionaries", "retype", LICENCE_ITEM, "other", "--reason", "不再实行许可")
        run("dictionaries", "retire", LICENCE_ITEM, "--reason", "不再监管")
        assert LICENCE_ITEM in run("dictionaries", "list", "06", "--status", "retired").stdout
        run("dictionaries", "restore", LICENCE_ITEM)
        assert "新增 0" in run("dictionaries", "load").stdout
        assert "完整" in run("history", "verify").stdout
    shown = read(province_user, f"/products/06/items/{LICENCE_ITEM}/history")["items"]
    assert [row["action"] for row in shown] == [
        f"administrator_{action}" for action in ("rename", "retype", "retire", "restore")
    ]
    assert {row["actor"] for row in shown} == {"命令行"}


def test_an_entry_changed_past_its_keepers_is_shown(
    settings: Settings, database: Database, county_inspector: Person, province_user: Person
) -> None:
    item = add(county_inspector, CABLE)
    act(province_user, item, "rename", name="超导电缆")
    with database.write() as session:
        session.execute(update(DictionaryEntry).where(DictionaryEntry.id == UUID(item)).values(name="改了"))
    with command_line(settings) as run:
        assert "content of the word was changed" in run("history", "verify", status=1).stderr
