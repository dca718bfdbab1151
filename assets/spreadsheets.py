"""Tables that people open in Excel: reading .xlsx and .csv, writing both.

Excel keeps numbers as doubles, so a code of 18 digits that was typed into a cell of numbers has lost
its last digits by the time it is read: `has_lost_digits` tells, and the reader should be asked to
format the column as text. On the way out codes are text cells, and nothing becomes a formula.
"""

import csv
import io
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO

import xlsxwriter  # type: ignore[import-untyped]
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from assets.workbook_checks import SpreadsheetError, check_workbook
from core import clock

__all__ = [
    "SpreadsheetError",
    "cell_text",
    "has_lost_digits",
    "read_rows",
    "read_sheets",
    "write_csv",
    "write_xlsx",
]

MAX_BYTES = 50 * 1024 * 1024
_EXACT_DIGITS = 15
_MAX_CELL_TEXT = 32_767
_MAX_ROWS = 1_048_576
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CSV_BATCH = 64 * 1024


def read_rows(path: str | Path, sheet: str | None = None) -> Iterator[tuple[int, list[object]]]:
    """The rows of a sheet (the first visible one by default) with their numbers as Excel shows them.

    A cell is `str` (empty: `""`), `float`, `int`, `bool` or a date or time; in a .csv always `str`.
    `operator.length_hint` of the result tells how many rows there are. Raises SpreadsheetError,
    before the first row is given.
    """
    path = Path(path)
    if _checked_suffix(path) == ".csv":
        return iter(_csv_rows(path))
    with _open_workbook(path) as workbook:
        if sheet is None:
            name = _first_sheet(workbook)
        elif sheet in workbook.sheet_names:
            name = sheet
        else:
            raise SpreadsheetError(f"文件中没有名为“{sheet}”的工作表，请核对后重试")
        return _SheetRows(_load_sheet(workbook, name))


def read_sheets(path: str | Path) -> dict[str, list[list[object]]]:
    """All sheets with all their rows; the first list is row 1. A .csv is one sheet named as the file."""
    path = Path(path)
    if _checked_suffix(path) == ".csv":
        return {path.stem: [cells for _, cells in _csv_rows(path)]}
    with _open_workbook(path) as workbook:
        return {
            meta.name: [cells for _, cells in _SheetRows(_load_sheet(workbook, meta.name))]
            for meta in workbook.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
        }


def has_lost_digits(cell: object) -> bool:
    """Whether a cell is a number too long for Excel to have kept exactly (more than 15 digits)."""
    return isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) >= 10**_EXACT_DIGITS


