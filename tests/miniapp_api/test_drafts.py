"""Drafts (信息暂存): saved under the phone's id, seen by the own user name only, deleted softly."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from inspection.models import Inspection
from tests.people import PRODUCTION, Person, SignIn, faults, new_id, production, sales, spot_check
from tests.records import listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def test_a_draft_needs_only_its_kind_and_product(county_inspector: Person) -> None:
    record = new_id()
    answer = county_inspector.put(f"/inspections/{record}", {"kind": "production", "product_code": "06"})
    assert answer.status_code == 201
    assert answer.json["status"] == "draft"
    assert answer.json["version"] == 1
    assert answer.json["submitted_at"] is None
    assert listed(county_inspector, "status=draft") == [record]


def test_a_draft_without_product_is_refused(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}", {"kind": "production"})
    assert faults(answer) == {"/product_code": "required"}


def test_a_draft_without_kind_is_refused(county_inspector: Person) -> None:
    assert faults(county_inspector.put(f"/inspections/{new_id()}", {"product_code": "06"})) == {"/kind": "unknown_kind"}


def test_a_spot_check_cannot_be_saved_as_a_check(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}", {"kind": "spot_check", "product_code": "06"})
    assert faults(answer) == {"/kind": "unknown_kind"}


def test_a_draft_is_validated_by_types_only(county_inspector: Person) -> None:
    body = production(check_date="2027-01-01", inspectors=["甲"], uscc="9132", answers={"1.1": None})
    assert save(county_inspector, body)["check_date"] == "2027-01-01"
    wrong = production(unable="maybe", answers={"1.1": "perhaps"}, org_name=7)
    assert faults(county_inspector.put(f"/inspections/{new_id()}", wrong)) == {
        "/unable": "wrong_type", "/answers/1.1": "unknown_option", "/org_name": "wrong_type",
    }  # fmt: skip


def test_a_name_typed_but_not_added_is_not_saved_even_in_a_draft(county_inspector: Person) -> None:
    record = new_id()
    answer = county_inspector.put(f"/inspections/{record}", production(products=["超导电缆"]))
    assert faults(answer) == {"/products/0": "unknown_product_item"}
    assert county_inspector.get(f"/inspections/{record}").status_code == 404


def test_a_draft_is_read_back_as_it_was_saved_and_filled_on(county_inspector: Person) -> None:
    first = save(county_inspector, production())
    shown = read(county_inspector, f"/inspections/{first['id']}")
    assert shown == first
    for name in ("uscc", "org_name", "answers", "products", "check_date", "inspectors", "unable", "licence_no"):
        assert shown[name] == PRODUCTION[name]
    on = save(county_inspector, {**shown, "remark": "继续填报"}, first["id"])
    assert (on["version"], on["remark"]) == (2, "继续填报")


def test_another_users_draft_is_not_found_by_any_call(county_inspector: Person, county_colleague: Person) -> None:
    path = f"/inspections/{save(county_inspector)['id']}"
    answers = [
        county_colleague.get(path),
        county_colleague.put(path, production(version=1)),
        county_colleague.put(f"{path}/submission", production(version=1)),
        county_colleague.delete(path),
        county_colleague.get(f"{path}/history"),
        county_colleague.get(f"{path}/versions"),
        county_colleague.put(f"{path}/correction", production(version=1, reason="填错")),
        county_colleague.put(f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1}),
    ]
    assert [problem(answer) for answer in answers] == [(404, "not_found")] * len(answers)


def test_a_superior_does_not_see_drafts(county_inspector: Person, city_reviewer: Person) -> None:
    draft = save(county_inspector)
    assert city_reviewer.get(f"/inspections/{draft['id']}").status_code == 404
    assert listed(city_reviewer) == []
    assert listed(city_reviewer, "status=draft") == []


def test_the_list_holds_only_own_drafts(county_inspector: Person, county_colleague: Person) -> None:
    own, _ = save(county_inspector), save(county_colleague)
    assert listed(county_inspector, "status=draft") == [own["id"]]


def test_drafts_belong_to_the_user_name_whoever_operates_it(sign_in: SignIn) -> None:
    first, second = sign_in("county_inspector"), sign_in("county_inspector")
    draft = save(first)
    assert listed(second, "status=draft") == [draft["id"]]
    assert save(second, production(version=1, remark="另一部手机"), draft["id"])["version"] == 2


def test_drafts_are_listed_the_last_changed_first(county_inspector: Person, clock: Any) -> None:
    ids = []
    for number in range(3):
        clock.shift(timedelta(seconds=1))
        ids.append(save(county_inspector, production(remark=str(number)))["id"])
    clock.shift(timedelta(seconds=1))
    save(county_inspector, production(remark="again", version=1), ids[0])
    assert listed(county_inspector, "status=draft") == [ids[0], ids[2], ids[1]]


def test_drafts_of_checks_and_of_spot_checks_are_listed_apart(county_inspector: Person) -> None:
    check = save(county_inspector)
    spot = save(county_inspector, spot_check(), noun="spot-checks")
    assert listed(county_inspector, "status=draft") == [check["id"]]
    assert listed(county_inspector, "status=draft", noun="spot-checks") == [spot["id"]]
    assert county_inspector.get(f"/inspections/{spot['id']}").status_code == 404
    assert county_inspector.put(f"/inspections/{spot['id']}", production(version=1)).status_code == 404


def test_drafts_are_found_by_a_fragment_of_the_name(county_inspector: Person) -> None:
    for name in ("常州某某电缆有限公司", "ＡＢ 电缆厂", "100%_纯铜"):
        save(county_inspector, production(org_name=name))
    for typed, found in (
        ("电缆", ["常州某某电缆有限公司", "ＡＢ 电缆厂"]),
        ("ab电缆", ["ＡＢ 电缆厂"]),
        ("Ａ", ["ＡＢ 电缆厂"]),
        ("AB 电", ["ＡＢ 电缆厂"]),
        ("100%", ["100%_纯铜"]),
        ("%", ["100%_纯铜"]),
        ("_", ["100%_纯铜"]),
        ("\\", []),
        ("' OR 1=1 --", []),
        ("钢筋", []),
    ):
        page = county_inspector.get("/inspections", query_string={"status": "draft", "q": typed}).json
        assert sorted(item["org_name"] for item in page["items"]) == sorted(found), typed
        assert page["total"] == len(found)


def test_drafts_are_filtered_by_kind_and_product(county_inspector: Person) -> None:
    production_draft, sales_draft = save(county_inspector), save(county_inspector, sales())
    other = save(county_inspector, {"kind": "production", "product_code": "09"})
    assert listed(county_inspector, "status=draft&kind=sales") == [sales_draft["id"]]
    assert listed(county_inspector, "status=draft&product_code=09") == [other["id"]]
    assert listed(county_inspector, "status=draft&kind=production&product_code=06") == [production_draft["id"]]


def test_a_draft_without_version_on_an_existing_draft_is_stale(county_inspector: Person) -> None:
    draft = save(county_inspector)
    answer = county_inspector.put(f"/inspections/{draft['id']}", production(remark="没有版本"))
    assert problem(answer) == (409, "stale_version")
    assert answer.json["current_version"] == 1


def test_a_stale_version_is_refused_with_the_current_one(county_inspector: Person) -> None:
    draft = save(county_inspector)
    save(county_inspector, production(version=1, remark="第二次"), draft["id"])
    answer = county_inspector.put(f"/inspections/{draft['id']}", production(version=1, remark="第三次"))
    assert problem(answer) == (409, "stale_version")
    assert answer.json["current_version"] == 2
    assert read(county_inspector, f"/inspections/{draft['id']}")["remark"] == "第二次"


def test_a_version_that_is_no_version_is_refused(county_inspector: Person) -> None:
    draft = save(county_inspector)
    for version in ("1", 1.5, 0, -1, True, [1]):
        answer = county_inspector.put(f"/inspections/{draft['id']}", production(version=version))
        assert faults(answer) == {"/version": "wrong_type"}


def test_a_draft_becomes_the_submitted_record(county_inspector: Person) -> None:
    draft = save(county_inspector, {"kind": "production", "product_code": "06"})
    record = submit(county_inspector, production(version=1), draft["id"])
    assert (record["status"], record["version"]) == ("submitted", 2)
    assert record["created_at"] == draft["created_at"]
    assert listed(county_inspector, "status=draft") == []
    assert listed(county_inspector) == [draft["id"]]


def test_a_submitted_record_cannot_be_saved_as_draft(county_inspector: Person) -> None:
    record = submit(county_inspector)
    answer = county_inspector.put(f"/inspections/{record['id']}", production(version=1, remark="改"))
    assert problem(answer) == (409, "already_submitted")
    assert read(county_inspector, f"/inspections/{record['id']}") == record


def test_a_draft_of_a_form_version_that_never_was_is_refused(county_inspector: Person) -> None:
    answer = county_inspector.put(f"/inspections/{new_id()}", production(form_version=7))
    assert faults(answer) == {"/form_version": "unknown_form_version"}


def test_a_deleted_draft_is_gone_from_every_view(county_inspector: Person) -> None:
    path = f"/inspections/{save(county_inspector)['id']}"
    answer = county_inspector.delete(path)
    assert (answer.status_code, answer.json["status"]) == (200, "deleted")
    assert listed(county_inspector, "status=draft") == []
    assert county_inspector.get(path).status_code == 404
    assert county_inspector.get(f"{path}/history").status_code == 404
    assert county_inspector.put(path, production(version=2)).status_code == 404
    assert county_inspector.put(f"{path}/submission", production(version=2)).status_code == 404


def test_deleting_again_is_answered_alike(county_inspector: Person) -> None:
    path = f"/inspections/{save(county_inspector)['id']}"
    first, again = county_inspector.delete(path), county_inspector.delete(path)
    assert (again.status_code, again.json) == (first.status_code, first.json)


def test_a_deleted_draft_stays_in_the_database(county_inspector: Person, database: Database) -> None:
    draft = save(county_inspector)
    county_inspector.delete(f"/inspections/{draft['id']}")
    with database.read() as session:
        row = session.scalars(select(Inspection)).one()
    assert (str(row.id), row.status, row.org_name) == (draft["id"], "deleted", PRODUCTION["org_name"])


def test_another_users_draft_cannot_be_deleted(county_inspector: Person, county_colleague: Person) -> None:
    draft = save(county_inspector)
    assert problem(county_colleague.delete(f"/inspections/{draft['id']}")) == (404, "not_found")
    assert listed(county_inspector, "status=draft") == [draft["id"]]


def test_a_submitted_record_cannot_be_deleted(county_inspector: Person) -> None:
    record = submit(county_inspector)
    assert problem(county_inspector.delete(f"/inspections/{record['id']}")) == (409, "already_submitted")
    assert listed(county_inspector) == [record["id"]]


def test_deleting_what_never_was_is_not_found(county_inspector: Person) -> None:
    assert county_inspector.delete(f"/inspections/{new_id()}").status_code == 404


def test_a_draft_takes_no_text_longer_than_its_field_and_names_the_field(county_inspector: Person) -> None:
    """Of every text of every form; a whole text at its limit is kept."""
    for noun, kind, body in (
        ("inspections", "gpc-production", production()),
        ("inspections", "gpc-sales", sales()),
        ("spot-checks", "gpc-spot-check", spot_check()),
    ):
        form = read(county_inspector, f"/forms/{kind}/1")
        items = [item for section in form["sections"] for item in section["items"] if "field" in item]
        texts = [item for item in items if item["type"] in ("text", "tel", "uscc")]
        assert len(texts) > 10
        for long in ("长" * 300_000, "1" * 900_000):
            sent = {item["field"]: [long] if item.get("repeat") else long for item in texts}
            for name, value in sent.items():
                answer = county_inspector.put(f"/{noun}/{new_id()}", {**body, name: value})
                path = f"/{name}/0" if isinstance(value, list) else f"/{name}"
                assert faults(answer) == {path: "too_long"}, name
                text = next(item["text"] for item in items if item["field"] == name)
                assert f"“{text}”" in answer.json["errors"][0]["message"]
    kept = save(county_inspector, production(remark="长" * 500))
    assert kept["remark"] == "长" * 500


def test_a_licence_number_is_kept_in_one_spelling_in_drafts_and_submissions(county_inspector: Person) -> None:
    typed = "（苏）ｘｋ06－001－00001"
    draft = save(county_inspector, production(licence_no=typed))
    assert draft["licence_no"] == "(苏)XK06-001-00001"
    assert submit(county_inspector, production(licence_no=typed, version=1), draft["id"])["licence_no"] == (
        "(苏)XK06-001-00001"
    )
    spot = save(county_inspector, spot_check(licence_or_ccc_no="（苏）XK06-001-00001"), noun="spot-checks")
    assert spot["licence_or_ccc_no"] == "(苏)XK06-001-00001"
