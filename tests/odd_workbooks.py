"""Workbooks as clerks make them: merged cells, titles, formulas with errors, hidden rows, dates that are numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with the value it shows: an error such as `#N/A`, or "" if it was never calculated."""

    text: str
    shown: object


NOT_FOUND = Formula("=VLOOKUP(1,Z:Z,1,FALSE)", "#N/A")
LOST_REFERENCE = Formula("=#REF!", "#REF!")
NEVER_CALCULATED = Formula('=A1&"x"', "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to make: rows of cells from A1 on; merged ranges such as `C3:C6` keep the value of their first cell."""

    rows: Sequence[Sequence[object]]
    name: str = "Sheet1"
    merged: Iterable[str] = ()
    hidden_rows: Iterable[int] = ()
    hidden_columns: Iterable[str] = ()
    is_hidden: bool = False


def workbook(path: Path, *sheets: Sheet, options: Mapping[str, object] | None = None) -> Path:
    """Write the workbook; days are formatted as days, so write their number for an unformatted one."""
    settings = {"strings_to_formulas": False, "strings_to_numbers": False, **(options or {})}
    with xlsxwriter.Workbook(str(path), settings) as book:
        day = book.add_format({"num_format": "yyyy/m/d"})
        for wanted in sheets:
            sheet = book.add_worksheet(wanted.name)
            for area in wanted.merged:
                sheet.merge_range(area, "")
            for y, row in enumerate(wanted.rows):
                for x, cell in enumerate(row):
                    if isinstance(cell, Formula):
                        sheet.write_formula(y, x, cell.text, None, cell.shown)
                    elif isinstance(cell, date):
                        sheet.write_datetime(y, x, cell, day)
                    elif cell not in ("", None):
                        sheet.write(y, x, cell)
            for number in wanted.hidden_rows:
                sheet.set_row(number - 1, None, None, {"hidden": True})
            for letter in wanted.hidden_columns:
                sheet.set_column(f"{letter}:{letter}", None, None, {"hidden": True})
            if wanted.is_hidden:
                sheet.hide()
    return path
