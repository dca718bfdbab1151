"""What stands behind a figure of the work statistics can be opened, the own level (本级) too; and exported."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from core.db import Database
from tests.people import Person, SignIn, production, sales, spot_check, uscc, with_problem
from tests.records import Json, read, submit
from tests.register import put_enterprises

pytestmark = pytest.mark.usefixtures("clock")

UNABLE: dict[str, Any] = {"unable": True, "unable_reason": "moved"}


def work(person: Person, start: int) -> None:
    """Some of everything that a column counts, at one office; one enterprise a record."""
    for number, body in enumerate((
        production(), production(**UNABLE), sales(org_name=f"甲店{start}"), sales(org_name=f"乙店{start}", **UNABLE),
        with_problem({"7.1": "done"}), with_problem({"7.1": "in_progress"}), with_problem(),
    ), start=start):  # fmt: skip
        submit(
            person, body | ({"uscc": uscc(number), "org_name": f"企业{number}"} if body["kind"] == "production" else {})
        )
    for number, changes in enumerate(({}, {"no_sample_reason": "stopped", "items": []}), start=start):
        body = spot_check(uscc=uscc(number), org_name=f"企业{number}", sheet_no=f"S-{number}", **changes)
        if not changes:
            body["items"] = [{**body["items"][0], "verdict": "fail"}]
        submit(person, body, noun="spot-checks")


BEHIND = {
    "checked": ("inspections", "kind=production&unable=false"),
    "unable": ("inspections", "kind=production&unable=true"),
    "sales_checked": ("inspections", "kind=sales&unable=false"),
    "sales_unable": ("inspections", "kind=sales&unable=true"),
    "problem_enterprises": ("inspections", "problem=true"),
    "disposal_done": ("inspections", "disposal=done"),
    "disposal_in_progress": ("inspections", "disposal=in_progress"),
    "without_disposal": ("inspections", "disposal=na"),
    "spot_batches": ("spot-checks", "sampled=true"),
    "spot_without_sample": ("spot-checks", "sampled=false"),
    "failed_batches": ("spot-checks", "conclusion=fail"),
    "planned": ("enterprises", "product_code=06"),
}  # fmt: skip


def expected(row: Json) -> dict[str, int]:
    return {name: row[name] for name in BEHIND}


def found(person: Person, where: str) -> dict[str, int]:
    return {name: read(person, f"/{noun}?{query}&{where}")["total"] for name, (noun, query) in BEHIND.items()}


@pytest.fixture
def busy(database: Database, county_inspector: Person, neighbour_inspector: Person, city_reviewer: Person) -> None:
    with database.write() as session:
        put_enterprises(
            session,
            *({"uscc": uscc(n), "name": f"企业{n}", "region_code": region, "product_codes": ["06"]}
             for n, region in ((10, "320402"), (11, "320402"), (90, "320404"), (30, "320400"), (31, "320400"))),
        )  # fmt: skip
    work(county_inspector, 10)
    work(neighbour_inspector, 20)
    work(city_reviewer, 30)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("username", ["city_reviewer", "province_user", "county_inspector"])
def test_each_row_and_the_list_behind_it_agree(sign_in: SignIn, username: str) -> None:
    person = sign_in(username)

    def rows(region: str) -> Iterator[tuple[str, Json]]:
        page = read(person, f"/statistics/progress?region={region}")
        yield f"region={region}", page["total"]
        for row in page["rows"]:
            yield f"region={row['region_code']}" + ("&own_office=true" if row["own_office"] else ""), row

    own = read(person, "/me")["region"]["code"]
    seen = 0
    for region in {own, "320400"} if username == "province_user" else {own}:
        for where, row in rows(region):
            assert found(person, where) == expected(row), where
            seen += any(expected(row).values())
    assert seen >= {"city_reviewer": 4, "province_user": 6, "county_inspector": 2}[username]


@pytest.mark.usefixtures("busy")
def test_the_table_says_what_the_figures_say(city_reviewer: Person, tmp_path: Path) -> None:
    for query in ("", "product_code=06", "region=320402", "from=2026-11-21", "product_code=09"):
        figures = read(city_reviewer, f"/statistics/progress?{query}")
        answer = city_reviewer.get(f"/statistics/progress.xlsx?{query}")
        (tmp_path / "x.xlsx").write_bytes(answer.data)
        heading, *rows = CalamineWorkbook.from_path(tmp_path / "x.xlsx").get_sheet_by_index(0).to_python()
        shown = [dict(zip(heading, row, strict=True)) for row in rows]
        assert [row["行政区划"] for row in shown] == [*(row["region_name"] for row in figures["rows"]), "合计"]
        for row, said in zip(shown, [*figures["rows"], figures["total"]], strict=True):
            for name, figure in (("检查进度", "progress"), ("不合格发现率", "failed_rate")):
                assert row[name] == ("–" if said[figure] is None else said[figure])
            assert row["应检查生产企业"] == said["planned"] and row["未作处置企业"] == said["without_disposal"]
        text = city_reviewer.get(f"/statistics/progress.csv?{query}").data.decode("utf-8-sig")
        assert [row["行政区划"] for row in csv.DictReader(io.StringIO(text))] == [row["行政区划"] for row in shown]


@pytest.mark.usefixtures("busy")
def test_progress_in_the_table_is_a_share(city_reviewer: Person) -> None:
    text = city_reviewer.get("/statistics/progress.csv").data.decode("utf-8-sig")
    rows = {row["行政区划"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["天宁区"]["检查进度"], rows["钟楼区"]["检查进度"]) == ("100.00%", "0.00%")
    assert (rows["合计"]["应检查生产企业"], rows["合计"]["应检查企业中已到访"]) == ("5", "4")
