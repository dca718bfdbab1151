"""Jurisdiction (辖区): a superior sees all below, and nobody sees anything beside or above, by any way of asking."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from accounts import offices, operations
from accounts.models import Region
from accounts.verbs import Role
from core.db import Database
from inspection.statistics import tally_search as name_search
from tests.newcomers import COUNTY_BELOW_A_MUNICIPALITY, make_user, password_hash
from tests.people import Person, SignIn, new_id, production, spot_check, uscc, with_problem
from tests.records import listed, problem, read, save, submit

pytestmark = pytest.mark.usefixtures("clock")

STRANGERS = ["neighbour_inspector", "other_city_user", "other_city_inspector", "other_province_user"]
SUPERIORS = ["city_reviewer", "province_user"]
CHECK_FILTERS = [
    "", "status=submitted", "status=draft", "kind=production", "q=绝密", "q=绝密电缆", "q=密", "product_code=06",
    "region=320402", "region=320400", "region=320000", "from=2026-11-01", "to=2026-11-30", "problem=true",
    "disposal=in_progress", "unable=false", "own_office=true&region=320402", "region=320402&q=绝密&problem=true",
]  # fmt: skip
SPOT_FILTERS = ["", "conclusion=pass", "q=绝密", "region=320402", "region=320402&own_office=true", "from=2026-01-01"]
NAME = "天宁绝密电缆有限公司"


@dataclass
class Seen:
    """A corrected check with a problem, a draft and a spot check of 天宁区."""

    check: str
    draft: str
    spot: str


@pytest.fixture
def seen(county_inspector: Person, city_reviewer: Person) -> Seen:
    body = with_problem({"7.1": "in_progress"}, org_name=NAME, contact_tel="13800000001")
    check = submit(county_inspector, body)
    corrected = city_reviewer.put(
        f"/inspections/{check['id']}/correction", {**body, "remark": "更正", "reason": "漏填", "version": 1}
    )
    assert corrected.status_code == 200, corrected.get_data(as_text=True)
    draft = save(county_inspector, production(org_name=NAME))
    spot = submit(county_inspector, spot_check(org_name=NAME), noun="spot-checks")
    return Seen(check["id"], draft["id"], spot["id"])


def exported(person: Person, noun: str, query: str = "") -> list[list[str]]:
    """The data rows of both exports, which must agree."""
    as_csv = person.get(f"/{noun}.csv?{query}")
    rows = list(csv.reader(io.StringIO(as_csv.get_data().decode("utf-8-sig"))))[1:]
    book = CalamineWorkbook.from_filelike(io.BytesIO(person.get(f"/{noun}.xlsx?{query}").get_data()))
    assert len(book.get_sheet_by_index(0).to_python()) - 1 == len(rows)
    return rows


def tally(person: Person, query: str = "") -> dict[str, Any]:
    figures = read(person, f"/statistics/progress?{query}")
    names = ("checked", "problem_enterprises", "disposal_in_progress", "spot_batches")
    return {name: figures["total"][name] for name in names}


NONE = {"checked": 0, "problem_enterprises": 0, "disposal_in_progress": 0, "spot_batches": 0}
ALL = {"checked": 1, "problem_enterprises": 1, "disposal_in_progress": 1, "spot_batches": 1}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_sees_a_record_by_no_way_of_asking(seen: Seen, sign_in: SignIn, name: str) -> None:
    stranger = sign_in(name)
    for filters in CHECK_FILTERS:
        assert listed(stranger, filters) == [], filters
        assert exported(stranger, "inspections", filters) == [], filters
    for filters in SPOT_FILTERS:
        assert listed(stranger, filters, "spot-checks") == [], filters
        assert exported(stranger, "spot-checks", filters) == [], filters
    for noun, record_id in (("inspections", seen.check), ("inspections", seen.draft), ("spot-checks", seen.spot)):
        for tail in ("", "/history", "/versions", "/versions/1"):
            assert problem(stranger.get(f"/{noun}/{record_id}{tail}")) == (404, "not_found")
    for query in ("", "region=320402", "region=320400", "region=320402&from=2026-01-01", "product_code=06"):
        assert tally(stranger, query) == NONE, query
    assert read(stranger, "/statistics/progress?region=320402")["rows"] == []
    assert read(stranger, "/enterprises?q=绝密")["total"] == 0


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_cannot_write_to_a_record_and_is_told_the_same_as_for_a_missing_one(
    seen: Seen, county_inspector: Person, sign_in: SignIn, name: str
) -> None:
    stranger = sign_in(name)
    before = [
        read(county_inspector, f"/inspections/{seen.check}"),
        read(county_inspector, f"/inspections/{seen.draft}"),
    ]
    for record_id in (seen.check, seen.draft):
        for tail, body in (
            ("", production(version=1)), ("/submission", production(version=1)),
            ("/correction", {**with_problem(), "version": 2, "reason": "改"}),
            ("/disposals", {"disposals": {"7.1": "done"}, "version": 2}),
        ):  # fmt: skip
            assert problem(stranger.put(f"/inspections/{record_id}{tail}", body)) == (404, "not_found"), tail
        assert problem(stranger.delete(f"/inspections/{record_id}")) == (404, "not_found")
    missing = new_id()
    assert problem(stranger.put(f"/inspections/{missing}/disposals", {"disposals": {}, "version": 1}))[0] == 404
    assert before == [
        read(county_inspector, f"/inspections/{seen.check}"), read(county_inspector, f"/inspections/{seen.draft}")
    ]  # fmt: skip


@pytest.mark.parametrize("name", SUPERIORS)
def test_a_superior_sees_what_was_submitted_below_and_no_drafts(seen: Seen, sign_in: SignIn, name: str) -> None:
    superior = sign_in(name)
    for filters in CHECK_FILTERS[:2] + CHECK_FILTERS[3:-1]:
        assert listed(superior, filters) == [seen.check], filters
        assert [row[0] for row in exported(superior, "inspections", filters)] == [seen.check]
    assert listed(superior, "status=draft") == []
    for filters in SPOT_FILTERS:
        assert listed(superior, filters, "spot-checks") == [seen.spot], filters
    assert problem(superior.get(f"/inspections/{seen.draft}")) == (404, "not_found")
    assert read(superior, f"/inspections/{seen.check}")["contact_tel"] == "138****0001"
    assert read(superior, f"/inspections/{seen.check}/versions")["total"] == 1
    assert "13800000001" not in superior.get(f"/inspections/{seen.check}/versions/1").get_data(as_text=True)
    assert len(read(superior, f"/inspections/{seen.check}/history")["items"]) == 2
    for query in ("", "region=320402", "region=320402&from=2026-01-01"):
        assert tally(superior, query) == ALL, query
    assert tally(superior, "region=320404") == NONE


def test_a_colleague_of_the_same_office_sees_submitted_records_but_not_the_drafts_of_another_user(
    seen: Seen, county_colleague: Person
) -> None:
    assert listed(county_colleague) == [seen.check]
    assert read(county_colleague, f"/inspections/{seen.check}")["contact_tel"] == "13800000001"
    assert listed(county_colleague, "status=draft") == []
    for tail in ("", "/history", "/versions"):
        assert problem(county_colleague.get(f"/inspections/{seen.draft}{tail}")) == (404, "not_found")
    assert problem(county_colleague.put(f"/inspections/{seen.draft}", production(version=1))) == (404, "not_found")
    assert problem(county_colleague.delete(f"/inspections/{seen.draft}")) == (404, "not_found")


def test_a_record_of_the_city_office_is_nothing_to_its_counties_and_one_of_the_province_nothing_to_its_cities(
    city_reviewer: Person, province_user: Person, county_inspector: Person
) -> None:
    of_city = submit(city_reviewer, with_problem({"7.1": "in_progress"}, org_name="市级检查企业"))["id"]
    of_province = submit(province_user, production(org_name="省级检查企业", uscc="91110000MA0TEX0267"))["id"]
    spot = submit(city_reviewer, spot_check(), noun="spot-checks")["id"]
    for path in (f"/inspections/{of_city}", f"/inspections/{of_province}", f"/spot-checks/{spot}"):
        assert problem(county_inspector.get(path)) == (404, "not_found")
    assert listed(county_inspector) == [] and listed(county_inspector, "q=检查") == []
    assert listed(county_inspector, "region=320400") == [] and exported(county_inspector, "inspections") == []
    assert tally(county_inspector) == NONE and tally(county_inspector, "region=320400") == NONE
    assert listed(city_reviewer) == [of_city] and listed(city_reviewer, "region=320000") == [of_city]
    assert problem(city_reviewer.get(f"/inspections/{of_province}")) == (404, "not_found")
    assert set(listed(province_user)) == {of_city, of_province}
    assert tally(city_reviewer)["checked"] == 1 and tally(province_user)["checked"] == 2


def test_the_statistics_of_a_superior_region_tell_a_county_nothing(seen: Seen, neighbour_inspector: Person) -> None:
    for region in ("320402", "320400", "320000", "330000"):
        figures = read(neighbour_inspector, f"/statistics/progress?region={region}")
        assert figures["rows"] == [] and not any(figures["total"][k] for k in ALL), region
        assert figures["total"]["region_code"] is None and figures["total"]["region_name"] is None


def test_a_district_directly_below_a_municipality_is_a_jurisdiction_of_its_own(
    database: Database, sign_in: SignIn, province_user: Person
) -> None:
    make_user(database, COUNTY_BELOW_A_MUNICIPALITY, "tongliang")
    make_user(database, "500152", "tongnan", Role.INSPECTOR, Role.ACCOUNT_APPROVER)
    make_user(database, "500000", "chongqing")
    tongliang, tongnan, chongqing = sign_in("tongliang"), sign_in("tongnan"), sign_in("chongqing")
    check = submit(tongliang, production(org_name="铜梁电缆厂"))["id"]
    for stranger in (tongnan, province_user):
        assert listed(stranger) == [] and listed(stranger, "region=500151") == [] and tally(stranger) == NONE
        assert problem(stranger.get(f"/inspections/{check}")) == (404, "not_found")
    for insider in (tongliang, chongqing):
        assert listed(insider) == [check] and listed(insider, "region=500151") == [check]
        assert tally(insider)["checked"] == 1
    rows = read(chongqing, "/statistics/progress")["rows"]
    assert {row["region_code"]: row["checked"] for row in rows if row["checked"]} == {"500151": 1}


def test_an_office_that_covers_two_regions_sees_those_two_and_no_third(
    database: Database, sign_in: SignIn, county_inspector: Person, neighbour_inspector: Person
) -> None:
    ids = [
        submit(person, production(org_name=f"{name}电缆厂", uscc=uscc(number)))["id"]
        for number, (person, name) in enumerate(
            [(county_inspector, "天宁"), (neighbour_inspector, "钟楼"), (sign_in("other_city_inspector"), "玄武")]
        )
    ]
    with database.write() as session:
        office_id = offices.create_office(session, "跨区稽查队", "station", session.get_one(Region, "320402"), None)
        offices.cover(session, office_id, ["320402", "320102"])
        operations.create_user(
            session, office_id, "two_regions", password_hash(), [Role.INSPECTOR], must_change_password=False
        )
    person = sign_in("two_regions")
    assert set(listed(person)) == {ids[0], ids[2]} and listed(person, "region=320404") == []
    assert problem(person.get(f"/inspections/{ids[1]}")) == (404, "not_found")
    for query in ("", "from=2026-01-01"):
        figures = read(person, f"/statistics/progress?{query}")
        assert {row["region_code"]: row["checked"] for row in figures["rows"]} == {"320402": 1, "320102": 1}
        assert figures["total"]["checked"] == 2
    assert tally(person, "region=320404") == NONE and tally(person, "region=320400") == NONE


@pytest.mark.parametrize("lowered", [None, "_FEW_NAMES", "FEW_RECORDS"])
def test_an_office_that_covers_regions_of_two_provinces_finds_names_in_both(
    lowered: str | None, database: Database, sign_in: SignIn, county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lowered:
        monkeypatch.setattr(name_search, lowered, 0)
    make_user(database, "330000", "zhejiang", Role.INSPECTOR)
    of_zhejiang = submit(sign_in("zhejiang"), production(org_name="杭州联合电缆厂", uscc=uscc(1)))["id"]
    of_changzhou = submit(county_inspector, production(org_name="常州联合电缆厂", uscc=uscc(2)))["id"]
    of_nanjing = submit(sign_in("other_city_inspector"), production(org_name="南京联合电缆厂", uscc=uscc(3)))["id"]
    with database.write() as session:
        office_id = offices.create_office(session, "跨省稽查队", "station", session.get_one(Region, "330000"), None)
        offices.cover(session, office_id, ["330000", "320400"])
        operations.create_user(
            session, office_id, "two_provinces", password_hash(), [Role.INSPECTOR], must_change_password=False
        )
    person = sign_in("two_provinces")
    for q, ids in (
        ("常州联合电缆厂", {of_changzhou}), ("杭州联合电缆厂", {of_zhejiang}), ("联合", {of_zhejiang, of_changzhou}),
        ("厂", {of_zhejiang, of_changzhou}), ("南京联合电缆厂", set()),
    ):  # fmt: skip
        assert set(listed(person, f"q={q}")) == ids, q
        assert {row[0] for row in exported(person, "inspections", f"q={q}")} == ids, q
        assert read(person, f"/inspections?q={q}&page=2&page_size=1")["total"] == len(ids), q
    assert listed(person, "q=联合&region=320000") == [of_changzhou] and of_nanjing not in listed(person)


def test_the_id_of_a_foreign_record_is_answered_like_one_of_another_record_type(
    seen: Seen, county_inspector: Person
) -> None:
    assert problem(county_inspector.get(f"/spot-checks/{seen.check}")) == (404, "not_found")
    assert problem(county_inspector.get(f"/inspections/{seen.spot}")) == (404, "not_found")
    assert problem(county_inspector.put(f"/spot-checks/{seen.check}", spot_check())) == (404, "not_found")


def test_a_duplicate_warning_names_no_records_of_a_foreign_county(
    seen: Seen, neighbour_inspector: Person, city_reviewer: Person
) -> None:
    same = with_problem({"7.1": "in_progress"}, org_name=NAME)
    assert neighbour_inspector.put(f"/inspections/{new_id()}/submission", same).status_code == 201
    warned = city_reviewer.put(f"/inspections/{new_id()}/submission", same)
    assert problem(warned) == (409, "duplicate_check")
    assert warned.json is not None and seen.check in warned.json["duplicates"]


def test_a_to_do_of_a_county_is_nothing_to_its_neighbour(seen: Seen, neighbour_inspector: Person) -> None:
    assert read(neighbour_inspector, "/todos")["items"] == []
