"""What waits at an enterprise: a refusal until somebody checked it, a failed spot check until it was followed up."""

from typing import Any

import pytest

from core.db import Database
from inspection.statistics import tallies
from tests.people import CONDUCTOR_RESISTANCE, Person, SignIn, production, sales, spot_check, uscc
from tests.records import Json, items_of, read, submit

REFUSED: dict[str, Any] = {"unable": True, "unable_reason": "refused", "confirm_duplicate": True}
FAILED: dict[str, Any] = {"items": [{"item_id": CONDUCTOR_RESISTANCE, "verdict": "fail"}]}

pytestmark = pytest.mark.usefixtures("clock")  # 2026-11-21


def waiting(person: Person) -> list[str]:
    return [todo["kind"] for todo in read(person, "/todos")["items"]]


def failed(person: Person, **changes: Any) -> Json:
    return submit(person, spot_check(**{**FAILED, **changes}), noun="spot-checks")


def correct(person: Person, record: Json, body: Json, noun: str = "inspections") -> Json:
    sent = {**body, "version": record["version"], "reason": "更正"}
    answer = person.put(f"/{noun}/{record['id']}/correction", sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json or {})


def void(person: Person, record: Json, noun: str = "inspections") -> None:
    answer = person.post(f"/{noun}/{record['id']}/void", {"reason": "重复填报", "version": record["version"]})
    assert answer.status_code == 200, answer.get_data(as_text=True)


# 企业拒绝检查


def test_a_refusal_is_over_when_the_enterprise_was_checked(county_inspector: Person, county_colleague: Person) -> None:
    submit(county_inspector, production(**REFUSED, check_date="2026-11-19"))
    assert waiting(county_inspector) == ["inspection_refused"]
    submit(county_colleague, production(check_date="2026-11-20"))
    assert waiting(county_inspector) == []


def test_another_refusal_or_a_locked_door_is_no_check(county_inspector: Person) -> None:
    submit(county_inspector, production(**REFUSED, check_date="2026-11-18"))
    submit(county_inspector, production(**REFUSED, check_date="2026-11-19"))
    submit(county_inspector, production(unable=True, unable_reason="not_found", check_date="2026-11-20"))
    assert waiting(county_inspector) == ["inspection_refused"] * 2
    submit(county_inspector, production(check_date="2026-11-21"))
    assert waiting(county_inspector) == []


def test_on_the_same_day_the_visit_after_the_refusal_counts_and_a_day_earlier_none(
    county_inspector: Person, clock: Any
) -> None:
    submit(county_inspector, production(check_date="2026-11-20"))
    clock.shift(60)
    submit(county_inspector, production(**REFUSED, check_date="2026-11-20"))
    clock.shift(60)
    submit(county_inspector, production(check_date="2026-11-19"))
    assert waiting(county_inspector) == ["inspection_refused"]
    submit(county_inspector, production(check_date="2026-11-20", confirm_duplicate=True))
    assert waiting(county_inspector) == []


def test_a_refusal_that_a_phone_sends_late_opens_nothing_once_the_enterprise_was_checked(
    county_inspector: Person,
) -> None:
    submit(county_inspector, production(check_date="2026-11-20"))
    submit(county_inspector, production(**REFUSED, check_date="2026-11-19"))
    assert waiting(county_inspector) == []
    submit(county_inspector, production(**REFUSED, check_date="2026-11-21"))
    assert waiting(county_inspector) == ["inspection_refused"]


def test_the_offices_above_and_below_may_check_and_the_neighbour_not(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person, province_user: Person
) -> None:
    submit(county_inspector, production(**REFUSED, check_date="2026-11-18"))
    submit(neighbour_inspector, production(check_date="2026-11-19"))
    assert waiting(county_inspector) == ["inspection_refused"]
    submit(province_user, production(check_date="2026-11-19", confirm_duplicate=True))
    assert waiting(county_inspector) == []
    submit(city_reviewer, production(**REFUSED, check_date="2026-11-20"))
    assert waiting(city_reviewer) == ["inspection_refused"]
    submit(county_inspector, production(check_date="2026-11-21"))
    assert waiting(city_reviewer) == []


def test_another_product_or_another_enterprise_is_another_matter(county_inspector: Person) -> None:
    submit(county_inspector, production(**REFUSED, check_date="2026-11-18"))
    bicycle = items_of(county_inspector, "09")("电动自行车")
    submit(county_inspector, production(product_code="09", products=[bicycle], regulation_types=["ccc"]))
    submit(county_inspector, production(uscc=uscc(2)))
    submit(county_inspector, spot_check(), noun="spot-checks")
    assert waiting(county_inspector) == ["inspection_refused"]


def test_a_shop_without_a_code_is_known_by_name_and_address(county_inspector: Person) -> None:
    submit(county_inspector, sales(**REFUSED, check_date="2026-11-18"))
    submit(county_inspector, sales(org_address="另一条街", check_date="2026-11-19"))
    assert waiting(county_inspector) == ["inspection_refused"]
    submit(county_inspector, sales(org_name="天宁区 某某五金店", check_date="2026-11-20"))
    assert waiting(county_inspector) == []


