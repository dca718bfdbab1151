"""Registers as clerks send them: nothing stored is lost or misread, and what would change is shown first."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, update

from accounts.models import Region, RegionLevel
from accounts.regions.loading import RegionRow, load_regions
from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import write_csv
from core import clock
from core.db import Database
from enterprise.commands import enterprises
from enterprise.filings.operations import follow_enterprise
from enterprise.imports import register_import
from enterprise.imports.table_import import ImportReport
from enterprise.models import Enterprise, EnterpriseProduct
from tests.odd_workbooks import LOST_REFERENCE, NEVER_CALCULATED, NOT_FOUND, Formula, Sheet, workbook

open_register = partial(register_import.open_register, on_move=follow_enterprise)

HEADINGS = ["统一社会信用代码", "企业名称", "行政区划代码", "住所", "法定代表人", "企业规模", "产品类别"]
CODES = ["91320400MA1TEX0012", "91500105MA5TEX017C", "91110000MA0TEX0267"]
NAMES = ["常州某某电缆有限公司", "乙电线厂", "丙电器有限公司"]
ROWS = [
    [code, name, "320402", f"某路{number}号", "张三", "小型", "06"]
    for number, (code, name) in enumerate(zip(CODES, NAMES, strict=True), start=1)
]


@pytest.fixture
def register(register_db: Database, tmp_path: Path) -> Database:
    """Three enterprises with all their columns, imported."""
    open_register(register_db, workbook(tmp_path / "before.xlsx", Sheet([HEADINGS, *ROWS]))).apply()
    return register_db


def book(tmp_path: Path, rows: Sequence[Sequence[object]], **marks: object) -> Path:
    return workbook(tmp_path / "名录.xlsx", Sheet(rows, **marks))  # type: ignore[arg-type]


def load(database: Database, path: Path) -> ImportReport:
    return open_register(database, path).apply()


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


def stored(database: Database) -> dict[str, Enterprise]:
    with database.read() as session:
        return {one.uscc: one for one in session.scalars(select(Enterprise))}


def contents(database: Database) -> list[tuple[object, ...]]:
    """All that an import may change, and the products that count as planned."""
    with database.read() as session:
        rows = session.execute(
            select(Enterprise.uscc, Enterprise.name, Enterprise.region_code, Enterprise.address,
                   Enterprise.legal_representative, Enterprise.scale).order_by(Enterprise.uscc)
        ).all()  # fmt: skip
        products = session.execute(select(EnterpriseProduct.enterprise_id, EnterpriseProduct.product_code)).all()
    return [*map(tuple, rows), len(products)]


def changed(row: list[object], **cells: object) -> list[object]:
    place = {"code": 0, "name": 1, "region": 2, "address": 3, "person": 4, "scale": 5, "products": 6}
    row = list(row)
    for field, cell in cells.items():
        row[place[field]] = cell
    return row


def test_an_address_merged_over_several_rows_is_the_address_of_each(register: Database, tmp_path: Path) -> None:
    rows = [HEADINGS, *(changed(row, address="新园区1号" if row is ROWS[0] else "") for row in ROWS)]
    assert counts(load(register, book(tmp_path, rows, merged=["D2:D4"]))) == (0, 3, 0, 0)
    assert {one.address for one in stored(register).values()} == {"新园区1号"}


@pytest.mark.parametrize("error", [NOT_FOUND, LOST_REFERENCE, NEVER_CALCULATED, "#N/A", "#DIV/0!"])
def test_an_error_clears_nothing_and_is_refused_with_its_place(
    register: Database, tmp_path: Path, error: object
) -> None:
    before = contents(register)
    rows = [HEADINGS, ROWS[0], changed(ROWS[1], address=error, products=error), ROWS[2]]
    report = load(register, book(tmp_path, rows))
    assert counts(report) == (0, 0, 2, 1)
    assert [(one.row, one.letter, one.column) for one in report.refusals] == [(3, "D", "住所"), (3, "G", "产品类别")]
    assert all("公式" in one.reason and "第3行" in one.reason for one in report.refusals)
    assert contents(register) == before


def test_an_empty_cell_of_any_column_clears_nothing(register: Database, tmp_path: Path) -> None:
    before = contents(register)
    rows = [HEADINGS, *([code, name, "320402", "", " ", None, "\u200b"] for code, name, *_ in ROWS)]
    report = load(register, book(tmp_path, rows))
    assert (counts(report), contents(register)) == ((0, 0, 3, 0), before)


def test_one_word_clears_and_not_where_something_must_stand(register: Database, tmp_path: Path) -> None:
    cleared = changed(ROWS[0], address="清空", person="清空", scale=" 清空 ", products="清空")
    report = load(register, book(tmp_path, [HEADINGS, cleared, changed(ROWS[1], name="清空", region="清空")]))
    assert counts(report) == (0, 1, 0, 1)
    assert ["不能清空" in one.reason for one in report.refusals] == [True, True]
    one = stored(register)[CODES[0]]
    assert (one.address, one.legal_representative, one.scale, one.product_codes) == (None, None, None, [])


@pytest.mark.parametrize("word", ["清\u3000空", "“清空”", "(清空)", "（清空）", "【清 空】", '"清空"'])
def test_the_word_clears_also_in_quotes_in_brackets_or_with_blanks(
    register: Database, tmp_path: Path, word: str
) -> None:
    rows = [HEADINGS, changed(ROWS[0], address=word, person=word), changed(ROWS[1], name=word)]
    report = load(register, book(tmp_path, rows))
    assert (counts(report), "不能清空" in report.refusals[0].reason) == ((0, 1, 0, 1), True)
    one = stored(register)[CODES[0]]
    assert (one.address, one.legal_representative) == (None, None)


def test_a_name_that_only_holds_the_word_is_a_name(register: Database, tmp_path: Path) -> None:
    assert counts(load(register, book(tmp_path, [HEADINGS, changed(ROWS[0], address="清空路1号")]))) == (0, 1, 0, 0)
    assert stored(register)[CODES[0]].address == "清空路1号"


@pytest.mark.parametrize(
    "text",
    ["1月5日", "2026年1月", "5-Jan", "Jan-26", "5-Jan-26", "1.23E+10", "TRUE", "false", "N/A", "null", "NULL", True],
)
def test_what_a_spreadsheet_made_of_a_name_is_no_name(register: Database, tmp_path: Path, text: object) -> None:
    before = contents(register)
    rows = [HEADINGS, changed(ROWS[0], name=text), changed(ROWS[1], person=text), changed(ROWS[2], address=text)]
    report = load(register, book(tmp_path, rows))
    assert [(one.row, one.letter) for one in report.refusals] == [(2, "B"), (3, "E"), (4, "D")]
    assert contents(register) == before


@pytest.mark.parametrize("name", ["1月5日广场商店", "Jan-Erik 26", "May", "E路10号", "TRUE商贸有限公司"])
def test_a_name_that_only_looks_like_one_is_taken(register: Database, tmp_path: Path, name: str) -> None:
    assert counts(load(register, book(tmp_path, [HEADINGS, changed(ROWS[0], name=name, person=name)]))) == (0, 1, 0, 0)


def test_cells_merged_across_columns_are_refused_with_their_place(register: Database, tmp_path: Path) -> None:
    before = contents(register)
    rows = [HEADINGS, ROWS[0], changed(ROWS[1], person=""), ROWS[2]]
    report = load(register, book(tmp_path, rows, merged=["D3:E3"]))
    assert counts(report) == (0, 0, 2, 1)
    (refusal,) = report.refusals
    assert (refusal.row, refusal.letter, refusal.column) == (3, "E", "法定代表人")
    assert "与左侧D列的单元格合并" in refusal.reason
    assert contents(register) == before


def test_what_would_change_is_told_and_nothing_is_written(register: Database, tmp_path: Path) -> None:
    before = contents(register)
    moved, cleared = (
        changed(ROWS[0], region="320404", scale="中型"),
        changed(ROWS[1], address="清空", products="05、06"),
    )
    rows = [HEADINGS, moved, cleared, ROWS[2], ["91320400MA1TEX0039", "丁厂", "320402", "", "", "", ""]]
    report = open_register(register, book(tmp_path, rows)).preview()
    assert (counts(report)[1:3], report.changed) == ((2, 1), 4)
    assert [(one.row, one.letter, one.column, one.old, one.new) for one in report.changes] == [
        (2, "C", "行政区划代码", "320402 天宁区", "320404 钟楼区"),
        (2, "F", "企业规模", "小型", "中型"),
        (3, "D", "住所", "某路2号", ""),
        (3, "G", "产品类别", "06 电线电缆", "05 水泥、06 电线电缆"),
    ]
    assert contents(register) == before


def test_what_was_shown_is_what_is_done(register: Database, tmp_path: Path) -> None:
    opened = open_register(
        register, book(tmp_path, [HEADINGS, changed(ROWS[0], address="甲路"), changed(ROWS[1], name=5)])
    )
    shown = opened.preview()
    assert opened.apply() == shown
    assert stored(register)[CODES[0]].address == "甲路"


def test_the_table_may_stand_on_the_second_sheet_below_its_titles(register_db: Database, tmp_path: Path) -> None:
    cover = Sheet([["关于报送企业名录的说明"], ["请于月底前报送"]], "说明")
    table = Sheet([["2026年企业名录"], ["填报单位：天宁区局"], [], HEADINGS, *ROWS], "名录", merged=["A1:G1"])
    assert counts(load(register_db, workbook(tmp_path / "a.xlsx", cover, table))) == (3, 0, 0, 0)


def test_of_two_sheets_with_the_headings_one_must_be_named(register_db: Database, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([HEADINGS, ROWS[0]], "天宁"), Sheet([HEADINGS, ROWS[1]], "钟楼"))
    with pytest.raises(SpreadsheetError, match="“天宁”、“钟楼”"):
        open_register(register_db, path)
    assert counts(open_register(register_db, path, sheet="钟楼").apply()) == (1, 0, 0, 0)
    assert list(stored(register_db)) == [CODES[1]]
    with pytest.raises(SpreadsheetError, match="没有名为“新北”的工作表"):
        open_register(register_db, path, sheet="新北")


def test_headings_over_two_rows_are_found(register_db: Database, tmp_path: Path) -> None:
    above = [*HEADINGS[:3], "地址", "", *HEADINGS[4:]]
    below = ["", "", "", "住所", "生产地址", "", "", ""]
    row = [*ROWS[0][:4], "厂区路9号", *ROWS[0][4:]]
    merged = [*(f"{letter}2:{letter}3" for letter in "ABCFGH"), "D2:E2", "A1:H1"]
    path = book(tmp_path, [["名录"], above, below, row], merged=merged)
    assert counts(load(register_db, path)) == (1, 0, 0, 0)
    one = stored(register_db)[CODES[0]]
    assert (one.address, one.production_address, one.legal_representative) == ("某路1号", "厂区路9号", "张三")


def test_headings_with_blanks_marks_and_other_words_are_known(register_db: Database, tmp_path: Path) -> None:
    headings = [
        " 统一社会\n信用代码*",
        "企业　全称：",
        "所属区县（必填）",
        "注册\u200b地址",
        "法人代表",
        "规模",
        "重点产品",
    ]
    assert counts(load(register_db, book(tmp_path, [headings, *ROWS]))) == (3, 0, 0, 0)
    assert stored(register_db)[CODES[0]].address == "某路1号"


def test_totals_notes_and_headings_on_every_page_are_passed_over_and_told(
    register_db: Database, tmp_path: Path
) -> None:
    rows = [
        ["序号", *HEADINGS], [1, *ROWS[0]], ["一、钟楼区企业"], ["小计", "", "1家"], ["序号", *HEADINGS], [2, *ROWS[1]],
        ["合 计", "2家", "", "", "", "", 2], ["填表人：张三", "", "", "审核人：李四"], ["注：本表一式两份"],
    ]  # fmt: skip
    report = load(register_db, book(tmp_path, rows, merged=["A3:H3", "A4:B4"]))
    assert counts(report) == (2, 0, 0, 0)
    assert [number for number, _ in report.skipped] == [3, 4, 5, 7, 8]


def test_an_enterprise_whose_name_begins_like_a_total_is_no_total(register_db: Database, tmp_path: Path) -> None:
    rows = [HEADINGS, changed(ROWS[0], name="合计科技有限公司"), changed(ROWS[1], code="", name="合计科技二厂")]
    report = load(register_db, book(tmp_path, rows))
    assert (counts(report), report.skipped) == ((1, 0, 0, 1), [])


@pytest.mark.parametrize(
    "cell", [date(2026, 1, 5), 46027, 3.14, True, "2026-01-05", "2026年1月5日", "46027", "……", "—"]
)
@pytest.mark.parametrize(("field", "letter"), [("name", "B"), ("address", "D"), ("person", "E")])
def test_a_day_or_a_number_is_no_name(
    register: Database, tmp_path: Path, cell: object, field: str, letter: str
) -> None:
    before = contents(register)
    report = load(register, book(tmp_path, [HEADINGS, changed(ROWS[0], **{field: cell})]))
    assert (counts(report), [one.letter for one in report.refusals]) == ((0, 0, 0, 1), [letter])
    assert contents(register) == before


def test_all_faults_of_a_row_come_at_once_with_their_letters(register: Database, tmp_path: Path) -> None:
    faulty = [int("913204001234567890"), 7, "999999", NOT_FOUND, date(2026, 1, 5), "巨型", "飞船"]
    report = load(register, book(tmp_path, [HEADINGS, faulty]))
    assert [one.letter for one in report.refusals] == list("ABCDEFG")
    assert (report.refused, len(report.refusals)) == (1, 7)


def test_hidden_rows_and_columns_are_read_and_told(register_db: Database, tmp_path: Path) -> None:
    path = book(tmp_path, [HEADINGS, *ROWS], hidden_rows=[3], hidden_columns=["D", "K"])
    report = load(register_db, path)
    assert counts(report) == (3, 0, 0, 0)
    assert (report.hidden_rows, report.hidden_columns) == ([3], ["住所"])


def test_a_formula_counts_with_the_value_that_it_shows(register_db: Database, tmp_path: Path) -> None:
    load(register_db, book(tmp_path, [HEADINGS, changed(ROWS[0], address=Formula('="某路"&7&"号"', "某路7号"))]))
    assert stored(register_db)[CODES[0]].address == "某路7号"


def test_an_abolished_region_is_refused_and_a_recoded_one_names_its_new_code(
    register_db: Database, tmp_path: Path
) -> None:
    yesterday = clock.today() - timedelta(days=1)
    with register_db.write() as session:
        load_regions(session, [
            RegionRow("320405", "戚墅堰区", RegionLevel.COUNTY, "320400", yesterday),
            RegionRow("320403", "天宁区", RegionLevel.COUNTY, "320400", yesterday),
            RegionRow("320411", "明年撤销区", RegionLevel.COUNTY, "320400", clock.today() + timedelta(days=1)),
        ], complete=False)  # fmt: skip
    regions = ["320405", "常州市戚墅堰区", "320403", "320411", "天宁区"]
    rows = [changed(ROWS[at], region=text) for at, text in zip((0, 0, 1, 2, 1), regions, strict=True)]
    report = load(register_db, book(tmp_path, [HEADINGS, *rows]))
    assert counts(report) == (2, 0, 0, 3)
    day = f"{yesterday:%Y年%-m月%-d日}"
    assert [one.reason for one in report.refusals] == [
        f"第2行C列：“320405 戚墅堰区”自{day}起已撤销，请核对后填写现在的6位区县代码",
        f"第3行C列：“320405 戚墅堰区”自{day}起已撤销，请核对后填写现在的6位区县代码",
        f"第4行C列：“320403 天宁区”自{day}起已改为“320402 天宁区”，请改填新代码",
    ]
    assert stored(register_db)[CODES[1]].region_code == "320402"


def test_a_county_without_superior_regions_left_is_no_wide_one(register_db: Database, tmp_path: Path) -> None:
    with register_db.write() as session:
        session.execute(update(Region).where(Region.parent_code == "320400").values(valid_to=clock.today()))
    assert counts(load(register_db, book(tmp_path, [HEADINGS, changed(ROWS[0], region="320400")]))) == (1, 0, 0, 0)


def test_a_semicolon_csv_in_gb18030_is_imported(register_db: Database, tmp_path: Path) -> None:
    path = tmp_path / "名录.csv"
    path.write_bytes("\r\n".join(";".join(map(str, row)) for row in [HEADINGS, *ROWS]).encode("gb18030"))
    assert counts(load(register_db, path)) == (3, 0, 0, 0)


def test_a_register_that_we_wrote_goes_in_unchanged(register: Database, tmp_path: Path) -> None:
    rows = [changed(ROWS[0], name="-电缆厂", address="=某路"), *ROWS[1:]]
    load(register, book(tmp_path, [HEADINGS, *rows]))
    path = tmp_path / "out.csv"
    path.write_bytes(b"".join(write_csv(HEADINGS, rows)))
    assert counts(load(register, path)) == (0, 0, 3, 0)


def run(database: Database, *arguments: str | Path, typed: str | None = None) -> Result:
    obj = SimpleNamespace(database=database)
    return CliRunner().invoke(enterprises, ["import", *map(str, arguments)], obj=obj, input=typed)


def test_the_command_shows_changes_and_asks_before_it_writes(register: Database, tmp_path: Path) -> None:
    before = contents(register)
    path = book(tmp_path, [HEADINGS, changed(ROWS[0], address="甲路"), changed(ROWS[1], person="清空")])
    for typed in ("n\n", None):
        result = run(register, path, typed=typed)
        assert (result.exit_code, contents(register)) == (3, before)
        assert "第2行D列 [住所] 某路1号 → 甲路" in result.stdout
        assert "第3行E列 [法定代表人] 张三 → （清空）" in result.stdout
        assert "将更改" in result.stdout and "2处" in result.stdout and "未写入" in result.stderr
    assert run(register, path, typed="y\n").exit_code == 0
    assert stored(register)[CODES[0]].address == "甲路"
    assert run(register, path).exit_code == 0  # nothing more to change, so nothing to ask


def test_a_dry_run_writes_nothing_and_reports_every_change_and_fault(register: Database, tmp_path: Path) -> None:
    before, report = contents(register), tmp_path / "report.csv"
    path = book(tmp_path, [HEADINGS, changed(ROWS[0], address="甲路"), changed(ROWS[1], scale="巨型")])
    result = run(register, path, "--dry-run", "--yes", "--report", report)
    assert (result.exit_code, contents(register)) == (1, before)
    assert "试运行" in result.stdout and "更新1" in result.stdout and "未导入1" in result.stdout
    lines = report.read_text("utf-8-sig").splitlines()
    assert lines[1:] == [
        "2,D,住所,更改,某路1号,甲路,",
        f"3,F,企业规模,未导入,,巨型,{lines[2].rpartition(',')[2]}",
    ]


def test_yes_answers_the_question(register: Database, tmp_path: Path) -> None:
    assert run(register, book(tmp_path, [HEADINGS, changed(ROWS[0], address="甲路")]), "--yes").exit_code == 0
    assert stored(register)[CODES[0]].address == "甲路"


def test_new_enterprises_alone_are_not_asked_about(register_db: Database, tmp_path: Path) -> None:
    assert run(register_db, book(tmp_path, [HEADINGS, *ROWS])).exit_code == 0
    assert len(stored(register_db)) == 3
