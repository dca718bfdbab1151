import csv
import io
import re
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from assets.tables.reading import read_sheets, read_tables
from assets.tables.writing import Percent, Sheet, write_csv, write_xlsx

CODE = "913204001234567890"


def saved_xlsx(path: Path, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with write_xlsx(Sheet(title, columns, rows)) as file:
        path.write_bytes(file.read())
    return path


def csv_rows(pieces: Sequence[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


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
    assert cells[:6] == [7.0, 0.25, 12.5, "是", "", datetime(2026, 11, 21, 0, 30)]
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
    assert list(read_tables(path)[0].rows()) == [(1, ["名称", "代码"]), (2, ["甲", CODE]), (3, ["乙", ""])]


def test_days_times_and_shares_are_cells_of_their_own_kinds(tmp_path: Path) -> None:
    row = [date(2026, 11, 20), datetime(2026, 11, 20, 8, 30), Percent(0.12345), date(1899, 1, 1)]
    path = saved_xlsx(tmp_path / "a.xlsx", "a", ["a"] * 4, [row])
    assert read_sheets(path)["a"][1] == [date(2026, 11, 20), datetime(2026, 11, 20, 8, 30), 0.12345, "1899-01-01"]
    with zipfile.ZipFile(path) as archive:
        styles = archive.read("xl/styles.xml").decode()
    assert "0.00%" in styles or 'numFmtId="10"' in styles
    assert csv_rows(list(write_csv(["a"] * 3, [row[:3]])))[1] == ["2026-11-20", "2026-11-20 08:30:00", "12.35%"]


def test_the_heading_stays_in_sight_and_filters_and_columns_are_as_wide_as_what_they_hold(tmp_path: Path) -> None:
    rows = [["甲", "常州某某电缆有限公司" * 5, 1], ["乙", "短", 2]]
    path = saved_xlsx(tmp_path / "a.xlsx", "a", ["名", "名称", "数量"], rows)
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '<autoFilter ref="A1:C3"/>' in xml
    assert 'ySplit="1"' in xml and 'state="frozen"' in xml
    widths = [float(width) for width in re.findall('<col min="[0-9]+" max="[0-9]+" width="([0-9.]+)"', xml)]
    assert len(widths) == 3 and widths[1] == max(widths) and all(8 <= width <= 42 for width in widths)


def test_a_long_workbook_is_written_as_its_rows_come(tmp_path: Path) -> None:
    def rows() -> Iterator[list[object]]:
        for number in range(3_000):
            kept.append(weakref.ref(row := Row([f"企业{number}", date(2026, 1, 5), number])))
            yield row
            assert number < 10 or kept[number - 10]() is None

    class Row(list[object]):
        """A list that can be watched."""

    kept: list[weakref.ref[Row]] = []
    path = saved_xlsx(tmp_path / "a.xlsx", "a", ["名称", "日期", "数量"], rows())  # type: ignore[arg-type]
    assert len(read_sheets(path)["a"]) == 3_001
