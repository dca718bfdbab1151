"""Days and quantities that can hardly be are warned of, each with its field, and never refused."""

from typing import Any

import pytest

from tests.people import Person, SignIn, production, sales, spot_check, uscc
from tests.records import Json, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21

SOUND = "91500105MA5TEX017C"


def warned(record: Json) -> list[tuple[str, str]]:
    return [(one["path"], one["code"]) for one in record["warnings"]]


def check(person: Person, **changes: Any) -> list[tuple[str, str]]:
    return warned(submit(person, production(uscc=SOUND, confirm_duplicate=True, **changes)))


def sampled(person: Person, number: int, **changes: Any) -> list[tuple[str, str]]:
    body = spot_check(uscc=SOUND, sheet_no=f"D-{number}", **changes)
    return warned(submit(person, body, noun="spot-checks"))


def test_ordinary_records_are_warned_of_nothing(county_inspector: Person) -> None:
    assert check(county_inspector, licence_valid_to="2028-12-31") == []
    assert sampled(county_inspector, 1, production_date="2026-11-01", report_date="2026-11-20", reserve_qty="30") == []
    assert warned(submit(county_inspector, sales())) == []


def test_a_check_of_more_than_a_year_ago(county_inspector: Person) -> None:
    assert check(county_inspector, check_date="2025-11-21") == []
    for day in ("2025-11-20", "1900-01-01"):
        assert check(county_inspector, check_date=day) == [("/check_date", "long_ago")]


def test_a_sample_or_report_of_more_than_a_year_ago(county_inspector: Person) -> None:
    assert sampled(county_inspector, 1, sampled_on="2025-11-21") == []
    assert sampled(county_inspector, 2, sampled_on="2025-11-20") == [("/sampled_on", "long_ago")]
    report = sampled(county_inspector, 3, sampled_on="2025-11-21", report_date="2025-11-20")
    assert report == [("/report_date", "long_ago"), ("/report_date", "reported_before_sampling")]


def test_a_product_of_more_than_ten_years_ago(county_inspector: Person) -> None:
    assert sampled(county_inspector, 1, production_date="2016-11-21") == []
    assert sampled(county_inspector, 2, production_date="2016-11-20") == [("/production_date", "long_ago")]


def test_a_licence_is_good_on_its_last_day_and_not_on_the_day_after(county_inspector: Person) -> None:
    assert check(county_inspector, check_date="2026-11-20", licence_valid_to="2026-11-20") == []
    after = check(county_inspector, check_date="2026-11-20", licence_valid_to="2026-11-19")
    assert after == [("/licence_valid_to", "licence_expired")]


def test_an_expired_licence_that_was_found_out_is_no_contradiction(county_inspector: Person) -> None:
    answers, disposals = {"1.1": "no"}, {f"7.{n}": "done" for n in range(1, 7)}
    found_out = check(county_inspector, licence_valid_to="2026-11-19", answers=answers, disposals=disposals)
    assert found_out == []


def test_of_a_seller_the_licence_is_that_of_what_is_sold(county_inspector: Person) -> None:
    body = sales(licence_valid_to="2026-11-19")
    assert warned(submit(county_inspector, body)) == [("/licence_valid_to", "licence_expired")]
    body["answers"]["3.1"], body["disposals"] = "yes", {"4.1": "done", "4.2": "na"}
    assert warned(submit(county_inspector, {**body, "confirm_duplicate": True})) == []


def test_a_licence_is_issued_for_five_years(county_inspector: Person) -> None:
    assert check(county_inspector, licence_valid_to="2031-11-20") == []
    for day in ("2031-11-21", "9999-12-31"):
        assert check(county_inspector, licence_valid_to=day) == [("/licence_valid_to", "licence_too_long")]
    leap = check(county_inspector, check_date="2024-02-29", licence_valid_to="2029-03-01")
    assert leap == [("/check_date", "long_ago"), ("/licence_valid_to", "licence_too_long")]


