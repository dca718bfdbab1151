"""Products, and the dictionaries of product items and test items that inspectors add to."""

from datetime import timedelta

import pytest
import time_machine

from tests.people import CONDUCTOR_RESISTANCE, LICENCE_ITEM, Person, SignIn, faults, new_id, production, spot_check
from tests.records import problem, read, submit

pytestmark = pytest.mark.usefixtures("clock")


def names(person: Person, path: str) -> list[str]:
    return [item["name"] for item in read(person, path)["items"]]


def test_the_thirteen_products_are_listed_and_cables_are_preset(county_inspector: Person) -> None:
    page = read(county_inspector, "/products")
    assert (page["total"], [item["code"] for item in page["items"]]) == (13, [f"{n:02}" for n in range(1, 14)])
    assert [(item["code"], item["name"]) for item in page["items"] if item["default"]] == [("06", "电线电缆")]


def test_the_items_of_a_product_are_listed_with_their_regulation_type(county_inspector: Person) -> None:
    items = read(county_inspector, "/products/06/items")["items"]
    assert len(items) == 8
    printed = {"id": LICENCE_ITEM, "name": "架空绞线", "regulation_type": "licence", "is_custom": False}
    assert any(item.items() >= printed.items() for item in items)


def test_the_test_items_of_a_product_are_listed(county_inspector: Person) -> None:
    items = read(county_inspector, "/products/06/test-items")["items"]
    assert len(items) == 12
    printed = {"id": CONDUCTOR_RESISTANCE, "name": "导体电阻", "is_custom": False, "proposed": False}
    assert any(item.items() >= printed.items() for item in items)


def test_an_unknown_product_is_not_found(county_inspector: Person) -> None:
    for path in ("/products/99/items", "/products/99/test-items", "/products/电线电缆/items"):
        assert problem(county_inspector.get(path)) == (404, "not_found")
    body = {"name": "x", "regulation_type": "licence"}
    assert problem(county_inspector.put(f"/products/99/items/{new_id()}", body)) == (404, "not_found")


def test_an_item_is_added_under_the_phones_id(county_inspector: Person, county_colleague: Person) -> None:
    item = new_id()
    answer = county_inspector.put(f"/products/06/items/{item}", {"name": " 超导电缆 ", "regulation_type": "other"})
    assert answer.status_code == 201
    added = {"id": item, "name": "超导电缆", "regulation_type": "other", "is_custom": True, "status": "active"}
    assert answer.json.items() >= added.items()
    offered = {name: value for name, value in answer.json.items() if name != "warnings"}
    assert offered in read(county_colleague, "/products/06/items")["items"]
    assert "超导电缆" not in names(county_inspector, "/products/05/items")


