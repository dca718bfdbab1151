"""Clocks of filings that were counted on guessed working days, counted anew when the days are known."""

from sqlalchemy import extract, select, tuple_, update
from sqlalchemy.orm import Session

from core import clock, history
from core.deadlines import clocks
from core.deadlines.clocks import WORKING, Due
from core.jobs.one_by_one import OneByOne
from core.models import Clock
from enterprise.filings.models import Filing
from enterprise.filings.moves import find

_RUNNING = Clock.last_day_provisional, Clock.rung_at.is_(None), Clock.paused_on.is_(None)


def recounting() -> OneByOne[Due]:
    """A job of the scheduler: one clock a transaction. A clock that is paused is counted when it goes on."""
    return OneByOne("filing deadlines", due, lambda session, key: recount(session, key[1]))


def due(session: Session, after: Due | None = None, limit: int = 200) -> list[Due]:
    """Running clocks whose last day is provisional and lies in a year that is known now."""
    years = clocks.known_years(session)
    if not years:
        return []
    found = select(Clock.last_day, Clock.id).where(*_RUNNING, extract("year", Clock.last_day).in_(years))
    if after is not None:
        found = found.where(tuple_(Clock.last_day, Clock.id) > after)
    rows = session.execute(found.order_by(Clock.last_day, Clock.id).limit(limit))
    return [(row.last_day, row.id) for row in rows]


def recount(session: Session, clock_id: int) -> bool:
    """Count one anew, by the days of the office that handles its filing; a day that changes is told in the history."""
    row = session.scalars(
        select(Clock).where(Clock.id == clock_id, *_RUNNING).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    filing = find(session, row.subject_id) if row is not None else None
    if row is None or filing is None:
        return False
    place = (filing.area1, filing.area2, filing.area3)
    counted = clocks.working_deadline(session, place, row.started_on, max(0, row.days - row.elapsed))
    day = clocks.recounted(row.last_day, counted.day) if row.unit == WORKING else row.last_day
    if (day, counted.day) != (row.last_day, row.last_day):
        # The filing's row keeps whoever moves it meanwhile from writing the same place of its history.
        session.execute(update(Filing).where(Filing.id == filing.id).values(updated_at=clock.now()))
        filing = find(session, filing.id) or filing
        told = {
            "clock": row.name, "due_on": day.isoformat(), "former_due_on": row.last_day.isoformat(),
            "counted": counted.day.isoformat(),
        }  # fmt: skip
        status = filing.status
        history.append(
            session, history.Move("filing", filing.id, "recount", status, status, filing.version, None, told)
        )
    row.last_day, row.last_day_provisional = day, counted.provisional
    session.flush()
    return True
