"""Verifying by parts: each night some seals further, from the first again when all are done.

How far it has come stands in the database, and whoever can write there can set it: the nights find what was done by
mistake or carelessly, a whole verification with a kept head finds the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import clock
from core.db import Database, dialect_of, insert_into
from core.models import HistoryCheck, HistorySeal
from core.sealing import checking
from core.sealing.checking import Kept, Outcome, Progress
from core.sealing.logs import Break, Log

ROWS_A_NIGHT = 200_000
SEALS_A_NIGHT = 20_000
NIGHT = range(1, 6)
"""Hours, local time, as those of the daily backup."""
RESTED, OVERDUE = timedelta(hours=18), timedelta(hours=30)
"""Time since the last part from which on another is verified at night, and at any hour."""


@dataclass(frozen=True, slots=True)
class Part:
    """Seals to verify; `number` counts the parts verified so far, over all rounds."""

    first: int
    last: int
    number: int
    whole: bool
    """Whether it ends with the newest seal: then also what is not sealed yet is looked at."""


def due(database: Database, now: datetime) -> bool:
    """Whether another part is to be verified."""
    with database.read() as session:
        at = session.scalar(select(HistoryCheck.at).where(HistoryCheck.id == 1))
        if at is None:  # none yet: since sealing began
            at = session.scalar(select(HistorySeal.at).order_by(HistorySeal.no).limit(1))
    if at is None:
        return False
    return now - at >= OVERDUE or (now - at >= RESTED and now.astimezone(clock.LOCAL).hour in NIGHT)


def next_part(session: Session) -> Part:
    """The seals behind those verified last, as many as cover so many rows."""
    done = session.execute(select(HistoryCheck.seal, HistoryCheck.part).where(HistoryCheck.id == 1)).first()
    newest = session.scalar(select(func.max(HistorySeal.no))) or 0
    behind = 0 if done is None or done.seal >= newest else done.seal
    sizes = session.execute(
        select(HistorySeal.no, (HistorySeal.count + HistorySeal.passing_count).label("rows"))
        .where(HistorySeal.no > behind)
        .order_by(HistorySeal.no)
        .limit(SEALS_A_NIGHT)
    ).all()
    rows, last = 0, newest
    for size in sizes:
        rows, last = rows + size.rows, size.no
        if rows >= ROWS_A_NIGHT:
            break
    return Part(behind + 1, last, 1 if done is None else done.part + 1, last >= newest)


def verify(
    session: Session, logs: Sequence[Log], part: Part, outcome: Outcome, kept: Kept, progress: Progress
) -> Iterator[Break]:
    """Each break of a part; kept heads behind its seals are compared when their turn comes."""
    last = None if part.whole else part.last
    numbered = Kept(kept.numbered)  # another could be the head of any seal
    yield from checking.verify(session, logs, outcome, kept=numbered, first=part.first, last=last, progress=progress)


def note(database: Database, part: Part, breaks: int) -> None:
    """A part is verified."""
    values = {"seal": part.last, "part": part.number, "at": clock.now(), "breaks": breaks}
    with database.write() as session:
        first = insert_into(dialect_of(session), HistoryCheck).values(id=1, **values)
        session.execute(first.on_conflict_do_update(index_elements=["id"], set_=values))
