"""What a reader may do with a record now: the buttons of its page.

The operations check anew when they are called; this only keeps people from being offered what would be refused.
"""

from typing import Any, Literal

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection.corrections import request_queries, requests
from inspection.corrections.authority import in_own_time, is_owner, is_superior, may_correct, may_decide
from inspection.corrections.rectifications import has_open, may_order
from inspection.kinds import CHECK
from inspection.models import Inspection
from inspection.workflows import SUBMITTED

Action = Literal["dispose", "rectify", "correct", "ask_correction", "return", "void"]


def actions_of(session: Session, record: Inspection, actor: Actor) -> dict[str, Any]:
    """`actions` in the order in which they are offered, and the application (更正申请) that waits for a decision."""
    if record.status != SUBMITTED:
        return {"actions": [], "pending_request": None}
    pending = requests.pending_of(session, record.id)
    seen = pending is not None and request_queries.may_read(session, actor, pending.id)
    return {
        "actions": _offered(session, record, actor, undecided=pending is not None),
        "pending_request": str(pending.id) if pending is not None and seen else None,
    }


def _offered(session: Session, record: Inspection, actor: Actor, *, undecided: bool) -> list[Action]:
    orders: list[Action] = ["rectify"] if may_order(session, record, actor) else []
    if Verb.INSPECTION_WRITE not in actor.verbs:
        return orders
    decides = may_decide(session, record, actor)
    direct = may_correct(session, record, actor)
    offered: dict[Action, bool] = {
        "dispose": record.record_type == CHECK and record.disposal_state == "in_progress",
        "rectify": bool(orders),
        "correct": direct or is_superior(session, record, actor),
        "ask_correction": not direct and is_owner(session, record, actor),
        "return": decides and not undecided,
        "void": (in_own_time(record, actor) or decides) and not has_open(session, record.id),
    }
    return [action for action, may in offered.items() if may]
