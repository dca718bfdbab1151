"""Checks that were submitted: who sees them, how they are listed, and what happens around them."""

from datetime import timedelta
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from core.db import Database
from inspection.models import Inspection
from tests.people import Person, SignIn, new_id, production, sales, spot_check, uscc, with_problem
from tests.records import Json, items_of, listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")


def in_turn(clock: Any) -> None:
    """Let a second pass, so that the order of submission is known."""
    clock.shift(timedelta(seconds=1))


def test_a_submitted_check_is_seen_by_the_own_office_and_every_superior(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, province_user: Person
) -> None:
    record = submit(county_inspector)
    for person in (county_inspector, county_colleague, city_reviewer, province_user):
        assert listed(person) == [record["id"]]
        assert read(person, f"/inspections/{record['id']}")["org_name"] == record["org_name"]


def test_a_foreign_countys_check_is_seen_nowhere(
    county_inspector: Person, neighbour_inspector: Person, other_city_user: Person, sign_in: SignIn
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}))
    for stranger in (neighbour_inspector, other_city_user, sign_in("other_province_user")):
        for path in ("", "/history", "/versions", "/versions/1"):
            assert problem(stranger.get(f"/inspections/{record['id']}{path}")) == (404, "not_found")
        for query in (
            "", "q=某某电缆", "region=320402", "disposal=in_progress", "product_code=06", "region=320400",
            "region=320000", "region=320402&own_office=true", f"q={record['org_name']}&region=320402",
        ):  # fmt: skip
            assert read(stranger, f"/inspections?{query}")["total"] == 0
            for ending in ("csv", "xlsx"):
                exported = stranger.get(f"/inspections.{ending}?{query}")
                assert exported.status_code == 200 and record["org_name"].encode() not in exported.data
        total = read(stranger, "/statistics/progress")["total"]
        assert (total["checked"], total["problem_enterprises"]) == (0, 0)
        assert read(stranger, "/statistics/progress?region=320402")["rows"] == []


def test_the_check_of_a_city_is_not_seen_by_its_counties(county_inspector: Person, city_reviewer: Person) -> None:
    record = submit(city_reviewer)
    assert listed(county_inspector) == []
    assert county_inspector.get(f"/inspections/{record['id']}").status_code == 404


def test_without_a_token_nothing_is_answered(county_inspector: Person) -> None:
    record = submit(county_inspector)
    for path in ("inspections", f"inspections/{record['id']}", "inspections.csv", "statistics/progress", "products"):
        assert problem(county_inspector.client.get(f"/api/v1/{path}")) == (401, "unauthenticated")
    broken = county_inspector.client.put(f"/api/v1/inspections/{new_id()}", data="{", content_type="application/json")
    assert problem(broken) == (401, "unauthenticated")


def test_a_list_is_filtered_by_a_kind_or_by_the_code_of_its_form(county_inspector: Person) -> None:
    record = submit(county_inspector, sales())
    submit(county_inspector, production())
    for kind in ("sales", "gpc-sales"):
        assert listed(county_inspector, f"kind={kind}") == [record["id"]]


def test_an_unknown_record_is_not_found(county_inspector: Person) -> None:
    assert problem(county_inspector.get(f"/inspections/{new_id()}")) == (404, "not_found")
    assert problem(county_inspector.get("/inspections/7")) == (404, "not_found")


# Duplicates


def test_a_second_check_of_that_day_is_questioned(county_inspector: Person, county_colleague: Person) -> None:
    first, again = submit(county_inspector), new_id()
    answer = county_colleague.put(f"/inspections/{again}/submission", production(remark="重复"))
    assert problem(answer) == (409, "duplicate_check")
    assert answer.json["duplicates"] == [first["id"]]
    assert county_colleague.get(f"/inspections/{again}").status_code == 404
    confirmed = county_colleague.put(
        f"/inspections/{again}/submission", production(remark="重复", confirm_duplicate=True)
    )
    assert confirmed.status_code == 201
    assert "confirm_duplicate" not in confirmed.json


