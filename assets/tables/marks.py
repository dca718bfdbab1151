"""What a workbook says of its cells beside their values, and calamine leaves out.

Read from the workbook's XML as a stream: cells that show an error, formulas that were never calculated, hidden rows
and columns, and from which day dates are counted.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from lxml import etree  # type: ignore[import-untyped]

from assets.tables.cells import SINCE_1900, SINCE_1904, ErrorCell
from assets.tables.workbook_checks import SpreadsheetError

# A formula that gives an empty text is no error: its value element is there, and its type is text.
_FAULTY_CELLS = etree.XPath(
    "*[local-name()='c'][@t='e' or (*[local-name()='f']"
    " and not(string(*[local-name()='v'])) and not(@t='str' and *[local-name()='v']))]"
)
_WIDEST = 16_384


@dataclass(slots=True)
class Marks:
    """The marks of one sheet; rows and columns are counted from 0."""

    errors: dict[int, dict[int, ErrorCell]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    dates_since: date = SINCE_1900


def read_marks(path: Path, sheet: str) -> Marks:
    """The marks of the sheet of that name; SpreadsheetError when the XML is broken."""
    marks = Marks()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, sheet)) as content:
            marks.dates_since = SINCE_1904 if _counts_from_1904(archive) else SINCE_1900
            row = -1
            for element in _elements(content, "row", "col"):
                if etree.QName(element).localname == "col":
                    if _is_true(element.get("hidden")):
                        first, last = int(element.get("min")) - 1, min(int(element.get("max")), _WIDEST)
                        marks.hidden_columns.update(range(first, last))
                    continue
                row = int(element.get("r", row + 2)) - 1
                if _is_true(element.get("hidden")):
                    marks.hidden_rows.add(row)
                if faulty := {_column(cell): _error(cell) for cell in _FAULTY_CELLS(element)}:
                    marks.errors[row] = faulty
    except (etree.XMLSyntaxError, KeyError, ValueError, TypeError) as error:
        raise SpreadsheetError(f"无法读取工作表“{sheet}”，请另存为新的 .xlsx 后重试") from error
    return marks


def formula_cells(path: Path, sheet: str) -> frozenset[tuple[int, int]]:
    """The cells of a sheet that hold formulas: the number of the row as Excel counts, the column counted from 0."""
    found: set[tuple[int, int]] = set()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, sheet)) as content:
            row = 0
            for element in _elements(content, "row"):
                row = int(element.get("r", row + 1))
                found.update((row, _column(formula.getparent())) for formula in element.iterfind("{*}c/{*}f"))
    except (etree.XMLSyntaxError, KeyError, ValueError, TypeError) as error:
        raise SpreadsheetError(f"无法读取工作表“{sheet}”，请另存为新的 .xlsx 后重试") from error
    return frozenset(found)


def _elements(content: IO[bytes], *names: str) -> Iterator[Any]:
    """The elements of those names as they end, each forgotten afterwards."""
    tags = [f"{{*}}{name}" for name in names]
    for _, element in etree.iterparse(content, tag=tags, resolve_entities=False, no_network=True):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _counts_from_1904(archive: zipfile.ZipFile) -> bool:
    """Whether days are counted from 1904, as Excel for the Mac did."""
    with archive.open("xl/workbook.xml") as content:
        return any(_is_true(element.get("date1904")) for element in _elements(content, "workbookPr"))


def _member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member that holds a sheet: the workbook names a relation, the relation a member."""
    with archive.open("xl/workbook.xml") as content:
        sheets = {element.get("name"): dict(element.items()) for element in _elements(content, "sheet")}
    (relation,) = (value for name, value in sheets[sheet].items() if name.endswith("}id"))
    with archive.open("xl/_rels/workbook.xml.rels") as content:
        targets = {element.get("Id"): element.get("Target") for element in _elements(content, "Relationship")}
    return posixpath.normpath(posixpath.join("xl", targets[relation])).removeprefix("/")


def _column(cell: Any) -> int:
    if cell.get("r") is None:  # programs that leave the place out write every cell
        return sum(1 for _ in cell.itersiblings(preceding=True))
    number = 0
    for letter in cell.get("r"):
        if letter.isalpha():
            number = number * 26 + ord(letter.upper()) - 64
    return number - 1


def _error(cell: Any) -> ErrorCell:
    return ErrorCell(cell.findtext("{*}v") or "" if cell.get("t") == "e" else "")


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")
