"""Sheets as people make them, read as they are meant; files that are none are refused."""

import re
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from assets.tables import reading
from assets.tables.cells import SINCE_1904, AcrossCell, ErrorCell, cell_date, cell_text, column_letters, has_lost_digits
from assets.tables.reading import read_sheets, read_tables
from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import write_csv
from tests.odd_workbooks import LOST_REFERENCE, NEVER_CALCULATED, NOT_FOUND, Formula, Sheet, workbook

CODE = "913204001234567890"


def rows_of(path: Path, name: str | None = None) -> list[tuple[int, list[object]]]:
    return next(list(table.rows()) for table in read_tables(path) if name in (None, table.name))


def test_row_numbers_and_columns_are_those_that_excel_shows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([[], [], ["", "名称", "数量"], ["", "甲", 3]]))
    (table,) = read_tables(path)
    assert table.total == 4
    rows = list(table.rows())
    assert rows[2] == (3, ["", "名称", "数量"])
    assert rows[3] == (4, ["", "甲", 3.0])


def test_all_sheets_are_read_in_their_order(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]], "一"), Sheet([], "空"), Sheet([["y"], ["z"]], "二"))
    assert read_sheets(path) == {"一": [["x"]], "空": [], "二": [["y"], ["z"]]}
    assert list(read_sheets(path)) == ["一", "空", "二"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "名录.csv"
    path.write_bytes(f'企业名称,代码\r\n"甲,乙\n公司",{CODE}\r\n\r\n丙𬭊,1\r\n'.encode(encoding))
    assert rows_of(path) == [
        (1, ["企业名称", "代码"]),
        (2, ["甲,乙\n公司", CODE]),
        (3, []),
        (4, ["丙𬭊", "1"]),
    ]
    assert list(read_sheets(path)) == ["名录"]


def test_a_code_of_18_digits_in_a_cell_of_numbers_has_lost_digits(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([[int(CODE), CODE, 123456789012345]]))
    number, text, short = rows_of(path)[0][1]
    assert has_lost_digits(number)
    assert not has_lost_digits(text) and text == CODE
    assert not has_lost_digits(short)


def test_a_cell_becomes_the_text_that_one_would_type() -> None:
    assert [cell_text(cell) for cell in (6.0, 6.5, " 甲 ", None, True, date(2026, 11, 20))] == [
        "6", "6.5", "甲", "", "是", "2026-11-20",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xls", b"x", "目前支持 .xlsx 和 .csv"),
        ("a.xlsx", b"", "空的"),
        ("a.xlsx", b"PK\x03\x04 broken", "已损坏"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0 old or encrypted", "已加密或是旧版"),
        ("a.csv", b"PK\x03\x04 a workbook", "改为 .xlsx"),
        ("a.csv", b"a\x00,\x00b\x00", "CSV UTF-8"),
        ("a.csv", '甲,乙\n"丙,丁\n戊,己\n'.encode(), "第2行格式有误"),
    ],
)
def test_an_unusable_file_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SpreadsheetError, match=told):
        read_tables(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpreadsheetError, match="无法打开文件"):
        read_tables(tmp_path / "none.csv")


def test_a_file_above_the_size_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]]))
    monkeypatch.setattr(reading, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(SpreadsheetError, match="拆分"):
        read_tables(path)


def repacked(path: Path, extra: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in extra.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", Sheet([["x"]])), {"xl/bomb.xml": bytes(8 * 1024 * 1024)})
    with pytest.raises(SpreadsheetError, match="压缩比异常"):
        read_tables(path)


def test_a_workbook_of_too_many_members_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]]))
    with pytest.raises(SpreadsheetError, match="内容过大"):
        read_tables(repacked(path, {f"xl/{number}.xml": b"x" for number in range(2_000)}))


def test_a_workbook_with_macros_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", Sheet([["x"]])), {"xl/vbaProject.bin": b"x"})
    with pytest.raises(SpreadsheetError, match="宏"):
        read_tables(path)


def test_a_workbook_of_which_two_readers_see_two_files_is_damaged(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]]))
    with pytest.warns(UserWarning, match="Duplicate name"):
        repacked(path, {"xl/workbook.xml": b"<workbook/>"})
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_tables(path)


def test_another_kind_of_zip_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_tables(path)


