"""Whole lists as tables: how many rows an export may have, and how they are read, the same for every list."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from core.database.paging import Order, walk
from core.db import Database
from core.errors import Problem

EXPORT_LIMIT = 100_000


def whole_list(
    database: Database, statement: "Select[*tuple[Any, ...]]", order: Order, *conditions: ColumnElement[bool]
) -> Iterator[Any]:
    """All rows of a list, in chunks, so that neither memory nor a transaction is held.

    Raises 422 `export_too_large` at the first row where more than `EXPORT_LIMIT` match.
    """
    over = select(order.key).where(*conditions).limit(EXPORT_LIMIT + 1).subquery()
    with database.read() as session:
        if session.execute(select(func.count()).select_from(over)).scalar_one() > EXPORT_LIMIT:
            raise Problem("export_too_large", f"超过 {EXPORT_LIMIT} 条，请缩小筛选范围后重试")
    yield from walk(database, statement, order, *conditions)