def test_a_licence_of_another_century(county_inspector: Person) -> None:
    expected = [("/licence_valid_to", "long_ago"), ("/licence_valid_to", "licence_expired")]
    assert check(county_inspector, licence_valid_to="1900-01-01") == expected


def test_made_on_the_day_of_sampling_and_the_day_after(county_inspector: Person) -> None:
    assert sampled(county_inspector, 1, sampled_on="2026-11-10", production_date="2026-11-10") == []
    after = sampled(county_inspector, 2, sampled_on="2026-11-10", production_date="2026-11-11")
    assert after == [("/production_date", "produced_after_sampling")]


def test_reported_on_the_day_of_sampling_and_the_day_before(county_inspector: Person) -> None:
    assert sampled(county_inspector, 1, sampled_on="2026-11-10", report_date="2026-11-10") == []
    before = sampled(county_inspector, 2, sampled_on="2026-11-10", report_date="2026-11-09")
    assert before == [("/report_date", "reported_before_sampling")]


def test_samples_larger_than_their_base(county_inspector: Person) -> None:
    def amounts(number: int, **changes: Any) -> list[tuple[str, str]]:
        units = {"sampling_base_unit": "米", "sample_qty_unit": "米", "reserve_qty_unit": "米"}
        return sampled(county_inspector, number, **{**units, **changes})

    assert amounts(1, sampling_base="30", sample_qty="30") == []
    assert amounts(2, sampling_base="30", sample_qty="30.001") == [("/sample_qty", "sample_exceeds_base")]
    assert amounts(3, sampling_base="60", sample_qty="30", reserve_qty="30") == []
    assert amounts(4, sampling_base="60", sample_qty="30", reserve_qty="30.5") == [
        ("/reserve_qty", "sample_exceeds_base"),
    ]
    assert amounts(5, sampling_base="20", sample_qty="30", reserve_qty="30") == [("/sample_qty", "sample_exceeds_base")]
    # 3 卷 of 30 米 are no contradiction.
    assert amounts(6, sampling_base="3", sampling_base_unit="卷", sample_qty="30") == []
    assert amounts(7, sampling_base="９", sampling_base_unit=" KG", sample_qty="10", sample_qty_unit="ｋｇ") == [
        ("/sample_qty", "sample_exceeds_base"),
    ]


def test_a_reserve_of_nothing(county_inspector: Person) -> None:
    assert sampled(county_inspector, 1, reserve_qty="0.000") == [("/reserve_qty", "zero_amount")]


def test_a_draft_is_warned_of_the_same_and_keeps_what_is_no_day_yet(county_inspector: Person) -> None:
    draft = save(county_inspector, production(uscc=SOUND, check_date="1900-01-01"))
    assert warned(draft) == [("/check_date", "long_ago")]
    body = {"product_code": "06", "sampling_base": "0", "sample_qty": "0", "sampled_on": "2026-11-10"}
    assert warned(save(county_inspector, body, noun="spot-checks")) == [
        ("/sampling_base", "zero_amount"), ("/sample_qty", "zero_amount"),
    ]  # fmt: skip


def test_a_year_ago_is_counted_from_the_day_of_submission(
    county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    record = submit(county_inspector, production(uscc=SOUND, check_date="2025-12-01"))
    clock.move_to("2027-11-21T10:00:00+08:00")
    assert warned(read(sign_in("county_inspector"), f"/inspections/{record['id']}")) == []


def test_corrections_are_warned_of_alike(county_inspector: Person) -> None:
    record = submit(county_inspector, production(uscc=uscc(1)))
    assert warned(record) == [("/uscc", "organisation_code")]
    body = {**production(uscc=SOUND, check_date="1999-11-20"), "version": 1, "reason": "日期有误"}
    corrected = county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert warned(corrected.json) == [("/check_date", "long_ago")]
