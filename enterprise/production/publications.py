"""Supervision checks (监督检查) as the enterprise may see them; written by whoever carries checks out."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Executable, Table, case, delete, update
from sqlalchemy.orm import Session

from core import clock
from core.database.prepared import Prepared
from core.db import insert_into
from enterprise.production.models import SupervisionCheck

NO_PROBLEM, PROBLEMS, NOT_CARRIED_OUT = "no_problem", "problems", "not_carried_out"


@dataclass(frozen=True, slots=True)
class PublishedCheck:
    """A check of an enterprise in the register; `id` is the check's. `result` is one of the three above.

    A rectification (整改) that an office orders by itself is published likewise, about no product, under its own id.
    """

    id: UUID
    uscc: str
    kind: str
    product_code: str | None
    checked_on: date
    office_name: str
    inspectors: str
    result: str
    problems: str | None


_NAMES = [field.name for field in fields(PublishedCheck)]


def _publishing(dialect: str, names: tuple[str, ...]) -> Executable:
    table = cast(Table, SupervisionCheck.__table__)
    insert = insert_into(dialect, table)
    changed: dict[str, Any] = {name: insert.excluded[name] for name in names if name != "id"}
    # A rectification that was ordered of one enterprise is not shown to another.
    same = table.c.uscc == insert.excluded.uscc
    changed["rectification_id"] = case((same, table.c.rectification_id), else_=None)
    return insert.on_conflict_do_update(index_elements=["id"], set_=changed)


_PUBLISH = Prepared(_publishing)


def publish(session: Session, check: PublishedCheck) -> None:
    """Show a check to its enterprise; published again it is replaced."""
    values = {name: getattr(check, name) for name in _NAMES}
    values |= {"product_code": check.product_code or "", "inspectors": check.inspectors[:200]}
    _PUBLISH.rows(session, {**values, "published_at": clock.now()})


def note_rectification(session: Session, check_id: UUID, filing_id: UUID) -> None:
    """Link a published check to the rectification (整改) that was ordered because of it."""
    session.execute(
        update(SupervisionCheck)
        .where(SupervisionCheck.id == check_id)
        .values(rectification_id=filing_id)
        .execution_options(synchronize_session=False)
    )


def withdraw(session: Session, check_id: UUID) -> None:
    """Take a published check back: a correction gave it to another enterprise, or to none of the register."""
    session.execute(delete(SupervisionCheck).where(SupervisionCheck.id == check_id))