def test_only_true_confirms_a_duplicate(county_inspector: Person) -> None:
    submit(county_inspector)
    for value in (False, "true", 1, None):
        answer = county_inspector.put(f"/inspections/{new_id()}/submission", production(confirm_duplicate=value))
        assert problem(answer) == (409, "duplicate_check")


def test_another_product_kind_day_or_enterprise_is_no_duplicate(county_inspector: Person) -> None:
    submit(county_inspector)
    bicycle = items_of(county_inspector, "09")("电动自行车")
    submit(county_inspector, production(product_code="09", products=[bicycle], regulation_types=["ccc"]))
    submit(county_inspector, sales(uscc="91320400MA1TEX0012"))
    submit(county_inspector, production(check_date="2026-11-19"))
    submit(county_inspector, production(uscc="91500105MA5TEX017C"))
    submit(county_inspector, spot_check(sampled_on="2026-11-20"), noun="spot-checks")
    assert len(listed(county_inspector)) == 5


def test_a_seller_without_code_is_known_by_name_and_address(county_inspector: Person) -> None:
    submit(county_inspector, sales(org_name="AB 五金店"))
    answer = county_inspector.put(f"/inspections/{new_id()}/submission", sales(org_name="ａｂ五金店"))
    assert problem(answer) == (409, "duplicate_check")
    submit(county_inspector, sales(org_name="AB 五金店", org_address="常州市天宁区某街3号"))


def test_a_foreign_countys_check_is_no_duplicate(
    county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    submit(county_inspector)
    submit(neighbour_inspector)
    answer = city_reviewer.put(f"/inspections/{new_id()}/submission", production())
    assert problem(answer) == (409, "duplicate_check")
    assert len(answer.json["duplicates"]) == 2


def test_neither_drafts_nor_corrected_records_are_duplicates(county_inspector: Person) -> None:
    save(county_inspector)
    record = submit(county_inspector)
    path = f"/inspections/{record['id']}/correction"
    corrected = {**production(uscc="91500105MA5TEX017C"), "version": 1, "reason": "代码填错"}
    assert county_inspector.put(path, corrected).status_code == 200
    submit(county_inspector)


# What happens around a record


def test_a_refused_enterprise_gives_an_urgent_todo(county_inspector: Person, neighbour_inspector: Person) -> None:
    submit(county_inspector, with_problem({"7.1": "in_progress"}))
    record = submit(county_inspector, production(unable=True, unable_reason="refused", uscc=uscc(1)))
    items = read(county_inspector, "/todos")["items"]
    assert [(item["kind"], item["urgent"]) for item in items] == [
        ("inspection_refused", True), ("disposal_in_progress", False),
    ]  # fmt: skip
    assert items[0]["link"] == f"/inspections/{record['id']}"
    assert items[0]["colour"] == "yellow"
    assert read(neighbour_inspector, "/todos")["items"] == []


def test_the_history_tells_every_step(county_inspector: Person, city_reviewer: Person, clock: Any) -> None:
    record, body = new_id(), with_problem({"7.1": "in_progress"})
    save(county_inspector, {"kind": "production", "product_code": "06"}, record)
    in_turn(clock)
    save(county_inspector, {**body, "version": 1}, record)
    in_turn(clock)
    submit(county_inspector, {**body, "version": 2}, record)
    in_turn(clock)
    city_reviewer.put(f"/inspections/{record}/disposals", {"disposals": {"7.1": "done"}, "version": 3})
    page = read(county_inspector, f"/inspections/{record}/history")
    assert page["total"] == 4
    rows = page["items"]
    assert [(row["seq"], row["action"], row["from"], row["to"], row["version"], row["actor"]) for row in rows] == [
        (1, "save", None, "draft", 1, "county_inspector"),
        (2, "save", "draft", "draft", 2, "county_inspector"),
        (3, "submit", "draft", "submitted", 3, "county_inspector"),
        (4, "dispose", "submitted", "submitted", 4, "city_reviewer"),
    ]
    assert [row["at"] for row in rows] == [f"2026-11-21T02:00:0{second}Z" for second in range(4)]


def test_the_telephone_number_is_encrypted_at_rest(county_inspector: Person, database: Database) -> None:
    submit(county_inspector, production(contact_tel=" +86 138-0000-0001 "))
    save(county_inspector, production(contact_tel="13800000001"))
    with database.read() as session:
        stored = [data["contact_tel"] for data in session.scalars(select(Inspection.data))]
    assert all(text.startswith("enc2:1:") and "0001" not in text for text in stored)
    assert len(set(stored)) == 2


def test_the_telephone_number_is_clear_for_the_own_office_and_masked_for_superiors(
    county_inspector: Person, county_colleague: Person, city_reviewer: Person, province_user: Person
) -> None:
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, contact_tel="13800000001"))
    assert record["contact_tel"] == "13800000001"
    path = f"/inspections/{record['id']}"
    assert read(county_colleague, path)["contact_tel"] == "13800000001"
    for superior in (city_reviewer, province_user):
        assert read(superior, path)["contact_tel"] == "138****0001"
    moved = city_reviewer.put(f"{path}/disposals", {"disposals": {"7.1": "done"}, "version": 1})
    assert moved.json["contact_tel"] == "138****0001"
    for answer in (county_inspector.get("/inspections"), county_inspector.get("/inspections.csv")):
        assert b"0000001" not in answer.data


