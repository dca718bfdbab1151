"""Counters that must not be overdrawn (需核销数量 and the like): moved by one statement.

Some may be reserved (预占): that much is not there for others until it is settled or given back.
"""

from decimal import Decimal
from typing import Any, cast

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from core.db import Base


def draw(
    session: Session, model: type[Base], row_id: Any, quantity: Decimal | int, *, used: str, total: str,
    pending: str | None = None,
) -> bool:  # fmt: skip
    """`used += quantity` unless that exceeds `total`; False when it does (or the row is not there).

    The condition and the change are one UPDATE, so that of many who draw at once none overdraws. What `pending` others
    have reserved is not there either.
    """
    _refuse_negative(quantity)
    columns: Any = model.__table__.c
    return _moved(
        session, model, row_id, _fits(columns, quantity, used, total, pending), {used: columns[used] + quantity}
    )


def reserve(
    session: Session, model: type[Base], row_id: Any, quantity: Decimal | int, *, used: str, total: str, pending: str
) -> bool:
    """`pending += quantity` (预占) unless more would be drawn and reserved than `total`; False when it would."""
    _refuse_negative(quantity)
    columns: Any = model.__table__.c
    changes = {pending: columns[pending] + quantity}
    return _moved(session, model, row_id, _fits(columns, quantity, used, total, pending), changes)


def settle(
    session: Session, model: type[Base], row_id: Any, reserved: Decimal | int, found: Decimal | int, *, used: str,
    pending: str,
) -> bool:  # fmt: skip
    """Of what was reserved, draw what was really `found` and give back the rest; False when so much was not reserved.

    Nothing found gives all of it back.
    """
    _refuse_negative(found)
    if found > reserved:
        raise ValueError("more was found than was reserved")
    columns: Any = model.__table__.c
    changes = {pending: columns[pending] - reserved, used: columns[used] + found}
    return _moved(session, model, row_id, columns[pending] >= reserved, changes)


def give_back(session: Session, model: type[Base], row_id: Any, quantity: Decimal | int, *, used: str) -> bool:
    """`used -= quantity`, never below zero; False when that much was not drawn."""
    columns: Any = model.__table__.c
    return _moved(session, model, row_id, columns[used] >= quantity, {used: columns[used] - quantity})


def _refuse_negative(quantity: Decimal | int) -> None:
    if quantity < 0:
        raise ValueError("a negative quantity gives back: use give_back()")


def _fits(columns: Any, quantity: Decimal | int, used: str, total: str, pending: str | None) -> ColumnElement[bool]:
    taken = columns[used] if pending is None else columns[used] + columns[pending]
    return cast("ColumnElement[bool]", taken + quantity <= columns[total])


def _moved(
    session: Session, model: type[Base], row_id: Any, fits: ColumnElement[bool], changes: dict[str, Any]
) -> bool:
    columns: Any = model.__table__.c
    moved = update(model).where(columns.id == row_id, fits).values(changes)
    result = session.execute(moved.execution_options(synchronize_session=False))
    return bool(getattr(result, "rowcount", 0) == 1)