def test_attributes_without_end_are_measured_in_time_with_their_length(tmp_path: Path) -> None:
    """120 kB took a minute; the pattern's time grew with the square of the length."""
    row = b"<row>" + b"<c " * 40_000 + b"</row>"
    path = rewritten(workbook(tmp_path / "a.xlsx", Sheet([["x"]])), b"<sheetData>", b"<sheetData>" + row)
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_tables(path)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "docProps/app.xml"]
)
def test_a_workbook_that_declares_a_document_type_is_refused(tmp_path: Path, part: str) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]]))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[part] = b'<!DOCTYPE x [<!ENTITY a "a">]>' + members[part].partition(b"?>")[2]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_tables(path)


def test_a_workbook_with_a_member_that_leads_out_of_it_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", Sheet([["x"]])), {"../../tmp/x": b"x"})
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_tables(path)


def test_a_sheet_is_measured_whatever_its_member_is_called_and_however_it_is_encoded(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]]))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members.pop("xl/worksheets/sheet1.xml").decode()
    wide = sheet.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
    members["xl/media/image1.png"] = wide.replace("UTF-8", "UTF-16").encode("utf-16")
    relations = members["xl/_rels/workbook.xml.rels"]
    members["xl/_rels/workbook.xml.rels"] = relations.replace(b"worksheets/sheet1.xml", b"media/image1.png")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(SpreadsheetError, match="有效区域过大"):
        read_tables(path)


def test_two_cells_far_apart_do_not_exhaust_the_memory(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "x")
    sheet.write(1_048_575, 16_383, "y")
    book.close()
    with pytest.raises(SpreadsheetError, match="有效区域过大"):
        read_tables(tmp_path / "a.xlsx")


def test_a_cell_merged_downwards_means_its_value_in_every_row(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["名称", "住所"], ["甲", "某路1号"], ["乙"], ["丙"]], merged=["B2:B4"]))
    assert [cells[1] for _, cells in rows_of(path)] == ["住所", "某路1号", "某路1号", "某路1号"]
    table = read_tables(path)[0]
    assert list(table.rows()) == list(table.rows())


def test_a_cell_merged_across_columns_is_known_as_one(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲", "乙", "丙"], ["x", "", "y"], ["", "", "z"]], merged=["A2:B3"]))
    rows = [cells for _, cells in rows_of(path)]
    assert rows[1:] == [["x", "A", "y"], ["x", "A", "z"]]
    assert [type(cell) for cell in rows[1]] == [str, AcrossCell, str]


def test_a_merged_range_beyond_what_is_filled_does_no_harm(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲"], ["乙"]], merged=["B2:C9", "A3:A1048576"]))
    assert [cells[0] for _, cells in rows_of(path)][:2] == ["甲", "乙"]


def test_merged_cells_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST_MERGED_CELLS", 5)
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲", "", "丁"], ["乙"], ["丙"]], merged=["A1:B3"]))
    with pytest.raises(SpreadsheetError, match="合并单元格过多"):
        rows_of(path)


def test_an_error_is_not_an_empty_cell(tmp_path: Path) -> None:
    given = [NOT_FOUND, LOST_REFERENCE, NEVER_CALCULATED, Formula("=1+1", 2), ""]
    cells = rows_of(workbook(tmp_path / "a.xlsx", Sheet([["a", "b", "c", "d", "e"], given])))[1][1]
    assert cells == ["#N/A", "#REF!", "", 2.0, ""]
    assert [isinstance(cell, ErrorCell) for cell in cells] == [True, True, True, False, False]


def test_the_marks_are_those_of_the_sheet_that_is_read(tmp_path: Path) -> None:
    shown = Sheet([["a"], ["b"], ["c"]], "乙<&>", hidden_rows=[2], hidden_columns=["A"])
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"], [NOT_FOUND]], "甲"), shown)
    first, second = read_tables(path)
    assert [table.name for table in (first, second)] == ["甲", "乙<&>"]
    assert [first.is_hidden_row(2), second.is_hidden_row(1), second.is_hidden_row(2)] == [False, False, True]
    assert (first.is_hidden_column(0), second.is_hidden_column(0)) == (False, True)
    assert [cells for _, cells in second.rows()] == [["a"], ["b"], ["c"]]


def test_a_hidden_sheet_is_not_read_while_another_is_shown(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["x"]], "甲"), Sheet([["y"]], "乙", is_hidden=True))
    assert [table.name for table in read_tables(path)] == ["甲"]