def test_a_landline_is_masked_too(county_inspector: Person, city_reviewer: Person) -> None:
    record = submit(county_inspector, production(contact_tel="0519－86680000"))
    assert record["contact_tel"] == "0519-86680000"
    assert read(city_reviewer, f"/inspections/{record['id']}")["contact_tel"] == "****0000"


# Lists


def spread(sign_in: SignIn, clock: Any) -> list[Json]:
    """A dozen checks that differ in everything that can be filtered, newest first, as facts."""
    bicycle = {"product_code": "09", "regulation_types": ["ccc"],
               "products": [items_of(sign_in("county_inspector"), "09")("电动自行车")]}  # fmt: skip
    unable = {"unable": True, "unable_reason": "moved"}
    made = []
    for number, (username, body) in enumerate(
        [
            ("county_inspector", production(uscc=uscc(1), org_name="天宁电缆一厂", check_date="2026-11-01")),
            ("county_inspector", with_problem({"7.1": "done"}, uscc=uscc(2), org_name="天宁电缆二厂",
                                              check_date="2026-11-02")),
            ("county_colleague", with_problem({"7.2": "in_progress"}, uscc=uscc(3), org_name="ＡＢ Cable 厂",
                                              check_date="2026-11-03")),
            ("county_colleague", with_problem(uscc=uscc(4), org_name="100%_铜业", check_date="2026-11-04")),
            ("county_inspector", production(uscc=uscc(5), org_name="天宁电缆三厂", check_date="2026-11-05", **unable)),
            ("county_inspector", production(uscc=uscc(6), org_name="天宁车业", check_date="2026-11-06", **bicycle)),
            ("county_inspector", sales(org_name="天宁五金店", check_date="2026-11-07")),
            ("neighbour_inspector", production(uscc=uscc(1), org_name="天宁电缆一厂", check_date="2026-11-08")),
            ("neighbour_inspector", sales(org_name="钟楼电缆店", check_date="2026-11-09", answers={"3.1": "yes"},
                                          disposals={"4.1": "in_progress", "4.2": "na"})),
            ("city_reviewer", production(uscc=uscc(7), org_name="市局查电缆厂", check_date="2026-11-10")),
            ("city_reviewer", sales(org_name="市局查五金店", check_date="2026-11-11", **unable)),
            ("province_user", production(uscc=uscc(8), org_name="省局查电缆厂", check_date="2026-11-12")),
            ("other_city_inspector", production(uscc=uscc(9), org_name="玄武电缆厂", check_date="2026-11-13")),
        ]
    ):  # fmt: skip
        in_turn(clock)
        shown = submit(sign_in(username), body)
        made.append({**shown, "number": number})
    return made[::-1]


