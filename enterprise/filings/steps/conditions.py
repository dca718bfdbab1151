"""What a step asks for besides its form (办理条件): the time that must be over, other people, confirmations, its guard.

Each is asked when the step is taken, and those that say whether it is offered at all also when a filing is shown.
"""

from datetime import timedelta

from sqlalchemy import select

from core import clock
from core.deadlines import clocks
from core.errors import Problem
from core.models import HistoryEntry
from enterprise.filings.declaring.declarations import Move
from enterprise.filings.sides import parties


def refuse(move: Move) -> None:
    """Raises Problem where the step may not be taken now."""
    refuse_offer(move)
    needed = move.step.needs_over
    period = clocks.of(move.session, [move.filing.id]).get(move.filing.id, {}).get(needed) if needed else None
    if period is not None and period.paused_on is None and period.last_day >= clock.today():
        day = period.last_day + timedelta(days=1)
        raise Problem("too_early", f"期限未满，{day.year}年{day.month}月{day.day}日起可以办理")
    if needed is not None and (period is None or period.paused_on is not None):
        raise Problem("too_early")


def is_offered(move: Move) -> bool:
    """Whether the step is offered to the actor: all but the time that must be over."""
    try:
        refuse_offer(move)
    except Problem:
        return False
    return True


def refuse_offer(move: Move) -> None:
    """Raises Problem where the step is not for this filing, not yet, or not for this person."""
    step = move.step
    if step.guard is not None:
        step.guard(move)
    for action in step.other_than:
        if move.actor is not None and _last_taker(move, action) == move.actor.user_id:
            raise Problem("forbidden", "前一环节由您办理，该环节须由另一名人员办理")
    needed = step.needs_confirmed
    if needed is not None and not parties.all_confirmed(move.session, move.filing.id, needed):
        raise Problem(
            "wrong_status", f"{needed.label}尚未全部确认，请待全部确认后办理", current_status=move.filing.status
        )


def _last_taker(move: Move, action: str) -> object:
    """Who took the last step of that action; None for nobody, or the system."""
    return move.session.scalar(
        select(HistoryEntry.actor_id)
        .where(HistoryEntry.subject_id == move.filing.id, HistoryEntry.action == action)
        .order_by(HistoryEntry.seq.desc())
        .limit(1)
    )
