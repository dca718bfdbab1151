"""How the cells of a row are judged: an empty cell says nothing, an error is a fault, one word clears (清空)."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from typing import Any

from assets.tables.cells import cell_date, cell_text, no_value
from core.text import clean_line
from enterprise.table_layout import TableLayout

CLEAR = "清空"

Faults = dict[str, str]
"""Why a row cannot be taken, by field; Chinese sentences that say what to do."""


class CellFault(Exception):
    """A cell cannot be taken; the text is a Chinese sentence that says what to do."""


def read_cells(
    layout: TableLayout, cells: Mapping[str, object], readers: Mapping[str, Callable[[object], Any]]
) -> tuple[dict[str, Any], Faults]:
    """What the readers make of the cells, and all faults, by field.

    An empty cell of a field that is not required is left out: what is stored stays as it is.
    """
    values: dict[str, Any] = {}
    faults: Faults = {}
    for name, cell in cells.items():
        try:
            if (message := no_value(cell)) is not None:
                raise CellFault(message)
            if cell_text(cell) == CLEAR:
                if name not in layout.cleared:
                    raise CellFault(f"{layout.headings[name][0]}不能清空，请填写内容，或留空以保留原有内容")
                values[name] = layout.cleared[name]
            elif cell_text(cell) or name in layout.required:
                values[name] = readers[name](cell)
        except CellFault as fault:
            faults[name] = str(fault)
    return values, faults


def plain_text(cell: object, longest: int) -> str:
    """The text of a cell in one line; CellFault when it is too long."""
    text = " ".join(clean_line(cell_text(cell)).split())
    if len(text) > longest:
        raise CellFault(f"不能超过{longest}个字，现为{len(text)}个字，请缩短")
    return text


def worded_text(cell: object, longest: int) -> str:
    """The same for a cell of words, such as a name: no number and no day, into which Excel turns text like 1-5."""
    text = plain_text(cell, longest)
    if isinstance(cell, (date, time, timedelta)) or (text and cell_date(text) is not None):
        raise CellFault(f"内容是日期“{text}”，请将单元格设置为“文本”格式后重新填写")
    if isinstance(cell, (int, float)):
        raise CellFault(f"内容是数字“{text}”，请核对后重新填写")
    return text


def name_text(cell: object, longest: int) -> str:
    """The same for a name or an address, which has at least one letter or Chinese character."""
    text = worded_text(cell, longest)
    if text and not any(
        unicodedata.category(character).startswith("L") for character in unicodedata.normalize("NFKC", text)
    ):
        raise CellFault(f"内容“{text}”中没有文字，请核对后重新填写")
    return text
