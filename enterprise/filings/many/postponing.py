"""Due days of filings, of their data and of their clocks, that outages (系统故障) move.

The rule stands in `core/deadlines/outages.py`.

Whoever counts one anew locks the filing first, as every step does (`moves.py`).
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import literal_column, or_, select, update
from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks
from core.deadlines.outage_recounts import Recounting
from core.deadlines.outages import Deadlines
from core.models import Clock
from core.workflows import history, todos
from enterprise.filings.clocks.time_limits import SYSTEM_OF_OUTAGES, place_of
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.many.clock_jobs import lock_filing_of, redate
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.moves import as_it_will_be, lock


def recounting(kinds: Mapping[str, FilingKind]) -> Recounting:
    """What counts anew after an outage was entered: filings that are open, and those that count as sent late."""
    return Recounting(
        SYSTEM_OF_OUTAGES, Filing, [or_(Filing.finished_at.is_(None), Filing.late), Filing.due_clock.is_(None)],
        lambda session, filing_id, deadlines: postpone(session, filing_id, deadlines, kinds),
    )  # fmt: skip


def of_clocks(kinds: Mapping[str, FilingKind]) -> Recounting:
    """The same of the deadlines that clocks count."""
    return Recounting(
        SYSTEM_OF_OUTAGES, Clock,
        [Clock.subject_type == "filing", Clock.counting == literal_column("'deadline'"), Clock.paused_on.is_(None)],
        lambda session, clock_id, deadlines: postpone_clock(session, clock_id, deadlines, kinds),
        day="last_day", before="before_outage",
    )  # fmt: skip


def postpone_clock(session: Session, clock_id: int, deadlines: Deadlines, kinds: Mapping[str, FilingKind]) -> bool:
    """Count a clock anew from the day that held without outages; whether its day changed.

    One that has rung stays: what followed from it stands. One that rings nothing may come back from being over.
    """
    filing = lock_filing_of(session, clock_id)
    row = session.get(Clock, clock_id, populate_existing=True)
    kind = kinds.get(filing.kind) if filing is not None else None
    if filing is None or kind is None or row is None or filing.finished_at is not None or row.paused_on is not None:
        return False
    if row.rung_at is not None and row.name in kind.ringing:
        return False
    new = deadlines.deadline(SYSTEM_OF_OUTAGES, place_of(filing), row.before_outage or row.last_day)
    former = row.last_day
    if clocks.recounted(former, new.day) != new.day:
        return False
    if (former, row.before_outage, row.outage_reason) == (new.day, new.before_outage, new.outage_reason):
        return False
    row.last_day, row.before_outage, row.outage_reason = new.day, new.before_outage, new.outage_reason
    if new.day >= clock.today():
        row.rung_at = None
    session.flush()
    periods = clocks.of(session, [filing.id])[filing.id]
    redate(session, kind, filing, periods, clocks.working_calendar(session, place_of(filing)))
    said = {
        "clock": row.name, "due_on": new.day.isoformat(), "former_due_on": former.isoformat(),
        "outage": new.outage_reason,
    }  # fmt: skip
    history.append(
        session,
        history.Move("filing", filing.id, "postpone", filing.status, filing.status, filing.version, None, said),
    )
    return new.day != former


def postpone(session: Session, filing_id: UUID, deadlines: Deadlines, kinds: Mapping[str, FilingKind]) -> bool:
    """Count one anew from the day that held without outages; whether its due date changed.

    Nobody is made late by an outage that is withdrawn: a day that would be over already stays as it was moved, and what
    counts as sent in time goes on doing so.
    """
    filing = lock(session, filing_id)
    if filing is None or filing.due_on is None or filing.status == DELETED:
        return False
    own = filing.due_on_before_outage or filing.due_on
    new = deadlines.deadline(SYSTEM_OF_OUTAGES, place_of(filing), own)
    if clocks.recounted(filing.due_on, new.day) != new.day:
        return False
    late = filing.late and _was_late(session, filing, own, deadlines)
    values = {**new.columns(), "late": late}
    if all(getattr(filing, name) == value for name, value in values.items()):
        return False
    session.execute(
        update(Filing)
        .where(Filing.id == filing.id)
        .values(**values, updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    todos.redate(session, filing.id, new.day, new.before_outage, new.outage_reason)
    kind = kinds.get(filing.kind)
    if kind is not None and kind.has_deadlines:
        # A clock may be due before the day to which its data was moved.
        periods = clocks.of(session, [filing.id]).get(filing.id, {})
        redate(
            session, kind, as_it_will_be(filing, values), periods, clocks.working_calendar(session, place_of(filing))
        )
    said = {
        "due_on": new.day.isoformat(), "former_due_on": filing.due_on.isoformat(), "outage": new.outage_reason,
        "late": late,
    }  # fmt: skip
    history.append(
        session,
        history.Move("filing", filing.id, "postpone", filing.status, filing.status, filing.version, None, said),
    )
    return new.day != filing.due_on


def _was_late(session: Session, filing: Filing, own: date, deadlines: Deadlines) -> bool:
    """Whether one of its sendings was behind its deadline, as outages move that now."""
    rows = session.execute(
        select(FilingVersion.sent_at, FilingVersion.tried_at, FilingVersion.due_on)
        .where(FilingVersion.filing_id == filing.id)
        .order_by(FilingVersion.number)
        .limit(1000)
    ).all()
    # What was sent before releases kept the deadline with it: known only where it was sent once.
    if len(rows) > 1 and any(row.due_on is None for row in rows):
        return filing.late
    place = place_of(filing)
    return any(
        (row.tried_at or row.sent_at).astimezone(clock.LOCAL).date()
        > deadlines.deadline(SYSTEM_OF_OUTAGES, place, row.due_on or own).day
        for row in rows
    )
