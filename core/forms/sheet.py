"""A form written as an Excel workbook: rows of cells to a definition, and a definition to rows.

Three sheets, each given as rows of cell values from A1 on (the reader of the file must not skip empty rows
or columns in front):

    form    key and value: code, version, title, kind, accept_until, tabs
    items   a heading row, then one row an item: section, section_title, section_tab, section_visible_when (written in
            the section's first row), group (the field of the group that the row belongs to, `staff.jobs` for a
            group in rows of a group), and the keys of an item (see `form.py`)
    rules   a heading row, then any_of, message, visible_when; may be missing

Options and tabs are written `yes=是; no=否`, lists `a; b`, conditions as in `items/condition_text.py`. Other sheets are
left alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.forms.definitions.parts import FormKeys, RuleKeys, SectionKeys
from core.forms.form import BrokenForm, Form
from core.forms.items.cells import Cell, CellFault, is_blank
from core.forms.items.types import COLUMNS, columns_of

Rows = list[list[object]]

FORM_SHEETS = ("form", "items", "rules")
_FORM_KEYS = FormKeys.cells()
_RULE_COLUMNS = RuleKeys.cells()
_SECTION_COLUMNS = {
    column: (key, SectionKeys.cells()[key])
    for column, key in (
        ("section", "code"), ("section_title", "title"), ("section_tab", "tab"),
        ("section_visible_when", "visible_when"),
    )
}  # fmt: skip
_GROUP_COLUMN = "group"


class SheetFaults(Exception):
    """A workbook that is no form; `faults` are all of them: sheet, cell such as `D7`, Chinese message."""

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{sheet}!{cell}: {message}" for sheet, cell, message in faults))


def definition_from_rows(sheets: Mapping[str, Rows]) -> dict[str, Any]:
    """The definition that a workbook holds; raises SheetFaults, also for what `Form.compile` refuses."""
    reading = _Reading()
    definition = reading.form(sheets.get("form"))
    definition["sections"] = reading.sections(sheets.get("items"))
    if rules := reading.rules(sheets.get("rules")):
        definition["rules"] = rules
    try:
        Form.compile(definition)
    except BrokenForm as broken:
        known = {(sheet, cell) for sheet, cell, _ in reading.faults}
        for fault in broken.faults:
            sheet, cell = reading.place(fault.path)
            # What could not be read is missing for the compiler: its own fault says enough.
            if (sheet, cell) not in known and (sheet, cell, fault.message) not in reading.faults:
                reading.faults.append((sheet, cell, fault.message))
    if reading.faults:
        raise SheetFaults(reading.faults)
    return definition


def rows_from_definition(definition: Mapping[str, Any]) -> dict[str, Rows]:
    """The sheets that `definition_from_rows` reads back; the definition must be one that compiles."""
    headings = [*_SECTION_COLUMNS, _GROUP_COLUMN, *COLUMNS]
    items: Rows = [list(headings)]
    for section in definition["sections"]:
        first = True
        for item in section["items"]:
            for row, group in _with_rows(item, None):
                written = _written(row, COLUMNS) | {"section": section["code"], _GROUP_COLUMN: group}
                if first:
                    written |= {
                        column: cell.write(section[key])
                        for column, (key, cell) in _SECTION_COLUMNS.items()
                        if key in section
                    }
                first = False
                items.append([written.get(heading) for heading in headings])
    rules = [_written(rule, _RULE_COLUMNS) for rule in definition.get("rules", ())]
    return {
        "form": [[key, cell.write(definition[key])] for key, cell in _FORM_KEYS.items() if key in definition],
        "items": items,
        "rules": [list(_RULE_COLUMNS), *([rule.get(column) for column in _RULE_COLUMNS] for rule in rules)],
    }


def _with_rows(item: Mapping[str, Any], group: str | None) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """The item and those of its rows, each with what stands in the column of its group."""
    yield item, group
    for inner in item.get("items", ()):
        yield from _with_rows(inner, f"{group}.{item['field']}" if group else item["field"])


def _rows_of(groups: list[str], holder: list[dict[str, Any]], at: str) -> tuple[list[dict[str, Any]], str] | None:
    """The items of the group that was written last, and their pointer; None where another item was."""
    for group in groups:
        owner = holder[-1] if holder else {}
        if owner.get("type") != "group" or owner.get("field") != group:
            return None
        at, holder = f"{at}/{len(holder) - 1}/items", owner.setdefault("items", [])
    return holder, at


def _written(entry: Mapping[str, Any], columns: Mapping[str, Cell]) -> dict[str, object]:
    return {key: cell.write(entry[key]) for key, cell in columns.items() if key in entry}


def _address(row: int, column: int) -> str:
    """`_address(6, 3)` is D7."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return f"{letters}{row + 1}"


