"""Writing tables that are opened in Excel: .xlsx and .csv.

Codes are text cells, days and quantities are what they are, and nothing becomes a formula.
"""

import csv
import io
import math
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter  # type: ignore[import-untyped]

from assets.tables.cells import cell_text
from assets.tables.delimited import FORMULA_STARTS
from assets.tables.workbook_checks import SpreadsheetError
from core import clock

_EXACT_DIGITS = 15
_FIRST_YEAR = 1900
_NARROWEST, _WIDEST = 8, 40
# Columns are as wide as the first rows need: a long export is written row by row and never held as a whole.
_MEASURED_ROWS = 200
_MAX_CELL_TEXT = 32_767
_MAX_ROWS = 1_048_576
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_CSV_BATCH = 64 * 1024


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
    return "'" + text if isinstance(cell, str) and text.startswith(FORMULA_STARTS) else text


class Percent(float):
    """A share of 1 that is shown in per cent."""

    __slots__ = ()


def figure_cell(value: float | None, *, rate: bool) -> object:
    """A figure of statistics as a cell: a rate in per cent, “–” where there is no value."""
    if value is None:
        return "–"
    return Percent(value) if rate else value


def _shown(cell: object) -> str:
    if isinstance(cell, str):
        return _SURROGATES.sub("\ufffd", cell)
    if isinstance(cell, Percent):
        return f"{cell:.2%}"
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(clock.LOCAL)
    return cell_text(cell)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write: its name, its heading row, its rows; `as_text`: cells that people fill in are text too."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    as_text: bool = False


def write_xlsx(*sheets: Sheet) -> IO[bytes]:
    """A workbook as a temporary file that stands at its beginning.

    Dates, times and numbers are cells of their own kinds, times in local time; text stays text, whatever it begins
    with; numbers of more than 15 digits become text. The heading row stays in sight and filters. The file is
    removed when it is closed. Raises SpreadsheetError when there are more rows than a sheet holds.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller streams it and closes it
    try:
        workbook = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        formats = _Formats(workbook)
        for sheet in sheets:
            _write_sheet(workbook.add_worksheet(_sheet_name(sheet.title)), formats, sheet)
        workbook.close()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


class _Formats:
    def __init__(self, workbook: Any) -> None:
        self.heading = workbook.add_format({"bold": True, "num_format": "@", "bottom": 1})
        self.text = workbook.add_format({"num_format": "@"})
        self.day = workbook.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self.percent = workbook.add_format({"num_format": "0.00%"})


def _write_sheet(sheet: Any, formats: _Formats, wanted: Sheet) -> None:
    sheet.freeze_panes(1, 0)
    widths = [_width(column) + 2 for column in wanted.columns]  # the button of the filter
    for x, column in enumerate(wanted.columns):
        sheet.write_string(0, x, _shown(column), formats.heading)
    y = 0
    for y, row in enumerate(wanted.rows, start=1):
        if y >= _MAX_ROWS:
            raise SpreadsheetError("导出的记录过多，请缩小筛选范围后重试")
        for x, cell in enumerate(row):
            _write_cell(sheet, formats, y, x, cell)
        if y <= _MEASURED_ROWS:
            widths = [max(width, _width(_shown(cell))) for width, cell in zip(widths, row, strict=True)]
    sheet.autofilter(0, 0, y, len(wanted.columns) - 1)
    for x, width in enumerate(widths):
        kind = formats.text if wanted.as_text else None
        sheet.set_column(x, x, min(max(width + 1, _NARROWEST), _WIDEST), kind)


def _write_cell(sheet: Any, formats: _Formats, y: int, x: int, cell: object) -> None:
    if isinstance(cell, (int, float, Decimal)) and _fits_a_number_cell(cell):
        sheet.write_number(y, x, float(cell), formats.percent if isinstance(cell, Percent) else None)
    elif isinstance(cell, date) and cell.year >= _FIRST_YEAR:
        if isinstance(cell, datetime):
            moment = cell.astimezone(clock.LOCAL).replace(tzinfo=None) if cell.tzinfo else cell
            sheet.write_datetime(y, x, moment.replace(microsecond=0), formats.moment)
        else:
            sheet.write_datetime(y, x, cell, formats.day)
    elif shown := _shown(cell)[:_MAX_CELL_TEXT]:
        sheet.write_string(y, x, shown, formats.text)


def _width(shown: str) -> int:
    """How many narrow characters the longest line takes; Chinese ones are twice as wide."""
    return max(
        (sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line) for line in shown.splitlines()),
        default=0,
    )


def _fits_a_number_cell(cell: float | Decimal) -> bool:
    if isinstance(cell, bool) or not math.isfinite(cell):
        return False
    if isinstance(cell, Decimal):
        return len(cell.as_tuple().digits) <= _EXACT_DIGITS
    return isinstance(cell, float) or abs(cell) < 10**_EXACT_DIGITS


def _sheet_name(title: str) -> str:
    name = _NOT_IN_SHEET_NAMES.sub(" ", _shown(title)).strip(" '")[:31].strip(" '")
    return "Sheet1" if not name or name.casefold() == "history" else name