def cell_text(cell: object) -> str:
    """A cell as one would type it: no blanks around it, whole numbers without `.0`, dates as 2026-11-20."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def _checked_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".xlsx", ".csv"):
        raise SpreadsheetError("不支持的文件格式，目前支持 .xlsx 和 .csv，请另存后重试")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SpreadsheetError(f"无法打开文件“{path.name}”，请检查文件是否存在、是否有读取权限") from error
    if size == 0:
        raise SpreadsheetError("文件是空的，请检查后重新选择文件")
    if size > MAX_BYTES:
        raise SpreadsheetError(f"文件不能超过{MAX_BYTES // 1024 // 1024}M，请拆分后分次导入")
    return suffix


def _csv_rows(path: Path) -> list[tuple[int, list[object]]]:
    content = path.read_bytes()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SpreadsheetError("文件内容是 Excel 工作簿而不是 CSV，请将扩展名改为 .xlsx 或另存为 CSV 后重试")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError as error:
            raise SpreadsheetError("无法识别文件的文字编码，请另存为“CSV UTF-8”格式后重试") from error
    if "\x00" in text:
        raise SpreadsheetError("文件不是文本格式的 CSV，请另存为“CSV UTF-8”格式后重试")
    try:
        reader = csv.reader(io.StringIO(text, newline=""))
        return [(number, list(cells)) for number, cells in enumerate(reader, start=1)]
    except csv.Error as error:
        raise SpreadsheetError("CSV 文件格式有误，请检查引号是否成对，或另存为 .xlsx 后重试") from error


def _open_workbook(path: Path) -> CalamineWorkbook:
    check_workbook(path)
    try:
        return CalamineWorkbook.from_path(path)
    except CalamineError as error:
        raise SpreadsheetError("无法读取该 Excel 文件，请用 Excel 或 WPS 打开并另存为 .xlsx 后重试") from error


def _first_sheet(workbook: CalamineWorkbook) -> str:
    sheets = [meta for meta in workbook.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    if not sheets:
        raise SpreadsheetError("文件中没有工作表，请检查后重新选择文件")
    visible = [meta for meta in sheets if meta.visible == SheetVisibleEnum.Visible]
    return (visible or sheets)[0].name


def _load_sheet(workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except CalamineError as error:
        raise SpreadsheetError(f"无法读取工作表“{name}”，请另存为新的 .xlsx 后重试") from error


class _SheetRows(Iterator[tuple[int, list[object]]]):
    """Numbered rows of a sheet; `operator.length_hint` tells how many there are."""

    def __init__(self, sheet: CalamineSheet) -> None:
        self._rows = enumerate(sheet.iter_rows(), start=1)
        self._total = sheet.end[0] + 1 if sheet.end else 0
        # iter_rows counts from row 1 but leaves out empty columns on the left.
        self._left: list[object] = [""] * (sheet.start[1] if sheet.start else 0)

    def __next__(self) -> tuple[int, list[object]]:
        number, cells = next(self._rows)
        return number, self._left + list(cells)

    def __length_hint__(self) -> int:
        return self._total


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """A .csv in UTF-8 with BOM, in pieces as the rows come.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; real numbers do not.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([_csv_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        if buffer.tell() >= _CSV_BATCH:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _csv_cell(cell: object) -> str:
    text = _shown(cell)
    return "'" + text if isinstance(cell, str) and text.startswith(_FORMULA_STARTS) else text


def _shown(cell: object) -> str:
    if isinstance(cell, str):
        return _SURROGATES.sub("\ufffd", cell)
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(clock.LOCAL)
    return cell_text(cell)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write: its name, its heading row, its rows."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


def write_xlsx(*sheets: Sheet) -> IO[bytes]:
    """A workbook as a temporary file that stands at its beginning.

    Text stays text, whatever it begins with; numbers of more than 15 digits become text. The file
    is removed when it is closed. Raises SpreadsheetError when there are more rows than a sheet holds.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller streams it and closes it
    try:
        workbook = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        for sheet in sheets:
            _write_sheet(workbook, sheet)
        workbook.close()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _write_sheet(workbook: xlsxwriter.Workbook, wanted: Sheet) -> None:
    sheet = workbook.add_worksheet(_sheet_name(wanted.title))
    heading = workbook.add_format({"bold": True, "num_format": "@", "bottom": 1})
    text = workbook.add_format({"num_format": "@"})
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(wanted.columns):
        sheet.set_column(index, index, min(max(2 * len(column) + 2, 14), 40))
        sheet.write_string(0, index, _shown(column), heading)
    _write_cells(wanted.rows, sheet.write_number, lambda y, x, shown: sheet.write_string(y, x, shown, text))


def _write_cells(
    rows: Iterable[Sequence[object]],
    write_number: Callable[[int, int, float], object],
    write_text: Callable[[int, int, str], object],
) -> None:
    for y, row in enumerate(rows, start=1):
        if y >= _MAX_ROWS:
            raise SpreadsheetError("导出的记录过多，请缩小筛选范围后重试")
        for x, cell in enumerate(row):
            if isinstance(cell, (int, float, Decimal)) and _fits_a_number_cell(cell):
                write_number(y, x, float(cell))
            elif shown := _shown(cell)[:_MAX_CELL_TEXT]:
                write_text(y, x, shown)


def _fits_a_number_cell(cell: float | Decimal) -> bool:
    if isinstance(cell, bool) or not math.isfinite(cell):
        return False
    if isinstance(cell, Decimal):
        return len(cell.as_tuple().digits) <= _EXACT_DIGITS
    return isinstance(cell, float) or abs(cell) < 10**_EXACT_DIGITS


def _sheet_name(title: str) -> str:
    name = _NOT_IN_SHEET_NAMES.sub(" ", _shown(title)).strip(" '")[:31].strip(" '")
    return "Sheet1" if not name or name.casefold() == "history" else name
