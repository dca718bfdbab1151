"""Import of a register file (企业名录) from .xlsx or .csv: valid rows are stored, the others reported with a reason.

Importing the same file again changes nothing. A column that the file does not have, and an empty cell, leave what is
stored; the word 清空 empties the field.
"""

from functools import partial
from pathlib import Path

from core.actor import Scope
from core.db import Database
from enterprise.imports.jurisdiction import within
from enterprise.imports.register_rows import LAYOUT, RegionIndex, read_facts, readable_fact
from enterprise.imports.table_import import TableImport, Target
from enterprise.operations import IMPORTED, EnterpriseFacts, OnMove, plan_enterprises, put_enterprises

RegisterImport = TableImport[EnterpriseFacts]

# Rows in a transaction: few, because other writers wait for it (SQLite has one writer at a time).
_BATCH = 500


def open_register(
    database: Database, path: str | Path, *, on_move: OnMove, sheet: str | None = None, scope: Scope | None = None
) -> RegisterImport:
    """Open a register file for preview and import, in transactions of `_BATCH` rows.

    `on_move` is passed to `put_enterprises`. With `scope` rows of enterprises elsewhere are refused. Raises
    SpreadsheetError when the file cannot be used.
    """
    with database.read() as session:
        regions = RegionIndex(session)
    target: Target[EnterpriseFacts] = Target(
        key="uscc",
        key_of=lambda facts: facts["uscc"],
        read=partial(read_facts, regions=regions),
        plan=partial(plan_enterprises, source=IMPORTED),
        put=partial(put_enterprises, source=IMPORTED, on_move=on_move),
        show=partial(readable_fact, regions),
    )
    if scope is not None:
        target = within(scope, target)
    return TableImport(database, path, LAYOUT, target, batch_size=_BATCH, sheet=sheet)
