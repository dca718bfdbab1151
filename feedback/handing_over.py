"""Bad ratings (差评) that are assigned to somebody who leaves go to a colleague, or back to all of the office."""

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import User
from accounts.verbs import verbs_of
from core import clock
from core.actor import Actor
from feedback.follow_ups.operations import apply_step
from feedback.follow_ups.steps import StepResult
from feedback.models import Rating, RatingFollowUp
from feedback.workflows import HANDLE


def hand_over(
    session: Session, *, actor: Actor | None, former: User, heir: User | None, moved: Counter[str], **_more: Any
) -> None:
    """Listener of `HANDED_OVER`: the colleague handles them, if handler of the rated office, else whoever is."""
    assigned = (
        select(Rating, RatingFollowUp)
        .join(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
        .where(Rating.closed_at.is_(None), RatingFollowUp.handler_id == former.id)
        .order_by(Rating.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for rating, follow_up in session.execute(assigned).all():
        fits = (
            heir is not None
            and HANDLE in verbs_of(heir.roles)
            and offices.acts_for(session, heir.office_id, rating.office_id)
        )
        new = heir if fits else None
        values = {"handler_id": new.id if new else None, "assigned_at": clock.now() if new else None}
        said = {"handler": new.username if new else None, "former_handler": former.username}
        apply_step(session, actor, rating, follow_up, "hand_over", StepResult(follow_up=values, payload=said))
        moved["ratings"] += 1
