"""Deadlines of bad ratings (差评) counted anew.

Those that were counted on guessed working days, when the days are known; and those that an outage (系统故障) moves.
"""

from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import clock
from core.deadlines import clocks
from core.deadlines.outage_recounts import Recounting
from core.deadlines.outages import Deadlines
from core.jobs.one_by_one import OneByOne
from core.workflows import todos
from feedback.follow_ups.deadlines import SYSTEM, columns, deadline, deadline_of
from feedback.follow_ups.operations import apply_step
from feedback.follow_ups.steps import StepResult
from feedback.models import Rating, RatingFollowUp

Key = tuple[date, UUID]
"""A rating by its deadline and its id."""
_OPEN = Rating.due_on_provisional, Rating.closed_at.is_(None)


def recounting() -> OneByOne[Key]:
    """A job of the scheduler: one rating a transaction; one that is done or closed is not touched again."""
    return OneByOne("rating deadlines", due, lambda session, key: recount(session, key[1]))


def due(session: Session, after: Key | None = None, limit: int = 200) -> list[Key]:
    """Open ratings whose deadline is provisional and lies in a year that is known now."""
    return clocks.in_known_years(session, Rating.due_on, Rating.id, after, limit, *_OPEN)


def recount(session: Session, rating_id: UUID) -> bool:
    """Count one anew; False where that is no longer needed. A changed day goes into the history and the to-do."""
    rating = session.scalars(
        select(Rating).where(Rating.id == rating_id, *_OPEN).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if rating is None or rating.due_on is None:
        return False
    follow_up = session.get_one(RatingFollowUp, rating_id, populate_existing=True)
    start = rating.submitted_at.astimezone(clock.LOCAL).date()
    place = (rating.area1, rating.area2, rating.area3)
    counted = deadline(session, place, start, extended=follow_up.extended)
    if counted.day == rating.due_on and counted.before_outage == rating.due_on_before_outage:
        session.execute(
            update(Rating)
            .where(Rating.id == rating_id)
            .values(due_on_provisional=counted.provisional)
            .execution_options(synchronize_session=False)
        )
        if not counted.provisional:
            todos.settle(session, rating_id)
        return True
    day = clocks.recounted(rating.due_on, counted.day)
    moved = columns(counted if day == counted.day else replace(counted, day=day))
    said = {"due_on": day.isoformat(), "former_due_on": rating.due_on.isoformat(), "counted": counted.day.isoformat()}
    apply_step(session, None, rating, follow_up, "recount", StepResult(moved, payload=said))
    return True


def outages() -> Recounting:
    """What counts anew after an outage was entered: open ratings."""
    return Recounting(SYSTEM, Rating, [Rating.closed_at.is_(None), Rating.due_on.is_not(None)], postpone)


def postpone(session: Session, rating_id: UUID, deadlines: Deadlines) -> bool:
    """Count one anew from the day that held without outages; whether its deadline changed.

    Nobody is made late by an outage that is withdrawn: a day that would be over already stays as it was moved.
    """
    rating = session.scalars(
        select(Rating)
        .where(Rating.id == rating_id, Rating.closed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    now = deadline_of(rating) if rating is not None else None
    if rating is None or now is None:
        return False
    place = (rating.area1, rating.area2, rating.area3)
    moved = deadlines.deadline(SYSTEM, place, now.before_outage or now.day)
    new = replace(moved, provisional=now.provisional or moved.provisional)
    if new == now or clocks.recounted(now.day, new.day) != new.day:
        return False
    follow_up = session.get_one(RatingFollowUp, rating_id, populate_existing=True)
    said = {"due_on": new.day.isoformat(), "former_due_on": now.day.isoformat(), "outage": new.outage_reason}
    apply_step(session, None, rating, follow_up, "postpone", StepResult(columns(new), payload=said))
    return True
