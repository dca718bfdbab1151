"""The rows of a group (表单明细行) as an Excel table: out, to fill in or to keep, and in again.

A column for each item of a row that stands in one cell: no files, no groups in rows, nothing from a dictionary.
Nothing is stored here: what was read is a draft's rows, or the faults, each with its row and column.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from assets.tables.cells import cell_date, cell_text, column_letters, has_lost_digits, no_value
from assets.tables.marks import formula_cells
from assets.tables.reading import Table, read_tables
from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import Sheet
from core.forms.form import Form
from core.forms.items.choices import Boolean
from core.forms.items.groups import Group
from core.forms.items.item import Item
from core.text import clean, fold

_BETWEEN = "；"
_YES_NO = {"是": True, "否": False}
_MOST_FAULTS = 200


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong: the row as Excel counts, the letter and heading of the column (empty: the row itself)."""

    row: int
    letter: str
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of a file as a body has them; none where there are faults."""

    rows: list[dict[str, Any]]
    faults: list[CellFault]


def columns_of(group: Item) -> list[Item]:
    """The items of a row that stand in a cell."""
    return [
        one
        for one in group.items
        if not (one.is_upload or one.type == "group" or getattr(one.definition, "from_entry", None))
    ]


def table_of(group: Item, rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """The rows as a sheet with cells of text, so that Excel keeps long numbers; without rows a template."""
    columns = columns_of(group)
    headings = [f"{one.text}*" if one.required else one.text for one in columns]
    cells = ([_shown(one, row.get(one.name)) for one in columns] for row in rows)
    return Sheet(group.text, headings, cells, as_text=True)


def _shown(item: Item, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return _BETWEEN.join(_shown(item, one) for one in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return _labels(item).get(value, str(value))


def _labels(item: Item) -> dict[str, str]:
    options = getattr(item.definition, "options", None) or ()
    return {one["value"]: one["label"] for one in options}


def read_rows(path: Path, form: Form, group: Item, today: date) -> ReadRows:
    """Read a table of rows and hold each against the form, as a draft does. Raises SpreadsheetError for a file that is
    no such table."""
    table = read_tables(path)[0]
    places, first = _headings(table, group)
    formulas = formula_cells(path, table.name) if path.suffix.lower() == ".xlsx" else frozenset()
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    faults: list[CellFault] = []
    for number, cells in table.rows():
        if number <= first or not any(cell_text(cell) or no_value(cell) for cell in cells):
            continue
        if len(rows) >= _most(group):
            raise SpreadsheetError(f"“{group.text}”最多{_most(group)}行，请减少后重试")
        row, found = _row(table, number, cells, places, formulas)
        rows.append(row)
        numbers.append(number)
        faults += found
    if not faults:
        faults = list(_of_form(form, group, rows, numbers, places, today))
    return ReadRows([], faults[:_MOST_FAULTS]) if faults else ReadRows(rows, [])


def _most(group: Item) -> int:
    return group.definition.max_items if isinstance(group.definition, Group) else 0


def _headings(table: Table, group: Item) -> tuple[dict[int, Item], int]:
    """The item of each column, and the number of the row of headings: the first that has the heading of any."""
    wanted = {fold(one.text): one for one in columns_of(group)}
    for number, cells in table.rows():
        found: dict[int, Item] = {}
        for place, cell in enumerate(cells):
            item = wanted.get(fold(cell_text(cell)).rstrip("*"))
            if item is not None and item in found.values():
                raise SpreadsheetError(f"有两列的列名都是“{item.text}”，请只保留一列")
            if item is not None:
                found[place] = item
        if found:
            missing = [one.text for one in columns_of(group) if one.required and one not in found.values()]
            if missing:
                raise SpreadsheetError(f"缺少必需的列：{'、'.join(missing)}，请下载模板填写")
            return found, number
        if number > _HEADINGS_WITHIN:
            break
    raise SpreadsheetError("未找到列名，请下载模板，按模板填写后上传")


_HEADINGS_WITHIN = 20


def _row(
    table: Table, number: int, cells: list[object], places: Mapping[int, Item], formulas: frozenset[tuple[int, int]]
) -> tuple[dict[str, Any], list[CellFault]]:
    row: dict[str, Any] = {}
    faults: list[CellFault] = []
    for place, item in places.items():
        cell = cells[place] if place < len(cells) else ""
        message = no_value(cell)
        if message is None and (number, place) in formulas:
            message = "单元格是公式，请改为填写内容（可“选择性粘贴”为数值）"
        if message is None and has_lost_digits(cell):
            message = "数字过长，末尾数字已丢失，请将整列设置为“文本”格式后重新填写"
        if message is not None:
            faults.append(CellFault(number, column_letters(place), item.text, message))
        elif (value := _value(table, item, cell)) is not None:
            row[item.name] = value
    return row, faults


def _value(table: Table, item: Item, cell: object) -> Any:
    """What a cell says, as the form reads it; labels of options stand for their values."""
    if item.type == "date" and (day := cell_date(cell, table.dates_since)) is not None:
        return day.isoformat()
    text = clean(cell_text(cell))
    if not text:
        return None
    if isinstance(item.definition, Boolean):
        return _YES_NO.get(text, text)
    values = {label: value for value, label in _labels(item).items()}
    if item.type == "multi" or getattr(item.definition, "repeat", False):
        parts = [part.strip() for part in text.replace(";", _BETWEEN).replace("\n", _BETWEEN).split(_BETWEEN)]
        return [values.get(part, part) for part in parts if part]
    return values.get(text, text)


def _of_form(
    form: Form, group: Item, rows: list[dict[str, Any]], numbers: list[int], places: Mapping[int, Item], today: date
) -> Iterator[CellFault]:
    """What a draft's validation says of the rows, with the row and column of the file."""
    letters = {item.name: column_letters(place) for place, item in places.items()}
    for fault in form.check({group.name: rows}, submit=False, today=today).faults:
        tokens = fault.path.split("/")
        if tokens[1] != group.name:
            continue
        number = numbers[int(tokens[2])] if len(tokens) > 2 else 0
        item = group.inner.get(tokens[3]) if len(tokens) > 3 else None
        letter = letters.get(item.name, "") if item is not None else ""
        yield CellFault(number, letter, item.text if item is not None else "", fault.message)
