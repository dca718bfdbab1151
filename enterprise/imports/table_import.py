"""Import of a table from .xlsx or .csv: `preview` reports what it would change, `apply` stores the valid rows.

A refused row is reported with its number, its column and what to do; the other rows are stored. A `TableLayout`
describes the columns of a table, a `Target` how its rows are stored.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from assets.tables.cells import cell_date, cell_text
from assets.tables.reading import read_tables
from core.db import Database
from enterprise.imports.table_cells import Faults
from enterprise.imports.table_layout import TableLayout, find_table
from enterprise.operations import Effect, Outcome

MOST_CHANGES_LISTED = 50_000

Facts = TypeVar("Facts")
Progress = Callable[[int, int], None]
"""Called with the number of rows done and the number of all rows in the file."""


@dataclass(frozen=True)
class Target(Generic[Facts]):
    """How rows are read and stored. `read` returns facts, and faults by field; with faults the facts are ignored.

    `key` is the text field that identifies a row; `key_of` returns its value from the facts. `plan` returns for each
    row what storing it would change, or its faults; `put` stores rows in one transaction and returns the same. `show`
    formats the value of a field for people.
    """

    key: str
    key_of: Callable[[Facts], str]
    read: Callable[[Mapping[str, object]], tuple[Facts, Faults]]
    plan: Callable[[Session, list[Facts]], Sequence[Effect | Faults]]
    put: Callable[[Session, list[Facts]], Sequence[Effect | Faults]]
    show: Callable[[str, Any], str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fault of a row: row number as in Excel, letter and heading of the column, text of the cell, reason."""

    row: int
    letter: str
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A stored value that a row replaces; `old` and `new` are formatted for people, `new` is empty for 清空."""

    row: int
    letter: str
    column: str
    field: str
    old: str
    new: str


REPORT_COLUMNS = ("行号", "列号", "列名", "处理", "原内容", "表中内容", "原因")


def report_rows(changes: Iterable[Change], refusals: Iterable[Refusal]) -> list[tuple[object, ...]]:
    """Changes and refusals as rows of a table, by their row in the file."""
    changed = ((one.row, one.letter, one.column, "更改", one.old, one.new or "（清空）", "") for one in changes)
    refused = ((one.row, one.letter, one.column, "未导入", "", one.value, one.reason) for one in refusals)
    return sorted([*changed, *refused], key=itemgetter(0))


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do. `refused` counts rows; `refusals` has an entry for each fault.

    `changes` lists at most `MOST_CHANGES_LISTED` changes of stored values; `changed` counts all. `skipped` lists rows
    without data: their numbers and what they are.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    changed: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)
    unknown_headers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ValidRow(Generic[Facts]):
    """A row that can be stored: its number as in Excel, its cells by field, and what they say."""

    number: int
    cells: Mapping[str, object]
    facts: Facts


class TableImport(Generic[Facts]):
    """An opened file. The constructor reads the headings; it raises SpreadsheetError when the file cannot be used."""

    def __init__(
        self,
        database: Database,
        path: str | Path,
        layout: TableLayout,
        target: Target[Facts],
        *,
        batch_size: int,
        sheet: str | None = None,
    ) -> None:
        self._database = database
        self._layout = layout
        self._target = target
        self._batch_size = batch_size
        self._found = find_table(read_tables(path), layout, sheet)

    def preview(self, progress: Progress | None = None) -> ImportReport:
        """What `apply` would do; nothing is written."""
        return self._run(self._database.read, self._target.plan, progress)

    def apply(self, progress: Progress | None = None) -> ImportReport:
        """Store the valid rows, in transactions of `batch_size` rows, and report what was done."""
        return self._run(self._database.write, self._target.put, progress)

    @property
    def total(self) -> int:
        """The number of the last row of the file."""
        return self._found.table.total

    def valid_rows(self) -> list[ValidRow[Facts]]:
        """All rows that can be stored as far as the file says, in their order; for `apply_rows`."""
        return list(self._valid_rows(ImportReport()))

    def apply_rows(self, session: Session, rows: Sequence[ValidRow[Facts]]) -> ImportReport:
        """Store some of the valid rows in the caller's transaction, and report what was done with them."""
        report = ImportReport(rows=len(rows))
        for row, result in zip(rows, self._target.put(session, [row.facts for row in rows]), strict=True):
            self._note(report, row, result)
        return report

    def _run(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        handle: Callable[[Session, list[Facts]], Sequence[Effect | Faults]],
        progress: Progress | None,
    ) -> ImportReport:
        columns, total = self._found.columns, self._found.table.total
        hidden = [
            columns.headings[name] for name, at in columns.places.items() if self._found.table.is_hidden_column(at)
        ]
        report = ImportReport(unknown_headers=columns.unknown, hidden_columns=hidden)
        batch: list[ValidRow[Facts]] = []

        def handle_batch() -> None:
            with transaction() as session:
                results = handle(session, [row.facts for row in batch])
            for row, result in zip(batch, results, strict=True):
                self._note(report, row, result)

        for row in self._valid_rows(report):
            batch.append(row)
            if len(batch) == self._batch_size:
                handle_batch()
                batch = []
                if progress:
                    progress(row.number, max(total, row.number))
        if batch:
            handle_batch()
        if progress:
            progress(total, total)
        # Refusals from storing a batch were appended after those from reading it.
        report.refusals.sort(key=lambda refusal: refusal.row)
        return report

    def _note(self, report: ImportReport, row: ValidRow[Facts], result: Effect | Faults) -> None:
        if not isinstance(result, Effect):
            self._refuse(report, row.number, row.cells, result)
            return
        if result.outcome == Outcome.CREATED:
            report.created += 1
            return
        if result.outcome == Outcome.UNCHANGED:
            report.unchanged += 1
            return
        report.updated += 1
        report.changed += len(result.changes)
        columns, show = self._found.columns, self._target.show
        for name, (old, new) in result.changes.items():
            if len(report.changes) < MOST_CHANGES_LISTED:
                texts = show(name, old), show(name, new)
                report.changes.append(Change(row.number, columns.letter(name), columns.headings[name], name, *texts))

    def _refuse(self, report: ImportReport, number: int, cells: Mapping[str, object], faults: Faults) -> None:
        columns = self._found.columns
        report.refused += 1
        for name, reason in faults.items():
            letter = columns.letter(name)
            reason = f"第{number}行{letter}列：{reason}"
            report.refusals.append(Refusal(number, letter, columns.headings[name], cell_text(cells[name]), reason))

    def _valid_rows(self, report: ImportReport) -> Iterator[ValidRow[Facts]]:
        """The rows that can be stored; refused rows and rows without data go into the report."""
        first_rows: dict[str, int] = {}
        target = self._target
        heading = self._layout.headings[target.key][0]
        for number, row in self._found.data_rows():
            cells = self._found.columns.cells(row)
            if (kind := self._found.no_data(row, cells)) is not None:
                if kind:
                    report.skipped.append((number, kind))
                continue
            report.rows += 1
            if self._found.table.is_hidden_row(number):
                report.hidden_rows.append(number)
            for name in self._layout.dates & cells.keys():
                cells[name] = cell_date(cells[name], self._found.table.dates_since) or cells[name]
            facts, faults = target.read(cells)
            if not faults and (first := first_rows.get(target.key_of(facts))) is not None:
                faults = {target.key: f"与第{first}行的{heading}重复，请核对后只保留一行"}
            if faults:
                self._refuse(report, number, cells, faults)
                continue
            first_rows[target.key_of(facts)] = number
            yield ValidRow(number, cells, facts)
