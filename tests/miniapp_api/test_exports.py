"""Exports: the list's rows with the list's filters, as text that no spreadsheet takes for a formula."""

import csv
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from python_calamine import CalamineWorkbook

from tests.people import Person, new_id, production, sales, spot_check, uscc, with_problem
from tests.records import listed, problem, save, submit

pytestmark = pytest.mark.usefixtures("clock")

CODE = "统一社会信用代码"
FORMULAS = ["=cmd|'/c calc'!A0", "+86电缆", "-电缆", "@SUM(A1)", '＝HYPERLINK("http://x")']


def as_csv(person: Person, query: str = "", noun: str = "inspections") -> list[dict[str, str]]:
    answer = person.get(f"/{noun}.csv?{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def as_xlsx(person: Person, path: Path, query: str = "", noun: str = "inspections") -> list[dict[str, Any]]:
    answer = person.get(f"/{noun}.xlsx?{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    path.write_bytes(answer.data)
    heading, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    return [dict(zip(heading, row, strict=True)) for row in rows]


def some(person: Person, clock: Any) -> None:
    """Five checks that differ in what is filtered."""
    for body in (
        production(uscc=uscc(1), org_name="天宁一厂"),
        with_problem({"7.1": "in_progress"}, uscc=uscc(2), org_name="天宁二厂", check_date="2026-11-01"),
        with_problem({"7.1": "done"}, uscc=uscc(3), org_name="武进三厂"),
        production(uscc=uscc(4), org_name="天宁四厂", unable=True, unable_reason="moved"),
        sales(org_name='天宁,“五金”"店"\n二楼'),
    ):
        clock.shift(timedelta(seconds=1))
        submit(person, body)


def test_exports_equal_the_list_under_the_same_filters(county_inspector: Person, clock: Any, tmp_path: Path) -> None:
    some(county_inspector, clock)
    for filters in (
        {}, {"q": "天宁"}, {"kind": "production"}, {"problem": "true"}, {"disposal": "in_progress"}, {"unable": "true"},
        {"to": "2026-11-01"}, {"q": "厂", "problem": "false"}, {"region": "320402"}, {"region": "320404"},
        {"q": "没有"}, {"product_code": "06", "own_office": "true", "from": "2026-11-20"},
    ):  # fmt: skip
        query = urlencode(filters)
        ids = listed(county_inspector, query)
        assert [row["记录编号"] for row in as_csv(county_inspector, query)] == ids, filters
        assert [row["记录编号"] for row in as_xlsx(county_inspector, tmp_path / "x.xlsx", query)] == ids, filters


def test_the_cells_say_what_the_record_says(county_inspector: Person, clock: Any, tmp_path: Path) -> None:
    some(county_inspector, clock)
    rows, sheet = as_csv(county_inspector), as_xlsx(county_inspector, tmp_path / "x.xlsx")
    assert rows == [{name: str(value) for name, value in row.items()} for row in sheet]
    assert {type(row["检查日期"]) for row in sheet} == {date}
    assert {type(row["提交时间"]) for row in sheet} == {datetime}
    row = {row["企业名称"]: row for row in rows}["天宁二厂"]
    row.pop("记录编号")
    assert row == {
        "类型": "生产企业检查", "产品": "电线电缆", CODE: uscc(2), "企业名称": "天宁二厂",
        "名称与名录不符": "",
        "企业地址": "常州市天宁区某路1号", "生产或经营地址": "常州市天宁区某路1号", "检查日期": "2026-11-01",
        "检查人员": "甲、乙", "无法检查": "否", "无法检查原因": "", "发现问题": "是", "存在问题": "1.2 存在无证生产",
        "处置状态": "办理中", "备注": "", "更正次数": "", "最近更正时间": "",
        "更正人": "", "作废时间": "", "作废原因": "",
        "填报单位": "天宁区市场监督管理局",
        "用户名": "county_inspector", "操作人": "", "提交时间": "2026-11-21 10:00:02",
    }  # fmt: skip
    assert rows[0]["企业名称"].startswith('天宁,“五金”"店"')


def test_names_that_look_like_formulas_are_text_in_csv(county_inspector: Person) -> None:
    for number, name in enumerate(FORMULAS):
        submit(county_inspector, production(uscc=uscc(number), org_name=name))
    names = [row["企业名称"] for row in as_csv(county_inspector)]
    assert sorted(names) == sorted(f"'{name}" for name in FORMULAS)


def test_names_that_look_like_formulas_are_text_in_excel(county_inspector: Person, tmp_path: Path) -> None:
    for number, name in enumerate(FORMULAS):
        submit(county_inspector, production(uscc=uscc(number), org_name=name))
    path = tmp_path / "x.xlsx"
    names = [row["企业名称"] for row in as_xlsx(county_inspector, path)]
    assert sorted(names) == sorted(FORMULAS)
    formulas = CalamineWorkbook.from_path(path)
    sheet = formulas.get_sheet_by_index(0)
    assert all(isinstance(cell, (str, date)) for row in sheet.to_python() for cell in row)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(county_inspector: Person) -> None:
    from zipfile import ZipFile

    submit(county_inspector, production(org_name=FORMULAS[0]))
    submit(county_inspector, production(org_name="http://example.com/", uscc=uscc(2)))
    answer = county_inspector.get("/inspections.xlsx")
    with ZipFile(io.BytesIO(answer.data)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"hyperlink" not in sheet


def test_a_code_of_eighteen_digits_stays_text_in_excel(county_inspector: Person, tmp_path: Path) -> None:
    from core.identifiers import make_uscc

    digits = next(code for code in (make_uscc(f"9132040010000{n:04}") for n in range(100)) if code.isdigit())
    submit(county_inspector, production(uscc=digits))
    cell = as_xlsx(county_inspector, tmp_path / "x.xlsx")[0][CODE]
    assert (type(cell), cell) == (str, digits)


def test_drafts_are_exported_too(county_inspector: Person, county_colleague: Person, tmp_path: Path) -> None:
    draft = save(county_inspector, {"kind": "production", "product_code": "06"})
    save(county_colleague)
    assert [row["记录编号"] for row in as_csv(county_inspector, "status=draft")] == [draft["id"]]
    row = as_xlsx(county_inspector, tmp_path / "x.xlsx", "status=draft")[0]
    assert (row["记录编号"], row["提交时间"], row[CODE]) == (draft["id"], "", "")


def test_spot_checks_have_columns_of_their_own(county_inspector: Person, tmp_path: Path) -> None:
    body = spot_check(production_date="2026-10-30", plan_name="2026年省级抽查", sample_qty="30.5")
    body["items"][0]["verdict"] = "fail"
    submit(county_inspector, body, noun="spot-checks")
    written = as_csv(county_inspector, "conclusion=fail", "spot-checks")[0]
    (row,) = as_xlsx(county_inspector, tmp_path / "x.xlsx", "conclusion=fail", "spot-checks")
    assert not {"无法检查", "发现问题", "检查日期", "处置状态"} & row.keys()
    assert {name: row[name] for name in (
        "抽样单编号", "抽查任务名称", "抽查领域", "企业名称", "抽到样品", "样品名称", "规格型号", "批号", "抽样人员",
        "抽样地点", "未抽到样原因", "检验结论",
    )} == {
        "抽样单编号": "CQ-0001", "抽查任务名称": "2026年省级抽查", "抽查领域": "生产",
        "企业名称": "常州某某电缆有限公司", "抽到样品": "是", "样品名称": "聚氯乙烯绝缘电缆", "规格型号": "BV 2.5",
        "批号": "20261101", "抽样人员": "甲、乙", "抽样地点": "成品仓库", "未抽到样原因": "", "检验结论": "不合格",
    }  # fmt: skip
    assert (row["检验项目"], row["不合格项目"]) == (
        "导体电阻：不合格（要求≤7.41，实测7.30）；绝缘厚度：合格",
        "导体电阻",
    )
    assert (row["抽样日期"], row["生产日期"]) == (date(2026, 11, 10), date(2026, 10, 30))
    assert (row["抽样数量"], row["抽样基数/批量"], row["抽样数量单位"]) == (30.5, 1000.0, "米")
    assert (written["抽样日期"], written["抽样数量"], written["批号"]) == ("2026-11-10", "30.5", "20261101")
    assert as_xlsx(county_inspector, tmp_path / "x.xlsx", "conclusion=pass", "spot-checks") == []


def test_a_refused_sample_says_why_there_is_none_and_nothing_about_checks(
    county_inspector: Person, tmp_path: Path
) -> None:
    kept = ("product_code", "field_kind", "uscc", "org_name", "org_address", "sampled_on", "samplers")
    body = {name: value for name, value in spot_check().items() if name in kept}
    submit(county_inspector, {**body, "no_sample_reason": "refused"}, noun="spot-checks")
    (row,) = as_xlsx(county_inspector, tmp_path / "x.xlsx", noun="spot-checks")
    assert (row["抽到样品"], row["未抽到样原因"], row["检验结论"], row["检验项目"]) == ("否", "拒绝抽样", "", "")
    assert "无法检查" not in row


def test_drafts_of_spot_checks_are_exported_as_far_as_they_are_filled(county_inspector: Person) -> None:
    save(county_inspector, {"product_code": "06", "sample_name": "电缆"}, noun="spot-checks")
    (row,) = as_csv(county_inspector, "status=draft", "spot-checks")
    assert (row["样品名称"], row["抽到样品"], row["抽样日期"], row["提交时间"]) == ("电缆", "", "", "")


def test_a_workbook_filters_by_its_heading_row(county_inspector: Person) -> None:
    from zipfile import ZipFile

    submit(county_inspector, production())
    for noun in ("inspections", "spot-checks"):
        with ZipFile(io.BytesIO(county_inspector.get(f"/{noun}.xlsx").data)) as package:
            sheet = package.read("xl/worksheets/sheet1.xml")
        assert b"<autoFilter " in sheet and b'state="frozen"' in sheet


def test_an_export_is_a_file_with_a_name(county_inspector: Person) -> None:
    for ending in ("csv", "xlsx"):
        answer = county_inspector.get(f"/inspections.{ending}")
        named = answer.headers["Content-Disposition"]
        assert named.startswith("attachment; ") and "filename*=UTF-8''" in named
        assert named.endswith(f"-20261121.{ending}")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_export_reads_every_chunk_once(
    county_inspector: Person, clock: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("core.database.paging.CHUNK", 3)
    for number in range(10):
        if number % 4 == 0:  # several at one instant, so that a chunk ends between equal times
            clock.shift(timedelta(seconds=1))
        submit(county_inspector, production(uscc=uscc(number), org_name=f"电缆{number}厂"))
    for query in ("", urlencode({"q": "电缆"})):
        ids = listed(county_inspector, query)
        assert len(ids) == 10
        assert [row["记录编号"] for row in as_csv(county_inspector, query)] == ids
        assert [row["记录编号"] for row in as_xlsx(county_inspector, tmp_path / "x.xlsx", query)] == ids


def test_too_many_rows_are_refused_before_anything_is_sent(
    county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.tables.exports.EXPORT_LIMIT", 2)
    for number in range(3):
        submit(county_inspector, production(uscc=uscc(number)))
    for ending in ("csv", "xlsx"):
        assert problem(county_inspector.get(f"/inspections.{ending}")) == (422, "export_too_large")
        assert county_inspector.get(f"/inspections.{ending}?unable=true").status_code == 200


def test_an_export_needs_a_token(county_inspector: Person) -> None:
    for ending in ("csv", "xlsx"):
        answer = county_inspector.client.get(f"/api/v1/inspections.{ending}?q={new_id()}")
        assert problem(answer) == (401, "unauthenticated")
