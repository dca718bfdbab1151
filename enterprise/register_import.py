"""Import of a register file (企业名录) from .xlsx or .csv: good rows go in, each other row is told why not.

The same file again changes nothing. A column that the file does not have leaves what is stored; an
empty cell of a column that it has empties the field.
"""

from functools import partial
from pathlib import Path

from core.db import Database
from enterprise.operations import IMPORTED, EnterpriseFacts, OnMove, put_enterprises
from enterprise.register_rows import LAYOUT, RegionIndex, read_facts
from enterprise.table_import import ImportReport, Progress, TableImport, Target

# Small enough that phones which write meanwhile do not wait: SQLite has one writer at a time.
_BATCH = 500


def import_register(
    database: Database, path: str | Path, *, on_move: OnMove, progress: Progress | None = None
) -> ImportReport:
    """Bring the register in step with the file, in transactions of some hundred rows.

    `on_move` is that of `put_enterprises`. Raises SpreadsheetError, before anything is written, when the
    file cannot be used.
    """
    table: TableImport[EnterpriseFacts] = TableImport(path, LAYOUT)
    with database.read() as session:
        regions = RegionIndex(session)
    target: Target[EnterpriseFacts] = Target(
        key="uscc",
        key_of=lambda facts: facts["uscc"],
        read=partial(read_facts, regions=regions),
        put=partial(put_enterprises, source=IMPORTED, on_move=on_move),
    )
    return table.run(database, target, batch_size=_BATCH, progress=progress)
