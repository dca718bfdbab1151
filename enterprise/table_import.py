"""Import of a table from .xlsx or .csv: columns found by their headings, each cell judged, good rows stored.

A row that cannot be taken is told with its number, its column and what to do; the others are not
touched by it. What a table holds and how its rows are stored is said by a `TableLayout` and a `Target`.
"""

import operator
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from assets.spreadsheets import SpreadsheetError, cell_text, read_rows
from core.db import Database
from enterprise.operations import Outcome

# Titles and notes may stand above the headings.
_HEADINGS_WITHIN = 20

Facts = TypeVar("Facts")
Faults = dict[str, str]
"""Why a row cannot be taken, by field; Chinese sentences that say what to do."""
Progress = Callable[[int, int], None]
"""Told how many of how many rows of the file are done."""


class CellFault(Exception):
    """A cell cannot be taken; the text is a Chinese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The columns of a table: field → headings (the template's first), and the fields that must be there.

    The row of headings is known by the fields in `marks`.
    """

    headings: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    marks: tuple[str, ...]

    def field_of(self, heading: str) -> str | None:
        """The field that a heading stands for."""
        return next((name for name, headings in self.headings.items() if heading in headings), None)


@dataclass(frozen=True)
class Target(Generic[Facts]):
    """What becomes of a row. `read` gives its facts, and its faults by field; with faults the facts are ignored.

    A row is known by `key`, a field of text (`key_of` gives it from the facts). `put` stores rows
    in one transaction and answers for each what became of it, or its faults.
    """

    key: str
    key_of: Callable[[Facts], str]
    read: Callable[[Mapping[str, object]], tuple[Facts, Faults]]
    put: Callable[[Session, list[Facts]], Sequence[Outcome | Faults]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fault of a row: its number as Excel shows it, the heading of the column, the cell and the reason."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What an import did. `refused` counts rows; a row has a refusal for each of its faults."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    unknown_headers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds which field, and the headings that nobody knows."""

    headings: Mapping[str, str]
    places: Mapping[str, int]
    unknown: list[str]

    def cells(self, row: Sequence[object]) -> Mapping[str, object]:
        """The cells of a row by field; a row may end early."""
        return {field: row[place] if place < len(row) else "" for field, place in self.places.items()}


def find_columns(rows: Iterator[tuple[int, list[object]]], layout: TableLayout) -> Columns:
    """Read up to the row of headings. Raises SpreadsheetError when there is none, or columns are missing."""
    best: Columns | None = None
    for number, row in rows:
        columns = _columns(row, layout)
        if all(name in columns.places for name in layout.marks):
            best = columns
            break
        if number >= _HEADINGS_WITHIN:
            break
    if best is None:
        needed = "".join(f"“{layout.headings[name][0]}”" for name in layout.required)
        raise SpreadsheetError(f"未找到表头：请在第一行填写{needed}等列名后重试")
    missing = [layout.headings[name][0] for name in layout.required if name not in best.places]
    if missing:
        raise SpreadsheetError(f"缺少必需的列：{'、'.join(missing)}，请补充后重试")
    return best


def _columns(row: Sequence[object], layout: TableLayout) -> Columns:
    headings: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown: list[str] = []
    for place, cell in enumerate(row):
        shown = cell_text(cell)
        heading = "".join(unicodedata.normalize("NFKC", shown).split()).strip("*")
        name = layout.field_of(heading)
        if name in places:
            raise SpreadsheetError(f"列“{shown}”与“{headings[name]}”重复，请只保留一列后重试")
        if name:
            headings[name] = shown
            places[name] = place
        elif heading:
            unknown.append(shown)
    return Columns(headings, places, unknown)


def plain_text(cell: object, longest: int) -> str:
    """The text of a cell in one line; CellFault when it is too long or holds what cannot be seen."""
    text = " ".join(cell_text(cell).split())
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise CellFault("含有不可见的控制字符，请删除后重新填写")
    if len(text) > longest:
        raise CellFault(f"不能超过{longest}个字，现为{len(text)}个字，请缩短")
    return text


def read_cells(
    cells: Mapping[str, object], readers: Mapping[str, Callable[[object], Any]]
) -> tuple[dict[str, Any], Faults]:
    """What the readers make of the cells, and the faults they found, by field."""
    values: dict[str, Any] = {}
    faults: Faults = {}
    for name, cell in cells.items():
        try:
            values[name] = readers[name](cell)
        except CellFault as fault:
            faults[name] = str(fault)
    return values, faults


@dataclass(frozen=True)
class _Row(Generic[Facts]):
    number: int
    cells: Mapping[str, object]
    facts: Facts


class TableImport(Generic[Facts]):
    """One run over one file. The headings are read at once: a file that cannot be used raises SpreadsheetError."""

    def __init__(self, path: str | Path, layout: TableLayout) -> None:
        self._rows = read_rows(path)
        self._total = operator.length_hint(self._rows)
        self._layout = layout
        self._columns = find_columns(self._rows, layout)
        self._report = ImportReport(unknown_headers=self._columns.unknown)

    def run(
        self, database: Database, target: Target[Facts], *, batch_size: int, progress: Progress | None = None
    ) -> ImportReport:
        """Store the good rows, in transactions of `batch_size` rows."""
        batch: list[_Row[Facts]] = []
        for row in self._good_rows(target):
            batch.append(row)
            if len(batch) == batch_size:
                self._put(database, target, batch)
                batch = []
                if progress:
                    progress(row.number, max(self._total, row.number))
        if batch:
            self._put(database, target, batch)
        if progress:
            progress(self._total, self._total)
        # What storing refuses is known later than what reading does.
        self._report.refusals.sort(key=lambda refusal: refusal.row)
        return self._report

    def _put(self, database: Database, target: Target[Facts], batch: list[_Row[Facts]]) -> None:
        with database.write() as session:
            results = target.put(session, [row.facts for row in batch])
        for row, result in zip(batch, results, strict=True):
            if not isinstance(result, Outcome):
                self._refuse(row.number, row.cells, result)
        outcomes = Counter(result for result in results if isinstance(result, Outcome))
        self._report.created += outcomes[Outcome.CREATED]
        self._report.updated += outcomes[Outcome.UPDATED]
        self._report.unchanged += outcomes[Outcome.UNCHANGED]

    def _refuse(self, number: int, cells: Mapping[str, object], faults: Faults) -> None:
        self._report.refused += 1
        self._report.refusals.extend(
            Refusal(number, self._columns.headings[name], cell_text(cells[name]), f"第{number}行：{reason}")
            for name, reason in faults.items()
        )

    def _good_rows(self, target: Target[Facts]) -> Iterator[_Row[Facts]]:
        """The rows that can be stored; the others are noted in the report. Empty rows are passed over."""
        first_rows: dict[str, int] = {}
        name = self._layout.headings[target.key][0]
        for number, row in self._rows:
            cells = self._columns.cells(row)
            if not any(cell_text(cell) for cell in cells.values()):
                continue
            self._report.rows += 1
            facts, faults = target.read(cells)
            if not faults and (first := first_rows.get(target.key_of(facts))) is not None:
                faults = {target.key: f"与第{first}行的{name}重复，请核对后只保留一行"}
            if faults:
                self._refuse(number, cells, faults)
                continue
            first_rows[target.key_of(facts)] = number
            yield _Row(number, cells, facts)
