"""The register over HTTP: look-up from anywhere, lists of the own regions."""

from collections.abc import Callable
from typing import Any

import pytest

from core.db import Database
from enterprise.operations import EnterpriseFacts
from tests.people import Person, production, uscc
from tests.records import problem, read, submit
from tests.register import put_enterprises

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def register(database: Database) -> Callable[..., None]:
    """Puts enterprises into the register: (number, name, region, product codes)."""

    def put(*rows: tuple[int, str, str, list[str]]) -> None:
        facts: list[EnterpriseFacts] = [
            {"uscc": uscc(number), "name": name, "region_code": region, "product_codes": codes,
             "address": f"地址{number}号", "production_address": f"生产地址{number}号",
             "legal_representative": "法人", "scale": "small"}
            for number, name, region, codes in rows
        ]  # fmt: skip
        with database.write() as session:
            put_enterprises(session, *facts)

    return put


def found(person: Person, **query: Any) -> list[str]:
    page = person.get("/enterprises", query_string=query).json
    assert page["total"] == len(page["items"])
    return [item["name"] for item in page["items"]]


def test_a_code_answers_the_basics(county_inspector: Person, register: Callable[..., None]) -> None:
    register((1, "常州天宁电缆厂", "320402", ["06", "09"]))
    shown = read(county_inspector, f"/enterprises/{uscc(1)}")
    shown.pop("id")
    assert shown == {
        "uscc": uscc(1), "name": "常州天宁电缆厂", "legal_representative": "法人", "address": "地址1号",
        "production_address": "生产地址1号", "region_code": "320402", "scale": "small", "status": "active",
        "product_codes": ["06", "09"], "licence": None, "licences": [],
    }  # fmt: skip


def test_a_code_is_found_however_it_is_typed(county_inspector: Person, register: Callable[..., None]) -> None:
    register((1, "常州天宁电缆厂", "320402", []))
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in uscc(1))
    for typed in (uscc(1).lower(), full_width, f" {uscc(1)[:8]}-{uscc(1)[8:]} "):
        assert read(county_inspector, f"/enterprises/{typed}")["uscc"] == uscc(1)


def test_an_enterprise_is_looked_up_from_anywhere(
    register: Callable[..., None], neighbour_inspector: Person, other_city_user: Person
) -> None:
    register((1, "常州天宁电缆厂", "320402", []))
    for person in (neighbour_inspector, other_city_user):
        assert read(person, f"/enterprises/{uscc(1)}")["name"] == "常州天宁电缆厂"


def test_an_unknown_or_wrong_code_is_not_found(county_inspector: Person) -> None:
    assert problem(county_inspector.get(f"/enterprises/{uscc(1)}")) == (404, "not_found")
    answer = county_inspector.get("/enterprises/91320400MA1TEX0013")
    assert problem(answer) == (404, "not_found")
    assert "校验" in answer.json["detail"]


def test_lists_hold_the_own_regions_only(
    county_inspector: Person, city_reviewer: Person, other_city_user: Person, register: Callable[..., None]
) -> None:
    register(
        (1, "天宁一厂", "320402", []),
        (2, "钟楼二厂", "320404", []),
        (3, "玄武三厂", "320102", []),
        (4, "市属四厂", "320400", []),
    )
    assert found(county_inspector) == ["天宁一厂"]
    assert sorted(found(city_reviewer)) == ["天宁一厂", "市属四厂", "钟楼二厂"]
    assert found(other_city_user) == ["玄武三厂"]


def test_a_fragment_of_the_name_is_searched_literally(county_inspector: Person, register: Callable[..., None]) -> None:
    register((1, "常州ＡＢ 电缆厂", "320402", []), (2, "100%_纯铜", "320402", []), (3, "五金店", "320402", []))
    for typed, names in (
        ("电缆", ["常州ＡＢ 电缆厂"]), ("ab电", ["常州ＡＢ 电缆厂"]), ("%", ["100%_纯铜"]),
        ("_", ["100%_纯铜"]), ("店", ["五金店"]), ("' OR 1=1 --", []), ("钢筋", []), ("\\", []),
    ):  # fmt: skip
        assert found(county_inspector, q=typed) == names, typed


def test_a_product_and_a_fragment_narrow_together(county_inspector: Person, register: Callable[..., None]) -> None:
    register(
        (1, "一号电缆厂", "320402", ["06"]), (2, "二号电缆厂", "320402", ["09"]), (3, "三号五金店", "320402", ["06"])
    )
    assert found(county_inspector, product_code="06") == ["一号电缆厂", "三号五金店"]
    assert found(county_inspector, product_code="06", q="电缆") == ["一号电缆厂"]
    assert found(county_inspector, product_code="13") == []


def test_pages_are_counted_and_do_not_overlap(county_inspector: Person, register: Callable[..., None]) -> None:
    register(*((number, f"电缆厂{number:02}", "320402", []) for number in range(1, 26)))
    pages = [read(county_inspector, f"/enterprises?page_size=10&page={page}") for page in (1, 2, 3, 4)]
    assert [len(page["items"]) for page in pages] == [10, 10, 5, 0]
    assert {page["total"] for page in pages} == {25}
    assert len({item["uscc"] for page in pages for item in page["items"]}) == 25


def test_a_check_knows_whether_the_register_filled_it_in(
    county_inspector: Person, register: Callable[..., None]
) -> None:
    register((1, "天宁一厂", "320402", ["06"]))
    assert submit(county_inspector, production(uscc=uscc(1), org_name="天宁一厂"))["org_prefilled"] is True
    other_name = production(uscc=uscc(1), org_name="另一个名字", confirm_duplicate=True, confirm_name=True)
    assert submit(county_inspector, other_name)["org_prefilled"] is False
    assert submit(county_inspector, production(uscc=uscc(2), org_name="天宁一厂"))["org_prefilled"] is False
