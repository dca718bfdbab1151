"""Reading and validating the cells of a row: empty cells are skipped, errors are faults, 清空 clears a field."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any

from assets.tables.cells import cell_date, cell_text, no_value
from core.text import clean_line, fold
from enterprise.imports.table_layout import TableLayout

CLEAR = "清空"
# Quotation marks and brackets that people copy from the help text.
_AROUND_CLEAR = "\"'“”‘’「」『』()[]【】〔〕《》〈〉"

# What a spreadsheet makes of names like 1-5, Jan-26 or 123E8; matched against folded text.
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_PART_OF_DATE = re.compile(
    rf"[0-9]{{1,2}}月[0-9]{{1,2}}日|[0-9]{{4}}年[0-9]{{1,2}}月|(?:[0-9]{{1,2}}-)?{_MONTH}-[0-9]{{2,4}}|[0-9]{{1,2}}-{_MONTH}"
)
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?e[+-]?[0-9]+")
_NO_WORDS = frozenset({"true", "false", "n/a", "null"})

Faults = dict[str, str]
"""Reasons why a row is refused, by field: Chinese sentences that say what to do."""


class CellFault(Exception):
    """A cell is refused; the text is a Chinese sentence that says what to do."""


def read_cells(
    layout: TableLayout, cells: Mapping[str, object], readers: Mapping[str, Callable[[object], Any]]
) -> tuple[dict[str, Any], Faults]:
    """The values that the readers return for the cells, and the faults, both by field.

    An empty cell of an optional field has no value here, so that the stored value is kept.
    """
    values: dict[str, Any] = {}
    faults: Faults = {}
    for name, cell in cells.items():
        try:
            if (message := no_value(cell)) is not None:
                raise CellFault(message)
            if fold(cell_text(cell)).strip(_AROUND_CLEAR) == CLEAR:
                if name not in layout.cleared:
                    raise CellFault(f"{layout.headings[name][0]}不能清空，请填写内容，或留空以保留原有内容")
                values[name] = layout.cleared[name]
            elif cell_text(cell) or name in layout.required:
                values[name] = readers[name](cell)
        except CellFault as fault:
            faults[name] = str(fault)
    return values, faults


def plain_text(cell: object, longest: int) -> str:
    """The text of a cell as one line. Raises CellFault when it is too long."""
    text = " ".join(clean_line(cell_text(cell)).split())
    if len(text) > longest:
        raise CellFault(f"不能超过{longest}个字，现为{len(text)}个字，请缩短")
    return text


def worded_text(cell: object, longest: int) -> str:
    """As `plain_text`, for a cell that holds words: CellFault for a number or a date (Excel turns 1-5 into a date)."""
    text = plain_text(cell, longest)
    folded = fold(text)
    if (
        isinstance(cell, (date, time, timedelta))
        or (text and cell_date(text) is not None)
        or _PART_OF_DATE.fullmatch(folded)
    ):
        raise CellFault(f"内容是日期“{text}”，请将单元格设置为“文本”格式后重新填写")
    if isinstance(cell, (int, float)) or _SCIENTIFIC.fullmatch(folded):
        raise CellFault(f"内容是数字“{text}”，请核对后重新填写")
    if folded in _NO_WORDS:
        raise CellFault(f"内容“{text}”不是文字内容，请核对后重新填写，或留空")
    return text


def name_text(cell: object, longest: int) -> str:
    """As `worded_text`, for a name or an address: CellFault unless it has a letter or a Chinese character."""
    text = worded_text(cell, longest)
    if text and not any(
        unicodedata.category(character).startswith("L") for character in unicodedata.normalize("NFKC", text)
    ):
        raise CellFault(f"内容“{text}”中没有文字，请核对后重新填写")
    return text
