"""What was typed by hand before is offered next time: to the own office only, limited, by its beginning."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.people import PASSWORD, Person, faults, production, sales, spot_check, uscc
from tests.records import read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def offered(person: Person, kind: str, field: str, q: str = "") -> list[str]:
    query = {"kind": kind, "field": field, **({"q": q} if q else {})}
    answer = person.get("/suggestions", query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [item["value"] for item in answer.json["items"]]


def test_inspectors_of_the_own_office_are_offered_by_their_beginning_those_named_most_often_first(
    county_inspector: Person, county_colleague: Person, neighbour_inspector: Person, city_reviewer: Person, clock: Any
) -> None:
    submit(county_inspector, production(inspectors=["张三", "李四"], escort="王五"))
    clock.shift(1)
    submit(county_inspector, production(inspectors=["李四", "张小三"], uscc=uscc(2), org_name="第二家"))
    save(county_inspector, production(inspectors=["草稿甲", "草稿乙"], uscc=uscc(3)))
    submit(neighbour_inspector, production(inspectors=["外人甲", "外人乙"], uscc=uscc(4), org_name="第四家"))
    assert offered(county_colleague, "production", "inspectors")[0] == "李四"
    assert sorted(offered(county_colleague, "production", "inspectors")) == sorted(["李四", "张三", "张小三"])
    assert offered(county_colleague, "production", "inspectors", "张") == ["张小三", "张三"]
    assert offered(county_colleague, "production", "escort", "王") == ["王五"]
    assert offered(county_colleague, "sales", "inspectors") == []
    for person in (neighbour_inspector, city_reviewer):
        assert "李四" not in offered(person, "production", "inspectors")


def test_two_spellings_of_a_text_are_offered_once_as_written_last(county_inspector: Person, clock: Any) -> None:
    submit(county_inspector, sales(market_name="ABC 市场"))
    clock.shift(1)
    submit(county_inspector, sales(market_name="ＡＢＣ市场", org_name="另一家"))
    assert offered(county_inspector, "sales", "market_name", "abc市") == ["ＡＢＣ市场"]
    shown = read(county_inspector, "/suggestions?kind=sales&field=market_name")["items"]
    assert shown == [{"value": "ＡＢＣ市场", "times": 2, "last_used_on": "2026-11-20"}]


def test_at_most_twenty_are_offered(county_inspector: Person) -> None:
    for number in range(3):
        people = [f"检查员{number}{place}" for place in range(10)]
        submit(county_inspector, production(inspectors=people, uscc=uscc(number), org_name=f"第{number}家"))
    assert len(offered(county_inspector, "production", "inspectors")) == 20


def test_only_what_a_form_offers_is_read(county_inspector: Person) -> None:
    submit(county_inspector, production(contact_tel="13812345678", contact_name="赵六"))
    for field in ("contact_tel", "contact_name", "answers", "remark", "data", "'; --"):
        answer = county_inspector.get("/suggestions", query_string={"kind": "production", "field": field})
        assert faults(answer) == {"/field": "not_suggested"}
        assert "inspectors" in answer.json["errors"][0]["message"]
    assert county_inspector.get("/suggestions?kind=production").status_code == 422


def test_laboratories_of_spot_checks_are_offered(county_inspector: Person) -> None:
    submit(county_inspector, spot_check(inspection_org="常州检验院"), noun="spot-checks")
    assert offered(county_inspector, "spot_check", "inspection_org", "常") == ["常州检验院"]


def test_a_voided_record_offers_nothing(county_inspector: Person) -> None:
    record = submit(county_inspector, production(escort="错填的人"))
    answer = county_inspector.post(f"/inspections/{record['id']}/void", {"reason": "测试记录", "version": 1})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert offered(county_inspector, "production", "escort") == []


def test_a_seller_without_a_code_is_found_again_by_its_name_in_the_own_county(
    county_inspector: Person, county_colleague: Person, neighbour_inspector: Person, city_reviewer: Person, clock: Any
) -> None:
    shop = {
        "org_name": "老王五金店",
        "org_address": "某街9号",
        "business_address": "某街9号",
        "market_name": "东门市场",
    }
    submit(county_inspector, sales(**shop, check_date="2026-11-19"))
    clock.shift(1)
    submit(county_inspector, sales(**{**shop, "market_name": "东门新市场"}))
    submit(county_inspector, sales(uscc=uscc(5), org_name="有照的五金店"))
    found = read(county_colleague, "/suggestions/sellers?q=五金")["items"]
    assert found == [{**shop, "market_name": "东门新市场", "last_checked_on": "2026-11-20"}]
    assert read(county_colleague, "/suggestions/sellers?q=王")["total"] == 1
    assert read(county_colleague, "/suggestions/sellers?q=%25")["total"] == 0
    assert read(neighbour_inspector, "/suggestions/sellers?q=五金")["total"] == 0
    assert read(city_reviewer, "/suggestions/sellers?q=五金")["total"] == 1


def test_a_phone_keeps_the_sellers_without_a_code_of_its_own_office(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, clock: Any
) -> None:
    place = "某街9号"
    shop = {"org_name": "老王五金店", "org_address": place, "business_address": place, "market_name": "东门市场"}
    submit(county_inspector, sales(**shop, check_date="2026-11-19"))
    clock.shift(1)
    submit(county_inspector, sales(**{**shop, "market_name": "东门新市场"}))
    submit(county_inspector, sales(uscc=uscc(5), org_name="有照的五金店"))
    submit(city_reviewer, sales(**{**shop, "org_name": "市局查过的店"}))
    voided = submit(county_inspector, sales(**{**shop, "org_name": "误填的店"}))
    county_inspector.post(f"/inspections/{voided['id']}/void", {"reason": "误填，该店不在本辖区", "version": 1})
    kept = read(county_colleague, "/suggestions/sellers")["items"]
    assert kept == [{**shop, "market_name": "东门新市场", "last_checked_on": "2026-11-20"}]


def test_colleagues_are_those_whom_the_own_office_named_and_who_signed_in_there(
    client: FlaskClient, county_inspector: Person, neighbour_inspector: Person
) -> None:
    submit(county_inspector, production(inspectors=["甲", "乙"]))
    submit(county_inspector, sales(inspectors=["乙", "丙"]))
    submit(neighbour_inspector, production(inspectors=["丁", "戊"], uscc=uscc(9), org_name="钟楼厂"))
    for username, name in (("county_colleague", "己某"), ("neighbour_inspector", "庚某")):
        body = {"username": username, "password": PASSWORD, "operator_name": name}
        assert client.post("/api/v1/sessions", json=body).status_code == 201
    items = read(county_inspector, "/suggestions/colleagues")["items"]
    assert [(item["name"], item["times"]) for item in items] == [("乙", 2), ("丙", 1), ("甲", 1), ("己某", 0)]
    assert items[0]["last_used_on"] == "2026-11-20"