FOLDED = {"ＡＢ Cable 厂": "abcable厂"}
CHOICES: dict[str, list[tuple[str, Any]]] = {
    "kind": [(kind, lambda r, kind=kind: r["kind"] == kind) for kind in ("production", "sales")],
    "q": [(q, lambda r, f=f: f in FOLDED.get(r["org_name"], r["org_name"]))
          for q, f in (("电缆", "电缆"), ("ab C", "abc"), ("%", "%"), ("_铜", "_铜"), ("厂", "厂"), ("没有", "没有"),
                       ("' OR '1'='1", "'or'1'='1"))],
    "product_code": [(code, lambda r, code=code: r["product_code"] == code) for code in ("06", "09", "10")],
    "region": [("320402", lambda r: r["region"]["code"] == "320402"),
               ("320400", lambda r: r["region"]["code"].startswith("3204")),
               ("320000", lambda r: True), ("320102", lambda r: r["region"]["code"] == "320102"),
               ("330000", lambda r: False), ("330102", lambda r: False)],
    "from": [(day, lambda r, day=day: r["check_date"] >= day) for day in ("2026-11-04", "2026-11-12")],
    "to": [(day, lambda r, day=day: r["check_date"] <= day) for day in ("2026-11-04", "2026-10-31")],
    "problem": [("true", lambda r: r["problems_found"]), ("false", lambda r: not r["problems_found"])],
    "disposal": [(state, lambda r, state=state: r["disposal_state"] == state)
                 for state in ("in_progress", "done", "na", "none")],
    "unable": [("true", lambda r: r["unable"]), ("false", lambda r: not r["unable"])],
}  # fmt: skip
SEES = {
    "county_inspector": ("320402",), "city_reviewer": ("320400", "320402", "320404"),
    "province_user": ("320000", "320400", "320402", "320404", "320102"),
}  # fmt: skip


def test_every_filter_alone_and_with_every_other_gives_what_it_says(sign_in: SignIn, clock: Any) -> None:
    records = spread(sign_in, clock)
    for username, regions in SEES.items():
        person = sign_in(username)
        seen = [record for record in records if record["region"]["code"] in regions]
        assert listed(person) == [record["id"] for record in seen]
        singles = [(name, value, test) for name, values in CHOICES.items() for value, test in values]
        pairs = combinations(singles, 2) if username == "city_reviewer" else ()
        for chosen in [*((single,) for single in singles), *pairs]:
            asked = [(name, value) for name, value, _ in chosen]
            if len({name for name, _ in asked}) < len(asked):
                continue
            if dict(asked).get("from", "") > dict(asked).get("to", "9"):
                continue  # refused
            query = urlencode(asked)
            expected = [record["id"] for record in seen if all(test(record) for _, _, test in chosen)]
            assert listed(person, query) == expected, (username, query)


def test_all_filters_together_narrow_to_one(sign_in: SignIn, clock: Any) -> None:
    records = spread(sign_in, clock)
    wanted = next(record for record in records if record["org_name"] == "ＡＢ Cable 厂")
    query = urlencode({
        "kind": "production", "q": "cable", "product_code": "06", "region": "320402", "from": "2026-11-03",
        "to": "2026-11-03", "problem": "true", "disposal": "in_progress", "unable": "false", "status": "submitted",
    })  # fmt: skip
    assert listed(sign_in("province_user"), query) == [wanted["id"]]


