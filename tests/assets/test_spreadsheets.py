import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import length_hint
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from assets import spreadsheets
from assets.spreadsheets import (
    Sheet,
    SpreadsheetError,
    cell_text,
    has_lost_digits,
    read_rows,
    read_sheets,
    write_csv,
    write_xlsx,
)

CODE = "913204001234567890"


def workbook(path: Path, *sheets: tuple[str, Sequence[Sequence[object]]], top: int = 0, left: int = 0) -> Path:
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                sheet.write(top + y, left + x, cell)
    book.close()
    return path


def saved_xlsx(path: Path, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with write_xlsx(Sheet(title, columns, rows)) as file:
        path.write_bytes(file.read())
    return path


def csv_rows(pieces: Sequence[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


def test_row_numbers_and_columns_are_those_that_excel_shows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("名录", [["名称", "数量"], ["甲", 3]]), top=2, left=1)
    numbered = read_rows(path)
    assert length_hint(numbered) == 4
    rows = list(numbered)
    assert rows[2] == (3, ["", "名称", "数量"])
    assert rows[3] == (4, ["", "甲", 3.0])


def test_a_sheet_is_found_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("一", [["x"]]), ("二", [["y"]]))
    assert list(read_rows(path)) == [(1, ["x"])]
    assert list(read_rows(path, "二")) == [(1, ["y"])]
    with pytest.raises(SpreadsheetError, match="没有名为“三”的工作表"):
        read_rows(path, "三")


def test_all_sheets_are_read_in_their_order(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("一", [["x"]]), ("空", []), ("二", [["y"], ["z"]]))
    assert read_sheets(path) == {"一": [["x"]], "空": [], "二": [["y"], ["z"]]}
    assert list(read_sheets(path)) == ["一", "空", "二"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "名录.csv"
    path.write_bytes(f'企业名称,代码\r\n"甲,乙\n公司",{CODE}\r\n\r\n丙𬭊,1\r\n'.encode(encoding))
    assert list(read_rows(path)) == [
        (1, ["企业名称", "代码"]),
        (2, ["甲,乙\n公司", CODE]),
        (3, []),
        (4, ["丙𬭊", "1"]),
    ]
    assert list(read_sheets(path)) == ["名录"]


def test_a_code_of_18_digits_in_a_cell_of_numbers_has_lost_digits(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("a", [[int(CODE), CODE, 123456789012345]]))
    number, text, short = next(read_rows(path))[1]
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
        ("a.csv", b"\xff\xfea\x00,\x00b\x00", "CSV UTF-8"),
    ],
)
def test_an_unusable_file_is_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SpreadsheetError, match=told):
        read_rows(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpreadsheetError, match="无法打开文件"):
        read_rows(tmp_path / "none.csv")


def test_a_file_above_the_size_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", ("a", [["x"]]))
    monkeypatch.setattr(spreadsheets, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(SpreadsheetError, match="拆分"):
        read_rows(path)


def repacked(path: Path, extra: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in extra.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", ("a", [["x"]])), {"xl/bomb.xml": bytes(8 * 1024 * 1024)})
    with pytest.raises(SpreadsheetError, match="压缩比异常"):
        read_rows(path)


def test_a_workbook_of_too_many_members_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("a", [["x"]]))
    with pytest.raises(SpreadsheetError, match="内容过大"):
        read_rows(repacked(path, {f"xl/{number}.xml": b"x" for number in range(2_000)}))


def test_a_workbook_with_macros_is_refused(tmp_path: Path) -> None:
    path = repacked(workbook(tmp_path / "a.xlsx", ("a", [["x"]])), {"xl/vbaProject.bin": b"x"})
    with pytest.raises(SpreadsheetError, match="宏"):
        read_rows(path)


def test_another_kind_of_zip_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(SpreadsheetError, match="已损坏"):
        read_rows(path)


def test_two_cells_far_apart_do_not_exhaust_the_memory(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "x")
    sheet.write(1_048_575, 16_383, "y")
    book.close()
    with pytest.raises(SpreadsheetError, match="有效区域过大"):
        read_rows(tmp_path / "a.xlsx")


@pytest.mark.parametrize("start", list("=+-@\t\r＝＋－＠"))
def test_a_csv_cell_never_begins_like_a_formula(start: str) -> None:
    rows = csv_rows(list(write_csv(["名称"], [[f"{start}cmd|' /C calc'!A0"]])))
    assert rows[1] == [f"'{start}cmd|' /C calc'!A0"]


def test_a_csv_has_a_bom_and_keeps_numbers_dates_and_quotes() -> None:
    moment = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    row = [-5, Decimal("-1.50"), None, 'a"b,\nc', date(2026, 11, 20), moment, CODE, False]
    pieces = list(write_csv(["a"] * 8, [row]))
    assert pieces[0].startswith(b"\xef\xbb\xbf")
    assert csv_rows(pieces)[1] == [
        "-5", "-1.50", "", 'a"b,\nc', "2026-11-20", "2026-11-21 00:30:00", CODE, "否",
    ]  # fmt: skip


def test_a_long_csv_is_streamed_in_pieces() -> None:
    taken = 0

    def rows() -> object:
        nonlocal taken
        for number in range(20_000):
            taken = number
            yield [f"企业{number}"]

    pieces = write_csv(["名称"], rows())  # type: ignore[arg-type]
    first = next(pieces)
    assert taken < 19_999
    assert len(csv_rows([first, *pieces])) == 20_001


def test_a_workbook_keeps_formulas_links_and_long_numbers_as_text(tmp_path: Path) -> None:
    typed = ["=1+1", "https://example.com", CODE, int(CODE), "@x", "＝A1", "007"]
    path = saved_xlsx(tmp_path / "a.xlsx", "企业名录", ["a"] * 7, [typed])
    assert read_sheets(path)["企业名录"][1] == [
        "=1+1",
        "https://example.com",
        CODE,
        CODE,
        "@x",
        "＝A1",
        "007",
    ]
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml and b"hyperlink" not in xml


def test_a_workbook_keeps_numbers_and_writes_the_rest_as_shown(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    row = [7, 0.25, Decimal("12.50"), True, None, moment, float("nan"), "\ud800a\x00b"]
    path = saved_xlsx(tmp_path / "a.xlsx", "a", ["a"] * 8, [row])
    cells = read_sheets(path)["a"][1]
    assert cells[:6] == [7.0, 0.25, 12.5, "是", "", "2026-11-21 00:30:00"]
    assert cells[6] == "nan"
    assert str(cells[7]).startswith("\ufffda")


@pytest.mark.parametrize(
    ("title", "name"),
    [("a/b:[c]", "a b  c"), ("'", "Sheet1"), ("History", "Sheet1"), ("企" * 40, "企" * 31), ("", "Sheet1")],
)
def test_any_title_becomes_a_sheet_name(tmp_path: Path, title: str, name: str) -> None:
    assert list(read_sheets(saved_xlsx(tmp_path / "a.xlsx", title, ["a"], []))) == [name]


def test_a_written_workbook_can_be_read_back(tmp_path: Path) -> None:
    path = saved_xlsx(tmp_path / "a.xlsx", "名录", ["名称", "代码"], [["甲", CODE], ["乙", ""]])
    assert list(read_rows(path)) == [(1, ["名称", "代码"]), (2, ["甲", CODE]), (3, ["乙", ""])]
