"""Import of a register file (企业名录) from .xlsx or .csv: good rows go in, each other row is told why not.

The same file again changes nothing. A column that the file does not have leaves what is stored; an
empty cell of a column that it has empties the field.
"""

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assets.spreadsheets import cell_text, read_rows
from core.db import Database
from enterprise.operations import IMPORTED, EnterpriseFacts, Outcome, put_enterprises
from enterprise.register_rows import Columns, Refusal, RegionIndex, find_columns, read_facts

# Small enough that phones which write meanwhile do not wait: SQLite has one writer at a time.
_BATCH = 500


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


def import_register(
    database: Database, path: str | Path, *, progress: Callable[[int, int], None] | None = None
) -> ImportReport:
    """Bring the register in step with the file, in transactions of some hundred rows.

    `progress` is told how many of how many rows of the file are done. Raises SpreadsheetError,
    before anything is written, when the file cannot be used.
    """
    rows = read_rows(path)
    total = operator.length_hint(rows)
    columns = find_columns(rows)
    with database.read() as session:
        regions = RegionIndex(session)
    report = ImportReport(unknown_headers=columns.unknown)
    batch: list[EnterpriseFacts] = []
    for number, facts in _good_rows(rows, columns, regions, report):
        batch.append(facts)
        if len(batch) == _BATCH:
            _put(database, batch, report)
            batch = []
            if progress:
                progress(number, max(total, number))
    if batch:
        _put(database, batch, report)
    if progress:
        progress(total, total)
    return report


def _put(database: Database, batch: list[EnterpriseFacts], report: ImportReport) -> None:
    with database.write() as session:
        outcomes = Counter(put_enterprises(session, batch, source=IMPORTED))
    report.created += outcomes[Outcome.CREATED]
    report.updated += outcomes[Outcome.UPDATED]
    report.unchanged += outcomes[Outcome.UNCHANGED]


def _good_rows(
    rows: Iterator[tuple[int, list[object]]], columns: Columns, regions: RegionIndex, report: ImportReport
) -> Iterator[tuple[int, EnterpriseFacts]]:
    """The rows that can be stored; the others are noted in the report. Empty rows are passed over."""
    first_rows: dict[str, int] = {}
    for number, row in rows:
        cells = columns.cells(row)
        if not any(cell_text(cell) for cell in cells.values()):
            continue
        report.rows += 1
        facts, faults = read_facts(cells, regions)
        if not faults and facts["uscc"] in first_rows:
            faults["uscc"] = f"与第{first_rows[facts['uscc']]}行的统一社会信用代码重复，请核对后只保留一行"
        if faults:
            report.refused += 1
            report.refusals.extend(
                Refusal(number, columns.headings[name], cell_text(cells[name]), f"第{number}行：{reason}")
                for name, reason in faults.items()
            )
            continue
        first_rows[facts["uscc"]] = number
        yield number, facts