def test_days_without_a_format_count_from_the_year_of_the_workbook(tmp_path: Path) -> None:
    for since_1904 in (False, True):
        path = workbook(tmp_path / "a.xlsx", Sheet([[date(2026, 1, 5)]]), options={"date_1904": since_1904})
        with zipfile.ZipFile(path) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        (serial,) = (int(number) for number in re.findall("<v>([0-9]+)</v>", sheet))
        path = workbook(tmp_path / "b.xlsx", Sheet([[serial]]), options={"date_1904": since_1904})
        (table,) = read_tables(path)
        assert cell_date(next(table.rows())[1][0], table.dates_since) == date(2026, 1, 5)
        assert (table.dates_since == SINCE_1904) is since_1904


@pytest.mark.parametrize(
    "written",
    ["2026-1-5", "2026—01—05", "2026/01/05", "2026.1.5", "2026年1月5日", "20260105", "２０２６．１．５",
     " 2026 年 1 月 5 日 ", "46027", "2026/1/5 0:00", "2026-01-05 00:00:00", "2026-01-05T00:00:00",
     20260105.0, 46027.0, 46027.5, date(2026, 1, 5)],
)  # fmt: skip
def test_a_day_is_read_however_it_was_written(written: object) -> None:
    assert cell_date(written) == date(2026, 1, 5)


@pytest.mark.parametrize(
    "written", ["", "2026", "2026-1", "1/5/2026", "26.1.5", "2026-02-30", "长期", 12.0, "202601055", None]
)
def test_what_may_mean_several_days_or_none_is_no_day(written: object) -> None:
    assert cell_date(written) is None


def test_columns_have_the_letters_that_excel_shows() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    "content",
    [
        "名称;数量\r\n甲,乙;3\r\n".encode(),
        "名称\t数量\n甲,乙\t3\n".encode("utf-16"),
        b"\xfe\xff" + "名称\t数量\n甲,乙\t3\n".encode("utf-16-be"),
        '名称,数量\n"甲,乙",3\n'.encode("gb18030"),
        '\ufeff名称,数量\r\n"甲,乙",3'.encode(),
    ],
)
def test_a_csv_may_have_any_separator_and_encoding_that_excel_knows(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert [cells for _, cells in rows_of(path)] == [["名称", "数量"], ["甲,乙", "3"]]


def test_a_line_that_names_the_separator_keeps_the_numbers_of_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("sep=;\r\n名称;数量\r\n甲,乙;3\r\n".encode())
    assert rows_of(path) == [(1, []), (2, ["名称", "数量"]), (3, ["甲,乙", "3"])]


def test_the_apostrophe_of_our_own_csv_is_taken_off_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"".join(write_csv(["名称"], [["-电缆"], ["'甲'"], ["=1+1"]])))
    assert [cells for _, cells in rows_of(path)][1:] == [["-电缆"], ["'甲'"], ["=1+1"]]


def rewritten(path: Path, old: bytes, new: bytes) -> Path:
    """The workbook with its first sheet's XML changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = re.sub(old, new, members[sheet])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_formula_that_gives_an_empty_text_is_no_error(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲"], [NEVER_CALCULATED]]))
    cell = rows_of(rewritten(path, b'<c r="A2">', b'<c r="A2" t="str">'))[1][1][0]
    assert (cell, isinstance(cell, ErrorCell)) == ("", False)


def test_a_formula_without_any_value_is_found_also_where_cells_have_no_places(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲", "乙"], ["丙", NEVER_CALCULATED]]))
    path = rewritten(rewritten(path, b"<v></v>", b""), b' (r="[A-Z]*[0-9]+"|spans="[0-9:]*")', b"")
    assert [isinstance(cell, ErrorCell) for cell in rows_of(path)[1][1]] == [False, True]


def test_a_sheet_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet([["甲", NOT_FOUND]]))
    with pytest.raises(SpreadsheetError, match="另存为"):
        read_tables(rewritten(path, b'<row r="1"', b'<row r="eins"'))