def test_own_office_leaves_out_the_regions_below(sign_in: SignIn, clock: Any) -> None:
    records = spread(sign_in, clock)
    city, province = sign_in("city_reviewer"), sign_in("province_user")

    def of(region: str) -> list[str]:
        return [record["id"] for record in records if record["region"]["code"] == region]

    assert listed(city, "region=320400&own_office=true") == of("320400")
    assert listed(city, "own_office=true") == of("320400")
    assert listed(province, "own_office=true") == of("320000")
    assert listed(province, "region=320400&own_office=true") == of("320400")
    assert listed(province, "region=320402&own_office=true") == of("320402")
    assert listed(city, f"own_office=true&{urlencode({'q': '电缆'})}") == of("320400")[1:]
    assert len(listed(city, "own_office=false")) == 11


def test_an_empty_filter_is_none(county_inspector: Person) -> None:
    record = submit(county_inspector)
    empty = "kind=&q=&product_code=&region=&from=&to=&problem=&disposal=&unable=&own_office=&status="
    assert listed(county_inspector, empty) == [record["id"]]


def test_a_filter_that_cannot_be_read_is_refused(county_inspector: Person) -> None:
    for query in ("from=yesterday", "to=2026-02-30", "problem=perhaps", "disposal=finished", "status=gone", "page=0",
                  "page=x", "page_size=0", "page_size=101", "page=99999999999", "unable=2", "conclusion=good",
                  "region=3204021", "region=999999", "region=' OR 1",
                  "product_code=006", "product_code=99", f"q={'长' * 101}", "q=%00"):  # fmt: skip
        for path in ("/inspections", "/inspections.csv"):
            assert problem(county_inspector.get(f"{path}?{query}")) == (422, "invalid"), query


def test_pages_are_stable_newest_first_and_counted(county_inspector: Person, clock: Any) -> None:
    ids = []
    for number in range(25):
        if number % 5 == 0:  # five at the same instant: their order must be stable all the same
            in_turn(clock)
        ids.append(submit(county_inspector, production(uscc=uscc(number), org_name=f"电缆{number}厂"))["id"])
    for query in ("", "q=电缆", "product_code=06", "problem=false"):
        pages = [read(county_inspector, f"/inspections?page_size=10&page={page}&{query}") for page in range(1, 5)]
        assert [len(page["items"]) for page in pages] == [10, 10, 5, 0]
        assert {(page["total"], page["total_is_exact"]) for page in pages} == {(25, True)}
        assert [page["page"] for page in pages] == [1, 2, 3, 4]
        shown = [item["id"] for page in pages for item in page["items"]]
        assert len(set(shown)) == 25
        assert [set(shown[start : start + 5]) for start in range(0, 25, 5)] == [
            set(ids[start : start + 5]) for start in range(20, -1, -5)
        ]
        assert shown == listed(county_inspector, query)
    assert len(read(county_inspector, "/inspections")["items"]) == 20


def test_a_list_says_what_is_needed_to_choose(county_inspector: Person) -> None:
    record = submit(county_inspector)
    item = read(county_inspector, "/inspections")["items"][0]
    assert "answers" not in item and "contact_tel" not in item
    for name in set(item) - {"region_code", "check_date", "unable", "conclusion", "business_address"}:
        assert item[name] == record[name]
    assert (item["region_code"], item["check_date"], item["unable"]) == ("320402", "2026-11-20", False)


def test_names_are_found_after_a_correction_and_only_the_new_ones(county_inspector: Person) -> None:
    record = submit(county_inspector, production(org_name="旧名电缆厂"))
    body = {**production(org_name="新名铜业"), "version": 1, "reason": "更名"}
    county_inspector.put(f"/inspections/{record['id']}/correction", body)
    assert listed(county_inspector, urlencode({"q": "新名"})) == [record["id"]]
    assert listed(county_inspector, urlencode({"q": "旧名"})) == []
