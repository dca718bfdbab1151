"""Spot checks (监督抽查): of the own level, each item with its verdict, concluded by the server."""

from typing import Any

import pytest

from accounts.verbs import Role
from core.db import Database
from tests.newcomers import make_station
from tests.people import (
    CONDUCTOR_RESISTANCE,
    INSULATION_THICKNESS,
    Person,
    SignIn,
    faults,
    new_id,
    spot_check,
)
from tests.records import Json, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

NOUN = "spot-checks"


def item(verdict: str, item_id: str = CONDUCTOR_RESISTANCE, **more: str) -> Json:
    return {"item_id": item_id, "verdict": verdict, **more}


def refused(person: Person, body: Json) -> dict[str, str]:
    """The faults of a submission, which must leave nothing behind."""
    record = new_id()
    found = faults(person.put(f"/spot-checks/{record}/submission", body))
    assert person.get(f"/spot-checks/{record}").status_code == 404
    return found


def test_a_faultless_spot_check_is_submitted(county_inspector: Person) -> None:
    record = new_id()
    answer = county_inspector.put(f"/spot-checks/{record}/submission", spot_check())
    assert answer.status_code == 201
    shown = answer.json
    assert (shown["kind"], shown["status"], shown["version"]) == ("spot_check", "submitted", 1)
    assert (shown["conclusion"], shown["form_code"]) == ("pass", "gpc-spot-check")
    assert [row["item_name"] for row in shown["items"]] == ["导体电阻", "绝缘厚度"]
    assert (shown["items"][0]["requirement"], shown["items"][0]["measured"]) == ("≤7.41", "7.30")
    assert (shown["sampling_base"], shown["sample_qty"]) == ("1000", "30")
    assert read(county_inspector, f"/spot-checks/{record}") == shown


def test_the_level_is_that_of_the_office_whatever_is_sent(
    county_inspector: Person, city_reviewer: Person, province_user: Person
) -> None:
    for person, level in ((county_inspector, "county"), (city_reviewer, "city"), (province_user, "province")):
        assert submit(person, spot_check(level="national"), noun=NOUN)["level"] == level


def test_the_conclusion_is_derived_from_the_verdicts(county_inspector: Person) -> None:
    for number, (verdicts, conclusion) in enumerate(
        [
            (["pass", "pass"], "pass"), (["pass", "fail"], "fail"), (["not_judged", "fail"], "fail"),
            (["not_judged", "pass"], "pass"), (["not_judged", "not_judged"], "not_judged"),
        ]
    ):  # fmt: skip
        rows = [item(verdicts[0]), item(verdicts[1], INSULATION_THICKNESS)]
        record = submit(county_inspector, spot_check(items=rows, sheet_no=f"D-{number}"), noun=NOUN)
        assert record["conclusion"] == conclusion
        assert record["problems_found"] is (conclusion == "fail")
        assert listed(county_inspector, f"conclusion={conclusion}", NOUN)[0:1] != []
    assert len(listed(county_inspector, "conclusion=fail", NOUN)) == 2


def test_a_conclusion_that_is_sent_does_not_contradict(county_inspector: Person) -> None:
    record = submit(county_inspector, spot_check(items=[item("fail")], conclusion="pass"), noun=NOUN)
    assert record["conclusion"] == "fail"


def test_a_verdict_is_required_for_every_item(county_inspector: Person) -> None:
    rows = [{"item_id": CONDUCTOR_RESISTANCE}, item("good", INSULATION_THICKNESS)]
    assert refused(county_inspector, spot_check(items=rows)) == {
        "/items/0/verdict": "required", "/items/1/verdict": "unknown_option",
    }  # fmt: skip


def test_a_sample_needs_at_least_one_item(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(items=[])) == {"/items": "required"}


def test_an_unknown_test_item_is_refused(county_inspector: Person) -> None:
    rows = [item("pass", new_id()), item("pass", "导体电阻"), item("pass")]
    assert refused(county_inspector, spot_check(items=rows)) == {
        "/items/0/item_id": "unknown_test_item", "/items/1/item_id": "unknown_test_item",
    }  # fmt: skip


