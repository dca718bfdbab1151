"""Jobs of the scheduler over the clocks of filings: those whose last day is over, and those counted on guessed days.

Both change a filing and its clock, and lock the filing first, as every step does (`steps/actions.py`): in the other
order PostgreSQL would end one of two transactions as a deadlock.
"""

from collections.abc import Mapping
from copy import copy
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks
from core.deadlines.clocks import Due
from core.deadlines.periods import Period
from core.deadlines.working_days import WorkingCalendar
from core.jobs.one_by_one import OneByOne
from core.models import Clock
from core.workflows import history
from enterprise.filings.clocks import time_limits
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing
from enterprise.filings.moves import as_it_will_be, lock
from enterprise.filings.sides.todos import redate_todos
from enterprise.filings.steps.actions import act_by_system

_GUESSED = Clock.last_day_provisional, Clock.rung_at.is_(None), Clock.paused_on.is_(None)


def ring_clocks(engine: Filings) -> OneByOne[Due]:
    """Takes the steps that clocks ask for whose last day is over; one clock a transaction."""
    return OneByOne("clock", clocks.due, lambda session, key: ring(session, engine, key[1]))


def ring(session: Session, engine: Filings, clock_id: int) -> bool:
    """Mark a clock as rung and take the step that its rule names; whether a step was taken."""
    filing = lock_filing_of(session, clock_id)
    row = clocks.ring(session, clock_id)
    kind = engine.kinds.get(filing.kind) if filing is not None else None
    if row is None or filing is None or kind is None:
        return False
    action = next((declared.rings for declared in kind.clocks if declared.name == row.name), None)
    if action is None or kind.step(action, filing.status) is None:
        return False
    act_by_system(session, engine, filing, action)
    return True


def recounting(kinds: Mapping[str, FilingKind]) -> OneByOne[Due]:
    """Counts clocks anew once their days are known, one clock a transaction; a paused one when it goes on."""
    return OneByOne("filing deadlines", guessed, lambda session, key: recount(session, kinds, key[1]))


def guessed(session: Session, after: Due | None = None, limit: int = 200) -> list[Due]:
    """Running clocks whose last day is provisional and lies in a year that is known now."""
    return clocks.in_known_years(session, Clock.last_day, Clock.id, after, limit, *_GUESSED)


def recount(session: Session, kinds: Mapping[str, FilingKind], clock_id: int) -> bool:
    """Count one anew by the days of the office that handles its filing; a changed day is written to the history."""
    filing = lock_filing_of(session, clock_id)
    row = session.scalars(
        select(Clock).where(Clock.id == clock_id, *_GUESSED).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or filing is None:
        return False
    kind = kinds.get(filing.kind)
    calendar = clocks.working_calendar(session, time_limits.place_of(filing))
    periods = clocks.of(session, [filing.id])[filing.id]
    counted = copy(periods[row.name])
    counted.count(calendar)
    time_limits.move_by_outages(session, filing, counted)
    day = clocks.recounted(row.last_day, counted.last_day)
    if (day, counted.last_day) != (row.last_day, row.last_day):
        if day == counted.last_day:
            row.before_outage, row.outage_reason = counted.before_outage, counted.outage_reason
            periods[row.name] = copy(counted)
        redate(session, kind, filing, periods, calendar)
        payload = {
            "clock": row.name, "due_on": day.isoformat(), "former_due_on": row.last_day.isoformat(),
            "counted": counted.last_day.isoformat(),
        }  # fmt: skip
        status = filing.status
        history.append(
            session, history.Move("filing", filing.id, "recount", status, status, filing.version, None, payload)
        )
    row.last_day, row.last_day_provisional = day, counted.last_day_provisional
    session.flush()
    return True


def redate(
    session: Session, kind: FilingKind | None, filing: Filing, periods: Mapping[str, Period], calendar: WorkingCalendar
) -> None:
    """Write the due day of a filing one of whose clocks has another day now, and that of its to-dos; it is locked."""
    due = time_limits.columns_of(session, kind, filing, periods, calendar) if kind is not None else {}
    session.execute(
        update(Filing)
        .where(Filing.id == filing.id)
        .values(updated_at=clock.now(), **due)
        .execution_options(synchronize_session=False)
    )
    if due and (due["due_on"], due["due_clock"]) != (filing.due_on, filing.due_clock):
        redate_todos(session, as_it_will_be(filing, due))


def lock_filing_of(session: Session, clock_id: int) -> Filing | None:
    """Lock the filing that a clock belongs to; None for a clock of something else, or one that is gone."""
    subject_id: UUID | None = session.scalar(
        select(Clock.subject_id).where(Clock.id == clock_id, Clock.subject_type == "filing")
    )
    return lock(session, subject_id) if subject_id is not None else None