def test_when_the_check_was_anothers_or_is_void_the_refusal_is_open_again(county_inspector: Person) -> None:
    submit(county_inspector, production(**REFUSED, check_date="2026-11-18"))
    check = submit(county_inspector, production(check_date="2026-11-20"))
    check = correct(county_inspector, check, production(check_date="2026-11-20", uscc=uscc(2)))
    assert waiting(county_inspector) == ["inspection_refused"]
    check = correct(county_inspector, check, production(check_date="2026-11-20"))
    assert waiting(county_inspector) == []
    void(county_inspector, check)
    assert waiting(county_inspector) == ["inspection_refused"]


def test_a_refusal_that_was_none_or_is_void_is_no_longer_open(county_inspector: Person) -> None:
    record = submit(county_inspector, production(**REFUSED, check_date="2026-11-18"))
    record = correct(county_inspector, record, production(**{**REFUSED, "unable_reason": "moved"}))
    assert waiting(county_inspector) == []
    record = correct(county_inspector, record, production(**REFUSED))
    assert waiting(county_inspector) == ["inspection_refused"]
    void(county_inspector, record)
    assert waiting(county_inspector) == []


# 监督抽查不合格


def test_a_failed_spot_check_is_a_to_do_of_the_office_that_sampled(
    county_inspector: Person, county_colleague: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    record = failed(county_inspector)
    for person in (county_inspector, county_colleague):
        (todo,) = read(person, "/todos")["items"]
        assert (todo["kind"], todo["link"]) == ("spot_check_failed", f"/spot-checks/{record['id']}")
        assert todo["title"] == "监督抽查不合格，待后续处理：常州某某电缆有限公司"
        assert person.get(todo["link"]).status_code == 200
    assert waiting(neighbour_inspector) == waiting(city_reviewer) == []


def test_samples_that_pass_or_were_not_taken_ask_for_nothing(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(), noun="spot-checks")
    submit(county_inspector, spot_check(sheet_no="CQ-2", no_sample_reason="stopped", items=[]), noun="spot-checks")
    assert waiting(county_inspector) == []


def test_it_is_followed_up_by_a_check_from_the_day_of_the_report_on(county_inspector: Person, clock: Any) -> None:
    failed(county_inspector, sampled_on="2026-11-10", report_date="2026-11-18")
    clock.shift(60)
    submit(county_inspector, production(check_date="2026-11-17"))
    submit(county_inspector, production(check_date="2026-11-19", unable=True, unable_reason="moved"))
    assert waiting(county_inspector) == ["spot_check_failed"]
    submit(county_inspector, production(check_date="2026-11-18"))
    assert waiting(county_inspector) == []


def test_without_a_report_date_the_day_it_was_entered_counts(
    county_inspector: Person, sign_in: SignIn, clock: Any
) -> None:
    failed(county_inspector, sampled_on="2026-11-10")
    submit(county_inspector, production(check_date="2026-11-20"))
    assert waiting(county_inspector) == ["spot_check_failed"]
    clock.move_to("2026-11-22T09:00:00+08:00")
    person = sign_in("county_inspector")
    submit(person, production(check_date="2026-11-21"))
    assert waiting(person) == []


def test_it_is_followed_up_by_another_sample_that_passes_and_not_by_its_own_batch(county_inspector: Person) -> None:
    failed(county_inspector, sampled_on="2026-11-10", report_date="2026-11-15")
    submit(county_inspector, spot_check(sheet_no="CQ-2", sampled_on="2026-11-10"), noun="spot-checks")
    failed(county_inspector, sheet_no="CQ-3", sampled_on="2026-11-16", report_date="2026-11-19")
    assert waiting(county_inspector) == ["spot_check_failed"] * 2
    submit(county_inspector, spot_check(sheet_no="CQ-4", sampled_on="2026-11-20"), noun="spot-checks")
    assert waiting(county_inspector) == []


def test_it_is_over_when_corrected_to_pass_or_void(county_inspector: Person) -> None:
    record = failed(county_inspector)
    record = correct(county_inspector, record, spot_check(), "spot-checks")
    assert waiting(county_inspector) == []
    record = correct(county_inspector, record, spot_check(**FAILED), "spot-checks")
    assert waiting(county_inspector) == ["spot_check_failed"]
    void(county_inspector, record, "spot-checks")
    assert waiting(county_inspector) == []


def test_a_failed_sample_of_a_shop_without_a_code(county_inspector: Person, database: Database, clock: Any) -> None:
    shop = {
        "field_kind": "circulation",
        "uscc": "",
        "org_name": "天宁区某某五金店",
        "org_address": "常州市天宁区某街2号",
        "nominal_producer": "某厂",
        "sampling_place": "shelf",
    }
    record = failed(county_inspector, **shop)
    clock.shift(60)
    assert "uscc" not in record
    assert waiting(county_inspector) == ["spot_check_failed"]
    submit(county_inspector, sales(check_date="2026-11-21"))
    assert waiting(county_inspector) == []
    total = read(county_inspector, "/statistics/progress")["total"]
    assert (total["spot_enterprises"], total["failed_batches"], total["sales_checked"]) == (1, 1, 1)
    with database.write() as session:
        assert tallies.reconcile(session).mended == 0
