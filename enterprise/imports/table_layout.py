"""Finding a table in a file: its sheet, the row of headings below titles, its columns, and rows without data."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any

from assets.tables.cells import AcrossCell, ErrorCell, cell_text, column_letters
from assets.tables.reading import Row, Table
from assets.tables.workbook_checks import SpreadsheetError
from core.text import fold

# The headings are searched in the first rows, because titles and notes may be above them.
_HEADINGS_WITHIN = 20
_TOTAL = re.compile(r"(本页|本表|全[省市区县])?(合|总|小|累|共)计([:：(（、].*|数|[0-9]+[家户条行]?)?")
_FOOTER = re.compile(
    r"(注|备注|说明|(填表|制表|审核|填报|经办|负责|联系)(人|单位|日期|时间|电话))[0-9]?[:：].*|[-—]*第[0-9]+页.*"
)
# Length of the shortest valid key: in a row of totals the key's column may hold a count (12家).
_SHORTEST_KEY = 10
_BESIDE_HEADING = re.compile(r"\([^()]*\)$")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of a table: field → headings (the template's first), and the required fields.

    The row of headings is the one with headings of all fields in `marks`. `dates` are the fields that hold dates.
    `cleared` has the value of each field after 清空; other fields cannot be cleared.
    """

    headings: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    marks: tuple[str, ...]
    dates: frozenset[str] = frozenset()
    cleared: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def field_of(self, heading: str) -> str | None:
        """The field of a heading, or None; blanks, `*`, `:` and a note in brackets at its end are ignored."""
        plain = fold(heading).strip("*:")
        for candidate in (plain, _BESIDE_HEADING.sub("", plain)):
            for name, headings in self.headings.items():
                if candidate in headings:
                    return name
        return None


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a sheet: number of the row of headings; heading and index of each field; unknown headings."""

    row: int
    headings: Mapping[str, str]
    places: Mapping[str, int]
    unknown: list[str]

    def cells(self, row: Sequence[object]) -> dict[str, object]:
        """The cells of a row by field; missing cells at its end count as empty."""
        return {field: row[place] if place < len(row) else "" for field, place in self.places.items()}

    def letter(self, field: str) -> str:
        """The column letter of a field."""
        return column_letters(self.places[field])


@dataclass(frozen=True)
class FoundTable:
    """A sheet that holds the table, and its columns."""

    table: Table
    layout: TableLayout
    columns: Columns

    def data_rows(self) -> Iterator[Row]:
        """The rows below the headings."""
        return islice(self.table.rows(), self.columns.row, None)

    def no_data(self, row: Sequence[object], cells: Mapping[str, object]) -> str | None:
        """For a row without data a Chinese description (合计, 重复的表头, …), "" when it is empty; else None."""
        texts = [text for cell in row if (text := cell_text(cell))]
        if not any(cell_text(cell) or isinstance(cell, (AcrossCell, ErrorCell)) for cell in cells.values()):
            return ""
        if all(self.layout.field_of(cell_text(cells[name])) == name for name in self.layout.marks):
            return "重复的表头"
        across = sum(isinstance(cell, AcrossCell) for cell in cells.values())
        if len(cells) > 1 and across >= len(cells) - 1:
            return f"整行合并的“{texts[0]}”" if texts else ""
        key = fold(cell_text(cells[self.layout.marks[0]]))
        first = fold(texts[0]) if texts else ""
        if (len(key) < _SHORTEST_KEY or key == first) and (_TOTAL.fullmatch(first) or _FOOTER.fullmatch(first)):
            return f"“{texts[0]}”"
        return None


def find_table(tables: Iterable[Table], layout: TableLayout, wanted: str | None = None) -> FoundTable:
    """The sheet that has the headings, only the one named `wanted` if that is given.

    Raises SpreadsheetError when no sheet or several sheets have them, or required columns are missing.
    """
    tables = list(tables)
    if wanted is not None:
        tables = [table for table in tables if table.name == wanted]
        if not tables:
            raise SpreadsheetError(f"文件中没有名为“{wanted}”的工作表，请核对后重试")
    found = [
        FoundTable(table, layout, columns) for table in tables if (columns := _find_columns(table, layout)) is not None
    ]
    if not found:
        needed = "".join(f"“{layout.headings[name][0]}”" for name in layout.required)
        raise SpreadsheetError(f"未找到表头：请在第一行填写{needed}等列名后重试")
    if len(found) > 1:
        names = "、".join(f"“{one.table.name}”" for one in found)
        raise SpreadsheetError(f"有{len(found)}个工作表都含有表头（{names}），请用 --sheet 指定其中一个，逐个导入")
    (only,) = found
    missing = [layout.headings[name][0] for name in layout.required if name not in only.columns.places]
    if missing:
        raise SpreadsheetError(f"缺少必需的列：{'、'.join(missing)}，请补充后重试")
    return only


def _find_columns(table: Table, layout: TableLayout) -> Columns | None:
    """The columns of a sheet, or None; of several consecutive rows of headings the last one counts."""
    found: Columns | None = None
    for number, row in islice(table.rows(), _HEADINGS_WITHIN):
        columns = _columns(number, row, layout)
        if all(name in columns.places for name in layout.marks):
            found = columns
        elif found is not None:
            break
    if found is not None:
        _refuse_doubles(found, layout)
    return found


def _columns(number: int, row: Sequence[object], layout: TableLayout) -> Columns:
    headings: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown: list[str] = []
    for place, cell in enumerate(row):
        shown = " ".join(cell_text(cell).split())
        name = layout.field_of(shown)
        if name and name not in places:
            headings[name] = shown
            places[name] = place
        elif shown:
            unknown.append(shown)
    return Columns(number, headings, places, unknown)


def _refuse_doubles(columns: Columns, layout: TableLayout) -> None:
    for shown in columns.unknown:
        name = layout.field_of(shown)
        if name is not None:
            raise SpreadsheetError(f"列“{shown}”与“{columns.headings[name]}”重复，请只保留一列后重试")
