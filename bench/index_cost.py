"""Cost of the indexes of field records on insertion; many inserts in a transaction, so that the disk does not count."""

import time
import uuid
from statistics import median
from typing import Any, cast

from sqlalchemy import Connection, Table, insert, select

from core.db import Database
from inspection.models import Inspection

_RECORDS, _ROUNDS = 1000, 5


def measure(database: Database) -> list[str]:
    """Microseconds per record with and without the indexes, and their ratio; the database is not changed."""
    table = cast(Table, Inspection.__table__)
    with_them, without = [], []
    with database.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(table).limit(_RECORDS)).mappings()]
        connection.rollback()
        for _ in range(_ROUNDS):
            with_them.append(_insert(connection, table, rows))
            connection.rollback()
        # In the transaction that is rolled back: both databases roll back changes of the schema too.
        for index in table.indexes:
            index.drop(connection)
        for _ in range(_ROUNDS):
            without.append(_insert(connection, table, rows))
        connection.rollback()
    one, other = median(with_them), median(without)
    return [f"{one:.0f}", f"{other:.0f}", f"{one / other:.2f}"]


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> float:
    fresh = [{**row, "id": uuid.uuid4()} for row in rows]
    started = time.perf_counter()
    for row in fresh:
        connection.execute(insert(table), row)
    return (time.perf_counter() - started) / len(fresh) * 1e6
