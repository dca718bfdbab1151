"""By when a bad rating (差评) is answered (spec/b_rating §4)."""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.deadlines import clocks, outages
from core.deadlines.clocks import Deadline, Place
from feedback.models import Rating

SYSTEM = "ratings"
"""The system of an outage (系统故障) that moves these deadlines."""
WORKING_DAYS = 5
"""Working days (工作日) from the submission in which a bad rating is answered."""
EXTENDED_WORKING_DAYS = 15
"""The same once 限期整改 was decided."""


def deadline(session: Session, place: Place, submitted_on: date, *, extended: bool = False) -> Deadline:
    """The last day, as days are counted at the office that is rated (`place`: its chain of regions)."""
    days = EXTENDED_WORKING_DAYS if extended else WORKING_DAYS
    counted = clocks.working_deadline(session, place, submitted_on, days)
    moved = outages.deadline(session, SYSTEM, place, counted.day)
    return replace(moved, provisional=counted.provisional or moved.provisional)


def deadline_of(rating: Rating) -> Deadline | None:
    """The deadline of a bad rating as it holds now."""
    if rating.due_on is None:
        return None
    return Deadline(
        rating.due_on, rating.due_on_provisional, rating.due_on_before_outage, rating.outage_reason
    )  # fmt: skip


def columns(due: Deadline | None) -> dict[str, Any]:
    """A deadline for the columns of a rating."""
    return (due.columns() if due else outages.NO_DUE) | {"due_on_provisional": due is not None and due.provisional}