class _Reading:
    def __init__(self) -> None:
        self.faults: list[tuple[str, str, str]] = []
        self.places: dict[str, tuple[str, str]] = {"": ("form", "A1"), "/sections": ("items", "A1")}

    def place(self, path: str) -> tuple[str, str]:
        """The cell that a pointer into the definition comes from, or the nearest one around it."""
        while path not in self.places:
            path = path.rpartition("/")[0]
        return self.places[path]

    def fault(self, sheet: str, row: int, column: int, message: str) -> None:
        self.faults.append((sheet, _address(row, column), message))

    def form(self, rows: Rows | None) -> dict[str, Any]:
        if rows is None:
            self.fault("form", 0, 0, "缺少工作表 form")
        found: dict[str, Any] = {}
        for number, row in enumerate(rows or ()):
            key, value = [*row, None, None][:2]
            if is_blank(key):
                continue
            name = key.strip() if isinstance(key, str) else ""
            if name not in _FORM_KEYS or name in found:
                self.fault("form", number, 0, "应为以下各项之一，且不能重复：" + "、".join(_FORM_KEYS))
                continue
            self.places[f"/{name}"] = ("form", _address(number, 1))
            self.read("form", number, 1, _FORM_KEYS[name], value, found, name)
        return found

    def read(
        self, sheet: str, row: int, column: int, cell: Cell, value: object, into: dict[str, Any], key: str
    ) -> None:
        if is_blank(value):
            return
        try:
            into[key] = cell.read(value)
        except CellFault as fault:
            self.fault(sheet, row, column, str(fault))

    def table(self, sheet: str, rows: Rows, known: set[str]) -> list[tuple[int, dict[str, tuple[int, object]]]]:
        """Each row that is not blank as (number, {heading: (column, value)})."""
        columns: dict[int, str] = {}
        for column, heading in enumerate(rows[0] if rows else ()):
            name = heading.strip() if isinstance(heading, str) else heading
            if name in known and name not in columns.values():
                columns[column] = str(name)
            elif not is_blank(heading):
                self.fault(sheet, 0, column, "不认识或重复的列名，请更正")
        found = []
        for number, row in enumerate(rows[1:], start=1):
            for column, value in enumerate(row):
                headed = column < len(rows[0]) and not is_blank(rows[0][column])
                if not headed and not is_blank(value):
                    self.fault(sheet, number, column, "此列没有列名，内容无法识别")
            padded = [*row, *[None] * len(rows[0])]
            cells = {name: (column, padded[column]) for column, name in columns.items()}
            if not all(is_blank(value) for _, value in cells.values()):
                found.append((number, cells))
        return found

    def sections(self, rows: Rows | None) -> list[dict[str, Any]]:
        if rows is None:
            self.fault("items", 0, 0, "缺少工作表 items")
            return []
        sections: list[dict[str, Any]] = []
        known = {*_SECTION_COLUMNS, _GROUP_COLUMN, *COLUMNS}
        for number, cells in self.table("items", rows, known):
            section = self.section(number, cells, sections)
            item: dict[str, Any] = {}
            kind = cells.get("type", (0, None))[1]
            for name, cell in columns_of(kind.strip() if isinstance(kind, str) else None).items():
                if name in cells:
                    self.read("items", number, cells[name][0], cell, cells[name][1], item, name)
            holder, at = section["items"], f"/sections/{len(sections) - 1}/items"
            column, group = cells.get(_GROUP_COLUMN, (0, None))
            if not is_blank(group):
                found = _rows_of(str(group).strip().split("."), holder, at)
                if found is None:
                    self.fault("items", number, column, "组内各行须紧跟在该组（type 为 group）的行之后")
                    continue
                holder, at = found
            at = f"{at}/{len(holder)}"
            holder.append(item)
            naming = [cells[name] for name in ("no", "field") if name in cells] or [(0, None)]
            column = next((column for column, value in naming if not is_blank(value)), naming[0][0])
            self.places[at] = ("items", _address(number, column))
            for name, (column, _) in cells.items():
                self.places[f"{at}/{name}"] = ("items", _address(number, column))
        return sections

    def section(
        self, number: int, cells: Mapping[str, tuple[int, object]], sections: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The section a row belongs to: a new one when the row names another than the row before."""
        read: dict[str, Any] = {}
        for name, (key, cell) in _SECTION_COLUMNS.items():
            if name in cells:
                self.read("items", number, cells[name][0], cell, cells[name][1], read, key)
        if sections and read.get("code", sections[-1].get("code")) == sections[-1].get("code"):
            for name, (key, _) in _SECTION_COLUMNS.items():
                if key in read and read[key] != sections[-1].get(key):
                    self.fault("items", number, cells[name][0], "与本节首行不一致；节的标题和条件只写在首行")
            return sections[-1]
        at = f"/sections/{len(sections)}"
        self.places[at] = ("items", _address(number, 0))
        for name, (key, _) in _SECTION_COLUMNS.items():
            if name in cells:
                self.places[f"{at}/{key}"] = ("items", _address(number, cells[name][0]))
        sections.append({**read, "items": []})
        return sections[-1]

    def rules(self, rows: Rows | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, cells in self.table("rules", rows or [], set(_RULE_COLUMNS)):
            rule: dict[str, Any] = {}
            at = f"/rules/{len(found)}"
            self.places[at] = ("rules", _address(number, 0))
            for name, (column, value) in cells.items():
                self.read("rules", number, column, _RULE_COLUMNS[name], value, rule, name)
                self.places[f"{at}/{name}"] = ("rules", _address(number, column))
            found.append(rule)
        return found
