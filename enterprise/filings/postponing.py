"""Due dates of filings that outages (系统故障) move; the rule stands in `core/deadlines/outages.py`.

Whoever counts one anew locks the filing first, as every step does (`moves.py`).
"""

from datetime import date
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks
from core.deadlines.outage_recounts import Recounting
from core.deadlines.outages import Deadlines
from core.workflows import history, todos
from enterprise.filings.clocks_and_todos import SYSTEM
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.moves import lock


def recounting() -> Recounting:
    """What counts anew after an outage was entered: filings that are open, and those that count as sent late."""
    return Recounting(
        SYSTEM, Filing, [or_(Filing.finished_at.is_(None), Filing.late), Filing.due_clock.is_(None)], postpone
    )


def postpone(session: Session, filing_id: UUID, deadlines: Deadlines) -> bool:
    """Count one anew from the day that held without outages; whether its due date changed.

    Nobody is made late by an outage that is withdrawn: a day that would be over already stays as it was moved, and what
    counts as sent in time goes on doing so.
    """
    filing = lock(session, filing_id)
    if filing is None or filing.due_on is None or filing.status == DELETED:
        return False
    own = filing.due_on_before_outage or filing.due_on
    new = deadlines.deadline(SYSTEM, (filing.area1, filing.area2, filing.area3), own)
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
    place = (filing.area1, filing.area2, filing.area3)
    return any(
        (row.tried_at or row.sent_at).astimezone(clock.LOCAL).date()
        > deadlines.deadline(SYSTEM, place, row.due_on or own).day
        for row in rows
    )