def test_a_test_item_of_another_product_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(product_code="09")) == {
        "/items/0/item_id": "unknown_test_item", "/items/1/item_id": "unknown_test_item",
    }  # fmt: skip


def test_a_repeated_test_item_is_refused(county_inspector: Person) -> None:
    rows = [item("pass"), item("pass", INSULATION_THICKNESS), item("fail")]
    assert refused(county_inspector, spot_check(items=rows)) == {"/items/2/item_id": "repeated_test_item"}


def test_a_test_item_repeated_under_its_other_id_is_refused(county_inspector: Person) -> None:
    other = new_id()
    county_inspector.put(f"/products/06/test-items/{other}", {"name": "导体电阻"})
    rows = [item("pass"), item("fail", other)]
    assert refused(county_inspector, spot_check(items=rows)) == {"/items/1/item_id": "repeated_test_item"}


def test_a_test_item_that_was_added_first_is_accepted(county_inspector: Person) -> None:
    added = new_id()
    assert county_inspector.put(f"/products/06/test-items/{added}", {"name": "耐火试验"}).status_code == 201
    record = submit(county_inspector, spot_check(items=[item("pass", added)]), noun=NOUN)
    assert record["items"] == [{"item_id": added, "item_name": "耐火试验", "verdict": "pass"}]


def test_without_a_sample_no_result_is_asked_for(county_inspector: Person) -> None:
    body = {name: value for name, value in spot_check(no_sample_reason="stopped").items()
            if name in ("product_code", "field_kind", "uscc", "org_name", "org_address", "sampled_on", "samplers",
                        "no_sample_reason")}  # fmt: skip
    record = submit(county_inspector, body, noun=NOUN)
    assert (record["conclusion"], record["no_sample_reason"]) == (None, "stopped")
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["spot_enterprises"], total["spot_batches"], total["failed_rate"]) == (0, 0, None)


def test_results_of_a_sample_that_was_not_taken_are_dropped(county_inspector: Person) -> None:
    record = submit(county_inspector, spot_check(no_sample_reason="no_stock", items=[item("fail")]), noun=NOUN)
    assert record["conclusion"] is None
    assert "items" not in record and "sample_name" not in record


def test_what_a_sample_needs_is_reported_at_once(county_inspector: Person) -> None:
    assert refused(county_inspector, {"product_code": "06"}) == dict.fromkeys(
        ["/field_kind", "/uscc", "/org_name", "/org_address", "/sampled_on", "/samplers", "/sheet_no", "/sample_name",
         "/spec_model", "/sampling_base", "/sample_qty", "/sampling_place", "/items"], "required",
    ) | {"/batch_no": "any_of"}  # fmt: skip


def test_a_batch_number_or_a_production_date_is_enough(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(batch_no="")) == {"/batch_no": "any_of"}
    submit(county_inspector, spot_check(batch_no="", production_date="2026-11-01"), noun=NOUN)


def test_circulation_needs_the_nominal_producer(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(field_kind="circulation")) == {"/nominal_producer": "required"}
    body = spot_check(field_kind="circulation", nominal_producer="江苏某厂", nominal_producer_uscc="91320400MA1TEX0013")
    assert refused(county_inspector, body) == {"/nominal_producer_uscc": "bad_uscc"}
    body["nominal_producer_uscc"] = "91500105ma5tex017c"
    assert submit(county_inspector, body, noun=NOUN)["nominal_producer_uscc"] == "91500105MA5TEX017C"


def test_one_sampler_only_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(samplers=["甲"])) == {"/samplers": "too_few"}


def test_a_sample_of_tomorrow_is_refused(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(sampled_on="2026-11-22")) == {"/sampled_on": "future_date"}


def test_quantities_are_decimal_strings(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(sampling_base="很多", sample_qty="0", reserve_qty="1.2345")) == {
        "/sampling_base": "bad_number", "/sample_qty": "too_small", "/reserve_qty": "too_precise",
    }  # fmt: skip
    assert (
        submit(county_inspector, spot_check(sampling_base=1000.50, sample_qty="０３０"), noun=NOUN)["sampling_base"]
        == "1000.5"
    )


