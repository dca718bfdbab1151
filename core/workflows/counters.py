"""Counters that must not be overdrawn (需核销数量 and the like): moved by one statement."""

from decimal import Decimal
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.db import Base


def draw(session: Session, model: type[Base], row_id: Any, quantity: Decimal | int, *, used: str, total: str) -> bool:
    """`used += quantity` unless that exceeds `total`; False when it does (or the row is not there).

    The condition and the change are one UPDATE, so that of many who draw at once none overdraws.
    """
    if quantity < 0:
        raise ValueError("a negative quantity gives back: use give_back()")
    columns: Any = model.__table__.c
    result = session.execute(
        update(model)
        .where(columns.id == row_id, columns[used] + quantity <= columns[total])
        .values({used: columns[used] + quantity})
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(result, "rowcount", 0) == 1)


def give_back(session: Session, model: type[Base], row_id: Any, quantity: Decimal | int, *, used: str) -> bool:
    """`used -= quantity`, never below zero; False when that much was not drawn."""
    columns: Any = model.__table__.c
    result = session.execute(
        update(model)
        .where(columns.id == row_id, columns[used] >= quantity)
        .values({used: columns[used] - quantity})
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(result, "rowcount", 0) == 1)
