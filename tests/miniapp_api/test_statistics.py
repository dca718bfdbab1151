"""Work statistics (工作统计), by cases made by hand; `tests/inspection` recomputes them from many records."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from accounts.models import Region
from core.db import Database
from tests.people import Person, SignIn, production, sales, spot_check, uscc, with_problem
from tests.records import Json, items_of, listed, read, save, submit
from tests.register import put_enterprises

pytestmark = pytest.mark.usefixtures("clock")

UNABLE: dict[str, Any] = {"unable": True, "unable_reason": "moved"}
NOTHING = {
    "planned": 0, "planned_visited": 0, "checked": 0, "unable": 0, "progress": None, "sales_checked": 0,
    "sales_unable": 0, "problem_enterprises": 0, "disposal_done": 0, "disposal_in_progress": 0, "without_disposal": 0,
    "spot_enterprises": 0, "spot_batches": 0, "spot_without_sample": 0, "failed_batches": 0, "failed_rate": None,
}  # fmt: skip


def progress(person: Person, query: str = "") -> Json:
    return read(person, f"/statistics/progress?{query}")


def total(person: Person, query: str = "") -> Json:
    """The figures of the total that are not as if nothing had happened."""
    return {name: value for name, value in progress(person, query)["total"].items()
            if name in NOTHING and value != NOTHING[name]}  # fmt: skip


def rows(person: Person, query: str = "") -> dict[str, Json]:
    """Rows by name of the region, each with the figures that are not as if nothing had happened."""
    return {
        row["region_name"]: {n: v for n, v in row.items() if n in NOTHING and v != NOTHING[n]}
        for row in progress(person, query)["rows"]
    }


def register(database: Database, *enterprises: tuple[int, str, list[str]]) -> None:
    with database.write() as session:
        put_enterprises(
            session,
            *({"uscc": uscc(n), "name": f"企业{n}", "region_code": region, "product_codes": codes}
             for n, region, codes in enterprises),
        )  # fmt: skip


def test_where_nothing_happened_rates_are_null(city_reviewer: Person) -> None:
    page = progress(city_reviewer)
    assert {name: page["total"][name] for name in NOTHING} == NOTHING
    assert (page["total"]["region_code"], page["total"]["region_name"]) == ("320400", "常州市")
    counties = {row["region_code"] for row in page["rows"]}
    assert {"320402", "320404", "320411", "320412", "320413", "320481"} <= counties
    assert all({name: row[name] for name in NOTHING} == NOTHING for row in page["rows"])
    assert not any(row["own_office"] for row in page["rows"])


def test_an_enterprise_in_two_counties_counts_once_in_the_total(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    submit(county_inspector)
    submit(neighbour_inspector)
    assert rows(city_reviewer)["天宁区"] == rows(city_reviewer)["钟楼区"] == {"checked": 1}
    assert total(city_reviewer) == {"checked": 1}


def test_an_enterprise_checked_twice_counts_once(county_inspector: Person, city_reviewer: Person) -> None:
    submit(county_inspector)
    submit(county_inspector, production(check_date="2026-11-19", org_name="同一企业的另一写法"))
    assert total(city_reviewer) == {"checked": 1}


def test_drafts_count_for_nothing(county_inspector: Person) -> None:
    save(county_inspector)
    save(county_inspector, spot_check(), noun="spot-checks")
    assert total(county_inspector) == {}


def test_an_unregistered_enterprise_is_known_by_name_and_address(county_inspector: Person) -> None:
    submit(county_inspector, sales(org_name="ＡＢ 五金店"))
    submit(county_inspector, sales(org_name="ab五金店", check_date="2026-11-19"))
    submit(county_inspector, sales(org_name="ab五金店", org_address="另一条街", check_date="2026-11-18"))
    assert total(county_inspector) == {"sales_checked": 2}


def test_unable_and_then_carried_out_counts_as_checked_only(county_inspector: Person) -> None:
    submit(county_inspector, production(check_date="2026-11-18", **UNABLE))
    assert total(county_inspector) == {"unable": 1}
    submit(county_inspector, production(check_date="2026-11-19"))
    assert total(county_inspector) == {"checked": 1}
    assert total(county_inspector, "to=2026-11-18") == {"unable": 1}


def test_unable_here_and_carried_out_there(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    submit(county_inspector, production(**UNABLE))
    submit(neighbour_inspector)
    by_row = rows(city_reviewer)
    assert (by_row["天宁区"], by_row["钟楼区"]) == ({"unable": 1}, {"checked": 1})
    assert total(city_reviewer) == {"checked": 1}


def test_an_unable_sales_check_is_no_check_and_no_unable_producer(county_inspector: Person) -> None:
    submit(county_inspector, sales(check_date="2026-11-18", **UNABLE))
    assert total(county_inspector) == {"sales_unable": 1}
    submit(county_inspector, sales(check_date="2026-11-19"))
    assert total(county_inspector) == {"sales_checked": 1}


def test_a_spot_check_without_a_sample_is_no_batch_but_stands_there(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(no_sample_reason="stopped", items=[]), noun="spot-checks")
    assert total(county_inspector) == {"spot_without_sample": 1}


def test_a_problem_enterprise_without_any_disposal_stands_there(county_inspector: Person) -> None:
    submit(county_inspector, with_problem(uscc=uscc(1)))
    submit(county_inspector, with_problem({"7.1": "done"}, uscc=uscc(2)))
    submit(county_inspector, with_problem(uscc=uscc(2), check_date="2026-11-19"))
    assert total(county_inspector) == {
        "checked": 2, "problem_enterprises": 2, "disposal_done": 1, "without_disposal": 1,
    }  # fmt: skip


def test_the_own_office_has_a_row_where_it_has_records(county_inspector: Person, city_reviewer: Person) -> None:
    submit(county_inspector)
    assert "常州市（本级）" not in rows(city_reviewer)
    submit(city_reviewer, production(uscc=uscc(1), org_name="企业1"))
    page = progress(city_reviewer)
    assert [row["region_name"] for row in page["rows"] if row["own_office"]] == ["常州市（本级）"]
    assert rows(city_reviewer)["常州市（本级）"] == {"checked": 1}
    assert total(city_reviewer) == {"checked": 2}


def test_the_own_office_has_no_row_where_its_records_went_elsewhere(city_reviewer: Person) -> None:
    bicycle = items_of(city_reviewer, "09")("电动自行车")
    record = submit(city_reviewer)
    body = production(product_code="09", products=[bicycle], regulation_types=["ccc"], version=1, reason="产品选错")
    assert city_reviewer.put(f"/inspections/{record['id']}/correction", body).status_code == 200
    assert "常州市（本级）" in rows(city_reviewer, "product_code=09")
    assert "常州市（本级）" not in rows(city_reviewer, "product_code=06")


def test_an_abolished_county_keeps_its_row_while_it_has_records(
    database: Database, city_reviewer: Person, county_inspector: Person
) -> None:
    submit(county_inspector)
    with database.write() as session:
        abolished = Region.code.in_(["320402", "320411"])
        session.execute(update(Region).where(abolished).values(valid_to=date(2026, 11, 1)))
    by_row = rows(city_reviewer)
    assert by_row["天宁区"] == {"checked": 1}
    assert "新北区" not in by_row


def test_a_county_sees_its_own_row(county_inspector: Person) -> None:
    assert progress(county_inspector)["rows"] == []
    submit(county_inspector)
    assert rows(county_inspector) == {"天宁区（本级）": {"checked": 1}}


def test_a_province_sees_a_row_a_city(
    county_inspector: Person, city_reviewer: Person, sign_in: SignIn, province_user: Person
) -> None:
    submit(county_inspector)
    submit(city_reviewer, production(uscc=uscc(1), org_name="企业1"))
    submit(sign_in("other_city_inspector"), production(uscc=uscc(2), org_name="企业2"))
    submit(province_user, production(uscc=uscc(3), org_name="企业3"))
    by_row = rows(province_user)
    assert (by_row["常州市"], by_row["南京市"], by_row["江苏省（本级）"]) == (
        {"checked": 2},
        {"checked": 1},
        {"checked": 1},
    )
    assert total(province_user) == {"checked": 4}
    assert total(province_user, "region=320400") == {"checked": 2}
    assert rows(province_user, "region=320400")["天宁区"] == {"checked": 1}
    assert total(province_user, "region=320402") == {"checked": 1}


def test_another_region_gives_nothing(county_inspector: Person, city_reviewer: Person) -> None:
    submit(county_inspector)
    for region in ("320100", "320000", "330000"):
        page = progress(city_reviewer, f"region={region}")
        assert page["rows"] == []
        assert {name: page["total"][name] for name in NOTHING} == NOTHING


def test_planned_and_progress_come_from_the_register(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    register(database, (1, "320402", ["06"]), (2, "320402", ["06", "09"]), (3, "320402", ["06"]), (4, "320404", ["09"]),
             (5, "320400", ["06"]), (6, "320102", ["06"]), (7, "320402", []))  # fmt: skip
    submit(county_inspector, production(uscc=uscc(1), org_name="企业1"))
    assert total(city_reviewer) == {"planned": 5, "planned_visited": 1, "checked": 1, "progress": 0.2}
    assert total(city_reviewer, "product_code=06") == {
        "planned": 4, "planned_visited": 1, "checked": 1, "progress": 0.25,
    }  # fmt: skip
    assert total(city_reviewer, "product_code=09") == {"planned": 2, "progress": 0.0}
    by_row = rows(city_reviewer, "product_code=06")
    assert by_row["天宁区"] == {"planned": 3, "planned_visited": 1, "checked": 1, "progress": 0.3333}
    assert (by_row["钟楼区"], by_row["常州市（本级）"]) == ({}, {"planned": 1, "progress": 0.0})


def test_progress_counts_the_unable_and_nobody_who_was_not_planned(
    database: Database, county_inspector: Person
) -> None:
    register(database, (1, "320402", ["06"]), (2, "320402", ["06"]))
    submit(county_inspector, production(uscc=uscc(1), org_name="企业1", **UNABLE))
    assert total(county_inspector) == {"planned": 2, "planned_visited": 1, "unable": 1, "progress": 0.5}
    for number in (3, 4, 5):
        submit(county_inspector, production(uscc=uscc(number), org_name=f"企业{number}"))
    assert total(county_inspector) == {
        "planned": 2, "planned_visited": 1, "checked": 3, "unable": 1, "progress": 0.5,
    }  # fmt: skip
    submit(county_inspector, production(uscc=uscc(2), org_name="企业2"))
    assert total(county_inspector)["progress"] == 1.0


def test_a_plan_is_fulfilled_by_checks_of_its_product_and_of_producers(
    database: Database, county_inspector: Person
) -> None:
    register(database, (1, "320402", ["06", "09"]))
    bicycle = items_of(county_inspector, "09")("电动自行车")
    submit(
        county_inspector,
        production(product_code="09", products=[bicycle], regulation_types=["ccc"], uscc=uscc(1), org_name="企业1"),
    )
    submit(county_inspector, sales(uscc=uscc(1), org_name="企业1"))
    submit(county_inspector, spot_check(uscc=uscc(1), org_name="企业1"), noun="spot-checks")
    assert total(county_inspector, "product_code=06").get("planned_visited") is None
    assert total(county_inspector, "product_code=09")["planned_visited"] == 1
    assert total(county_inspector)["progress"] == 1.0


def test_a_visit_counts_where_the_enterprise_lies_whoever_came(
    database: Database, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    register(database, (1, "320402", ["06"]), (2, "320402", ["06"]))
    submit(city_reviewer, production(uscc=uscc(1), org_name="企业1"))
    submit(neighbour_inspector, production(uscc=uscc(2), org_name="企业2"))
    by_row = rows(city_reviewer)
    assert by_row["天宁区"] == {"planned": 2, "planned_visited": 2, "progress": 1.0}
    assert by_row["钟楼区"] == by_row["常州市（本级）"] == {"checked": 1}
    assert total(city_reviewer, "region=320402")["progress"] == 1.0
    # What a county may not see tells it nothing.
    assert total(county_inspector) == {"planned": 2, "progress": 0.0}


def test_the_planned_ones_left_are_those_that_the_figures_miss(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    register(database, (1, "320402", ["06"]), (2, "320402", ["06", "09"]), (3, "320404", ["06"]), (4, "320402", []),
             (5, "320400", ["06"]))  # fmt: skip
    submit(county_inspector, production(uscc=uscc(1), org_name="企业1", check_date="2026-11-10"))

    def found(query: str) -> list[str]:
        return [row["name"] for row in read(city_reviewer, f"/enterprises?{query}")["items"]]

    assert found("visited=false") == ["企业2", "企业3", "企业5"]
    assert found("visited=true") == ["企业1"]
    assert found("visited=false&product_code=09") == ["企业2"]
    assert found("visited=false&q=业3") == ["企业3"]
    assert found("visited=false&region=320402") == ["企业2"]
    assert found("visited=false&own_office=true") == ["企业5"]
    assert found("visited=false&to=2026-11-09&product_code=06&region=320402") == ["企业1", "企业2"]
    assert found("visited=true&from=2026-11-10&to=2026-11-10") == ["企业1"]
    for query in ("", "product_code=06", "product_code=09", "region=320402", "to=2026-11-09", "from=2026-11-11"):
        figures = progress(city_reviewer, query)["total"]
        assert len(found(f"visited=false&{query}")) == figures["planned"] - figures["planned_visited"]


def test_a_product_narrows_every_figure(county_inspector: Person) -> None:
    bicycle = items_of(county_inspector, "09")("电动自行车")
    submit(county_inspector)
    submit(county_inspector, production(product_code="09", products=[bicycle], regulation_types=["ccc"]))
    submit(county_inspector, spot_check(), noun="spot-checks")
    assert total(county_inspector) == {"checked": 1, "spot_enterprises": 1, "spot_batches": 1, "failed_rate": 0.0}
    assert total(county_inspector, "product_code=09") == {"checked": 1}
    assert total(county_inspector, "product_code=13") == {}


def test_problems_and_their_disposal_count_enterprises(county_inspector: Person) -> None:
    submit(county_inspector, with_problem({"7.1": "done", "7.2": "in_progress"}, uscc=uscc(1)))
    submit(county_inspector, with_problem({"7.1": "done"}, uscc=uscc(1), check_date="2026-11-19"))
    submit(county_inspector, with_problem({"7.1": "done"}, uscc=uscc(2)))
    submit(county_inspector, with_problem(uscc=uscc(3)))
    submit(
        county_inspector,
        sales(uscc=uscc(4), answers={"3.1": "yes"}, disposals={"4.1": "done", "4.2": "na"}),
    )
    assert total(county_inspector) == {
        "checked": 3, "sales_checked": 1, "problem_enterprises": 4, "disposal_done": 2, "disposal_in_progress": 1,
        "without_disposal": 1,
    }  # fmt: skip


def test_batches_that_failed_give_a_rate(county_inspector: Person) -> None:
    for number, verdict in enumerate(["pass", "fail", "fail", "not_judged", "pass", "pass"]):
        body = spot_check(sheet_no=f"S-{number}", uscc=uscc(number % 2))
        body["items"] = [{**body["items"][0], "verdict": verdict}]
        submit(county_inspector, body, noun="spot-checks")
    assert total(county_inspector) == {
        "spot_enterprises": 2, "spot_batches": 6, "failed_batches": 2, "failed_rate": 0.3333,
    }  # fmt: skip


def test_days_are_check_dates_with_both_ends(county_inspector: Person) -> None:
    for day in (1, 2, 3):
        submit(county_inspector, production(uscc=uscc(day), org_name=f"企业{day}", check_date=f"2026-11-0{day}"))
    submit(county_inspector, spot_check(sampled_on="2026-11-02"), noun="spot-checks")
    assert total(county_inspector, "from=2026-11-02&to=2026-11-02") == {
        "checked": 1, "spot_enterprises": 1, "spot_batches": 1, "failed_rate": 0.0,
    }  # fmt: skip
    assert total(county_inspector, "from=2026-11-03") == {"checked": 1}
    assert total(county_inspector, "to=2026-11-01") == {"checked": 1}


def test_what_is_behind_a_number_can_be_opened(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    problem_record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    submit(county_inspector, production(uscc=uscc(1), org_name="企业1"))
    submit(neighbour_inspector, with_problem({"7.1": "in_progress"}, uscc=uscc(2)))
    assert rows(city_reviewer)["天宁区"]["disposal_in_progress"] == 1
    assert listed(city_reviewer, "region=320402&disposal=in_progress&problem=true") == [problem_record["id"]]


def test_a_filter_that_cannot_be_read_is_refused(county_inspector: Person) -> None:
    for query in ("from=x", "to=2026-13-01", "product_code=006", "region=3204021"):
        assert county_inspector.get(f"/statistics/progress?{query}").status_code == 422