def test_a_sheet_number_is_used_once_a_bureau_level_and_year(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    submit(county_inspector, spot_check(), noun=NOUN)
    for person in (county_inspector, county_colleague):
        assert refused(person, spot_check(sample_name="另一批")) == {"/sheet_no": "sheet_taken"}
    submit(city_reviewer, spot_check(), noun=NOUN)
    submit(county_inspector, spot_check(sampled_on="2025-11-10"), noun=NOUN)


def test_the_same_number_at_a_bureau_that_one_cannot_see_is_a_warning(
    county_inspector: Person, neighbour_inspector: Person, sign_in: SignIn
) -> None:
    def warned(record: Json) -> list[str]:
        return [one["code"] for one in record["warnings"] if one["path"] == "/sheet_no"]

    first = submit(county_inspector, spot_check(), noun=NOUN)
    second = submit(neighbour_inspector, spot_check(sheet_no="cq—0001"), noun=NOUN)
    assert (warned(first), warned(second)) == ([], ["sheet_elsewhere"])
    assert warned(submit(sign_in("other_province_user"), spot_check(), noun=NOUN)) == []
    # Each of them is taken at its own bureau.
    assert refused(neighbour_inspector, spot_check()) == {"/sheet_no": "sheet_taken"}
    moved = {**spot_check(sheet_no="CQ-0002"), "version": 1, "reason": "编号填错"}
    assert warned(neighbour_inspector.put(f"/spot-checks/{second['id']}/correction", moved).json) == []
    assert county_inspector.get(f"/spot-checks/{second['id']}").status_code == 404


def test_a_correction_by_the_city_keeps_the_number_at_the_bureau_that_sampled(
    county_inspector: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector, spot_check(), noun=NOUN)
    submit(city_reviewer, spot_check(), noun=NOUN)
    body = {**spot_check(grade="一等品"), "version": 1, "reason": "补充等级"}
    assert city_reviewer.put(f"/spot-checks/{record['id']}/correction", body).status_code == 200
    assert refused(county_inspector, spot_check()) == {"/sheet_no": "sheet_taken"}


def test_a_station_numbers_its_sheets_with_its_bureau(
    county_inspector: Person, database: Database, sign_in: SignIn
) -> None:
    make_station(database, "320402", "station_inspector", Role.INSPECTOR)
    submit(county_inspector, spot_check(), noun=NOUN)
    assert refused(sign_in("station_inspector"), spot_check()) == {"/sheet_no": "sheet_taken"}


def test_a_shop_without_a_code_is_spot_checked_in_circulation_only(county_inspector: Person) -> None:
    shop = {"field_kind": "circulation", "uscc": "", "org_name": "某某五金店", "nominal_producer": "江苏某厂"}
    record = submit(county_inspector, spot_check(**shop), noun=NOUN)
    assert record["form_version"] == 3 and "uscc" not in record
    assert refused(county_inspector, spot_check(uscc="", sheet_no="CQ-2")) == {"/uscc": "required"}
    # A phone that was offline still answers the version before.
    assert refused(county_inspector, spot_check(**shop, form_version=1, sheet_no="CQ-3")) == {"/uscc": "required"}
    submit(county_inspector, spot_check(form_version=1, sheet_no="CQ-4"), noun=NOUN)


def test_a_draft_does_not_take_its_sheet_number(county_inspector: Person, county_colleague: Person) -> None:
    draft = save(county_inspector, spot_check(), noun=NOUN)
    submit(county_colleague, spot_check(), noun=NOUN)
    answer = county_inspector.put(f"/spot-checks/{draft['id']}/submission", spot_check(version=1))
    assert faults(answer) == {"/sheet_no": "sheet_taken"}
    body = spot_check(version=1, sheet_no="CQ-0009")
    assert submit(county_inspector, body, draft["id"], NOUN)["version"] == 2


def test_several_batches_of_one_enterprise_and_day_need_no_confirmation(county_inspector: Person) -> None:
    for number in range(3):
        submit(county_inspector, spot_check(sheet_no=f"B-{number}"), noun=NOUN)
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["spot_enterprises"], total["spot_batches"]) == (1, 3)