def test_adding_again_is_answered_alike(county_inspector: Person) -> None:
    path, body = f"/products/06/items/{new_id()}", {"name": "超导电缆", "regulation_type": "other"}
    first, again = county_inspector.put(path, body), county_inspector.put(path, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json


def test_a_name_that_exists_answers_the_existing_item(county_inspector: Person, county_colleague: Person) -> None:
    first, second = new_id(), new_id()
    county_inspector.put(f"/products/06/items/{first}", {"name": "ABC 超导电缆", "regulation_type": "licence"})
    body = {"name": "ａｂｃ超导电缆", "regulation_type": "ccc"}
    answer = county_colleague.put(f"/products/06/items/{second}", body)
    assert answer.status_code == 200
    assert (answer.json["id"], answer.json["regulation_type"]) == (first, "licence")
    assert names(county_inspector, "/products/06/items").count("ABC 超导电缆") == 1
    assert county_colleague.put(f"/products/06/items/{second}", body).json == answer.json
    assert submit(county_colleague, production(products=[second]))["products"] == [first]


def test_an_id_that_is_taken_by_another_name_is_refused(county_inspector: Person) -> None:
    path = f"/products/06/items/{new_id()}"
    county_inspector.put(path, {"name": "超导电缆", "regulation_type": "licence"})
    answer = county_inspector.put(path, {"name": "光电复合缆", "regulation_type": "licence"})
    assert problem(answer) == (409, "id_taken")
    seeded = county_inspector.put(f"/products/06/items/{LICENCE_ITEM}", {"name": "新名", "regulation_type": "licence"})
    assert problem(seeded) == (409, "id_taken")


def test_an_item_needs_a_name_and_a_regulation_type(county_inspector: Person) -> None:
    path = f"/products/06/items/{new_id()}"
    assert faults(county_inspector.put(path, {})) == {"/name": "required"}
    assert faults(county_inspector.put(path, {"name": "超导电缆"})) == {"/regulation_type": "required"}
    assert faults(county_inspector.put(path, {"name": "超导电缆", "regulation_type": "none"})) == {
        "/regulation_type": "unknown_option"
    }
    assert faults(county_inspector.put(path, {"name": " ", "regulation_type": "ccc"})) == {"/name": "required"}
    assert faults(county_inspector.put(path, {"name": "长" * 101, "regulation_type": "ccc"})) == {"/name": "too_long"}
    assert faults(county_inspector.put(path, {"name": "㍿" * 100, "regulation_type": "ccc"})) == {"/name": "too_long"}
    assert "㍿" not in "".join(names(county_inspector, "/products/06/items"))


def test_a_test_item_is_added_without_regulation_type(county_inspector: Person) -> None:
    item = new_id()
    answer = county_inspector.put(f"/products/06/test-items/{item}", {"name": "耐火试验"})
    assert answer.status_code == 201
    assert answer.json.items() >= {"id": item, "name": "耐火试验", "is_custom": True}.items()
    assert "regulation_type" not in answer.json
    assert "耐火试验" not in names(county_inspector, "/products/06/items")
    unknown = county_inspector.put(f"/products/06/test-items/{new_id()}", {"name": "x", "regulation_type": "ccc"})
    assert faults(unknown) == {"/regulation_type": "unknown_field"}


def test_a_product_item_is_no_test_item(county_inspector: Person) -> None:
    body = spot_check(items=[{"item_id": LICENCE_ITEM, "verdict": "pass"}])
    answer = county_inspector.put(f"/spot-checks/{new_id()}/submission", body)
    assert faults(answer) == {"/items/0/item_id": "unknown_test_item"}


def test_what_one_province_adds_stays_in_that_province(county_inspector: Person, sign_in: SignIn) -> None:
    elsewhere, item, same_name = sign_in("other_province_user"), new_id(), new_id()
    body = {"name": "超导电缆", "regulation_type": "licence"}
    county_inspector.put(f"/products/06/items/{item}", body)
    assert "超导电缆" not in names(elsewhere, "/products/06/items")
    answer = elsewhere.put(f"/inspections/{new_id()}/submission", production(products=[item]))
    assert faults(answer) == {"/products/0": "unknown_product_item"}
    added = elsewhere.put(f"/products/06/items/{same_name}", body)
    assert (added.status_code, added.json["id"]) == (201, same_name)


def test_markup_and_sql_in_a_name_stay_text(county_inspector: Person) -> None:
    name = "<b>缆</b>'; DROP TABLE dictionary_entries; --"
    county_inspector.put(f"/products/06/items/{new_id()}", {"name": name, "regulation_type": "licence"})
    assert name in names(county_inspector, "/products/06/items")


@pytest.mark.parametrize("noun", ["items", "test-items"])
def test_a_long_dictionary_is_paged_searched_and_shows_what_was_added_last_first(
    county_inspector: Person, clock: time_machine.Traveller, noun: str
) -> None:
    path = f"/products/06/{noun}"
    printed = names(county_inspector, path)
    kind = {"regulation_type": "ccc"} if noun == "items" else {}
    for number in range(5):
        clock.shift(timedelta(seconds=1))
        added = county_inspector.put(f"{path}/{new_id()}", {"name": f"耐火_{number}", **kind})
        assert added.status_code == 201
    newest = [f"耐火_{number}" for number in (4, 3, 2, 1, 0)]
    whole = read(county_inspector, path)
    assert ([item["name"] for item in whole["items"]], whole["next_after"]) == ([*printed, *newest], None)
    seen, page = [], read(county_inspector, f"{path}?page_size=4")
    seen += page["items"]
    assert (page["total"], page["page_size"]) == (len(printed) + 5, 4)
    while page["next_after"]:
        page = read(county_inspector, f"{path}?page_size=4&after={page['next_after']}")
        seen += page["items"]
    assert seen == whole["items"]
    assert names(county_inspector, f"{path}?page=2&page_size=4") == [item["name"] for item in whole["items"][4:8]]
    assert names(county_inspector, f"{path}?q=耐 火") == newest
    assert names(county_inspector, f"{path}?q=火_4") == ["耐火_4"]
    assert names(county_inspector, f"{path}?q=%25") == []
    assert read(county_inspector, f"{path}?q=火&page_size=2")["total"] == 5


def test_more_than_a_thousand_items_lead_on_to_the_rest(
    county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miniapp_api.inspection.dictionaries.EntriesQuery.at_once", 5)
    first = read(county_inspector, "/products/06/test-items")
    assert (len(first["items"]), first["total"], first["page_size"]) == (5, 12, 5)
    rest = read(county_inspector, f"/products/06/test-items?page_size=100&after={first['next_after']}")
    assert len({item["id"] for item in [*first["items"], *rest["items"]]}) == 12


def test_a_wrong_question_about_items_is_told(county_inspector: Person) -> None:
    assert faults(county_inspector.get("/products/06/test-items?after=x")) == {"/after": "invalid"}
    assert faults(county_inspector.get("/products/06/items?page_size=101")) == {"/page_size": "out_of_range"}


def test_every_product_has_test_items_those_we_propose_marked_with_their_standard(county_inspector: Person) -> None:
    for code in (f"{n:02}" for n in range(1, 14)):
        items = read(county_inspector, f"/products/{code}/test-items")["items"]
        assert len(items) >= 6, code
        assert len({item["name"] for item in items}) == len(items)
        for item in items:
            assert (item["proposed"], item["source"] is None) == ((False, True) if code == "06" else (True, False))
    cement = read(county_inspector, "/products/05/test-items")["items"]
    assert {"凝结时间", "水溶性铬（Ⅵ）"} <= {item["name"] for item in cement}
    assert {item["source"] for item in cement} == {"GB 175-2023"}
