"""Counting open deadlines anew after an outage (系统故障) was entered, corrected or withdrawn.

In batches, each one a transaction, so that other writers wait for a batch and not for all. How far it got is stored
with the outage: whoever goes on after a restart begins behind the last batch, and of two processes that do so at once
one gives up. Counting one anew twice changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, CursorResult, or_, select, tuple_, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.deadlines.outages import ALL, SETTLING, Deadlines
from core.jobs.scheduler import Job
from core.models import Outage

log = structlog.get_logger()

BATCH = 25
"""Deadlines that are counted anew in one transaction."""
ROUND = 10_000
"""Deadlines that the server looks at in a round of the scheduler; it goes on in the next one."""

Progress = Callable[[int, int], object]
"""Called after each batch with how many deadlines were looked at, and moved, since the last call."""
Key = tuple[date, UUID | int]


@dataclass(frozen=True, slots=True)
class Recounting:
    """The deadlines of a system: a table with `id`, and columns of the day and of the day before outages moved it.

    `open`: conditions of the rows whose deadline may still move. `recount` counts one anew, and says whether its
    deadline changed.
    """

    system: str
    model: Any
    open: Sequence[ColumnElement[bool]]
    recount: Callable[[Session, Any, Deadlines], bool]
    day: str = "due_on"
    before: str = "due_on_before_outage"

    def page(self, session: Session, outage: Outage, *, moved: bool, after: Key | None) -> list[Key]:
        """The next deadlines that the outage strikes, or that `moved` before and may move again, behind `after`."""
        first, last, key = outage.recount_from, outage.recount_until, self.model.id
        day, before = getattr(self.model, self.day), getattr(self.model, self.before)
        chosen = select(day, key).where(day >= first, *self.open)
        if moved:
            chosen = chosen.where(before.is_not(None), before <= last)
        else:
            chosen = chosen.where(before.is_(None), day <= last)
        if after is not None:
            chosen = chosen.where(tuple_(day, key) > after)
        rows = session.execute(chosen.order_by(day, key).limit(BATCH))
        return [(row[0], row[1]) for row in rows]


class Overtaken(Exception):
    """Another process counts, or the outage was changed meanwhile."""


def job(systems: Sequence[Recounting]) -> Job:
    """For the scheduler: goes on with what is due, so many deadlines a round."""
    return Job("outages", lambda database: run(database, systems, most=ROUND))


def run(
    database: Database,
    systems: Sequence[Recounting],
    *,
    most: int | None = None,
    progress: Progress = lambda _looked, _moved: None,
) -> int:
    """Count anew what is due, at most so many deadlines if `most` is given; how many were looked at."""
    looked = 0
    for outage_id in _due(database):
        try:
            looked += _one(database, systems, outage_id, None if most is None else most - looked, progress)
        except Overtaken:
            log.info("outage_recount_overtaken", outage=str(outage_id))
        if most is not None and looked >= most:
            break
    return looked


def _due(database: Database) -> Sequence[UUID]:
    """Outages that were changed and not counted since; once more when a while has passed (`SETTLING`)."""
    with database.read() as session:
        rows = session.execute(
            select(Outage.id, Outage.changed_at, Outage.recounted_at)
            .where(or_(Outage.recounted_at.is_(None), Outage.changed_at > clock.now() - 30 * SETTLING))
            .order_by(Outage.changed_at)
            .limit(200)
        ).all()
    now = clock.now()
    return [row.id for row in rows if row.recounted_at is None or row.recounted_at < row.changed_at + SETTLING <= now]


def _one(
    database: Database, systems: Sequence[Recounting], outage_id: UUID, most: int | None, progress: Progress
) -> int:
    """Go on with one outage; how many deadlines were looked at."""
    looked = 0
    while most is None or looked < most:
        with database.read() as session:
            outage = session.get_one(Outage, outage_id)
            batch = _next_batch(session, systems, outage)
        if batch is None:
            with database.write() as session:
                _mark(session, outage, {"recount_after": "", "recounted_at": clock.now()})
            return looked
        with database.write() as session:
            deadlines = Deadlines(session)
            moved = sum(_recount(session, batch.system, key[1], deadlines) for key in batch.keys)
            begins = not outage.recount_after
            _mark(session, outage, {
                "recount_after": batch.mark(), "moved": outage.moved + moved,
                "looked_at": len(batch.keys) + (0 if begins else outage.looked_at),
            })  # fmt: skip
        looked += len(batch.keys)
        progress(len(batch.keys), moved)
    return looked


def _recount(session: Session, system: Recounting, key: UUID | int, deadlines: Deadlines) -> bool:
    """Count one anew; what fails is logged and keeps no other from being counted."""
    try:
        with session.begin_nested():
            return system.recount(session, key, deadlines)
    except OperationalError:
        raise  # of the database: the whole batch is tried again
    # A row that was written past the rules may fail however it likes.
    except Exception as error:
        log.error("recount_failed", system=system.system, key=str(key), error=type(error).__name__, exc_info=True)
        return False


def _mark(session: Session, outage: Outage, values: dict[str, Any]) -> None:
    """Store how far it got, unless somebody else has got further or has changed the outage; then `Overtaken`."""
    result = session.execute(
        update(Outage)
        .where(
            Outage.id == outage.id, Outage.version == outage.version, Outage.recount_after == outage.recount_after,
            Outage.looked_at == outage.looked_at,
        )
        .values(values)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Overtaken


@dataclass(frozen=True, slots=True)
class _Batch:
    """Deadlines of one system, of those that outages have moved or of the others (`unmoved`), in their order."""

    number: int
    system: Recounting
    unmoved: bool
    keys: list[Key]

    def mark(self) -> str:
        day, key = self.keys[-1]
        return f"{self.number}|{int(self.unmoved)}|{day.isoformat()}|{key}"


def _next_batch(session: Session, systems: Sequence[Recounting], outage: Outage) -> _Batch | None:
    """The next deadlines behind the mark of the outage; None when all have been counted."""
    begun = (0, False)
    after: Key | None = None
    if outage.recount_after:
        system_number, of_unmoved, day, key = outage.recount_after.split("|")
        begun = (int(system_number), of_unmoved == "1")
        after = (date.fromisoformat(day), int(key) if key.isdigit() else UUID(key))
    for number, system in enumerate(systems):
        # Those that moved before come first, so that what moves now is not looked at again.
        for unmoved in (False, True):
            if outage.system not in (ALL, system.system) or (number, unmoved) < begun:
                continue
            behind = after if (number, unmoved) == begun else None
            if keys := system.page(session, outage, moved=not unmoved, after=behind):
                return _Batch(number, system, unmoved, keys)
    return None