def test_a_check_kind_is_refused_among_spot_checks(county_inspector: Person) -> None:
    assert refused(county_inspector, spot_check(kind="production")) == {"/kind": "unknown_kind"}
    assert submit(county_inspector, spot_check(kind="spot_check"), noun=NOUN)["kind"] == "spot_check"


def test_drafts_of_spot_checks_are_the_users_own(county_inspector: Person, county_colleague: Person) -> None:
    draft = save(county_inspector, {"product_code": "06", "items": [{"item_id": CONDUCTOR_RESISTANCE}]}, noun=NOUN)
    assert draft["conclusion"] is None
    assert listed(county_inspector, "status=draft", NOUN) == [draft["id"]]
    assert listed(county_colleague, "status=draft", NOUN) == []
    assert county_colleague.get(f"/spot-checks/{draft['id']}").status_code == 404
    assert county_inspector.delete(f"/spot-checks/{draft['id']}").status_code == 200
    assert listed(county_inspector, "status=draft", NOUN) == []


def test_a_draft_read_back_can_be_submitted(county_inspector: Person) -> None:
    draft = save(county_inspector, spot_check(), noun=NOUN)
    record = submit(county_inspector, read(county_inspector, f"/spot-checks/{draft['id']}"), draft["id"], NOUN)
    assert (record["status"], record["items"]) == ("submitted", draft["items"])


def test_submitted_ones_are_seen_in_the_own_regions_only(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person, other_city_user: Person
) -> None:
    record = submit(county_inspector, spot_check(), noun=NOUN)
    assert listed(city_reviewer, "", NOUN) == [record["id"]]
    for stranger in (neighbour_inspector, other_city_user):
        assert listed(stranger, "", NOUN) == []
        assert problem(stranger.get(f"/spot-checks/{record['id']}")) == (404, "not_found")
    assert listed(city_reviewer) == []
    assert city_reviewer.get(f"/inspections/{record['id']}").status_code == 404


def test_the_history_of_a_spot_check_is_read(county_inspector: Person) -> None:
    draft = save(county_inspector, spot_check(), noun=NOUN)
    submit(county_inspector, spot_check(version=1), draft["id"], NOUN)
    rows = read(county_inspector, f"/spot-checks/{draft['id']}/history")["items"]
    assert [(row["action"], row["from"], row["to"]) for row in rows] == [
        ("save", None, "draft"), ("submit", "draft", "submitted"),
    ]  # fmt: skip


def test_a_submitted_spot_check_is_not_saved_as_draft(county_inspector: Person) -> None:
    record = submit(county_inspector, spot_check(), noun=NOUN)
    answer: Any = county_inspector.put(f"/spot-checks/{record['id']}", spot_check(version=1, remark="x"))
    assert problem(answer) == (409, "already_submitted")


SPELLINGS = [
    "cq-2026-001",
    "ＣＱ－２０２６－００１",
    "CQ\u2014\u20142026\u2014001",
    "CQ\u20132026\u2011001",
    "CQ-2026 -001",
    "CQ-2026-\u200b001",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_one_paper_is_one_record_however_its_number_is_typed(county_inspector: Person, spelling: str) -> None:
    first = submit(county_inspector, spot_check(sheet_no="CQ-2026-001"), noun=NOUN)
    assert refused(county_inspector, spot_check(sheet_no=spelling)) == {"/sheet_no": "sheet_taken"}
    other = submit(county_inspector, spot_check(sheet_no="CQ-2026-002"), noun=NOUN)
    correction = {**spot_check(sheet_no=spelling), "version": other["version"], "reason": "编号填错"}
    answer = county_inspector.put(f"/spot-checks/{other['id']}/correction", correction)
    assert faults(answer) == {"/sheet_no": "sheet_taken"}
    correction = {**spot_check(sheet_no=spelling), "version": first["version"], "reason": "按抽样单书写"}
    assert county_inspector.put(f"/spot-checks/{first['id']}/correction", correction).status_code == 200
