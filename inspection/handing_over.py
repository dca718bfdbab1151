"""Drafts (信息暂存) that go to a colleague; a phone that still holds one is refused (`records/access.py`)."""

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.verbs import Verb, verbs_of
from core import clock
from core.actor import Actor
from core.errors import invalid
from core.models import Todo
from inspection.corrections.correction_todos import TODO_REJECTED, TODO_RETURNED
from inspection.models import Inspection
from inspection.workflows import DRAFT, WORKFLOWS


def hand_over(
    session: Session,
    *,
    actor: Actor | None,
    former: User,
    heir: User | None,
    leaves: bool,
    moved: Counter[str],
    **_more: Any,
) -> None:
    """Listener of `HANDED_OVER`: the colleague owns the drafts from now on; a mark says who began them.

    Without a colleague the drafts stay with the user. A draft that is submitted at this very moment is passed over,
    because each is locked before it is read.
    """
    if leaves:
        _readdress(session, former, heir)
    if heir is None:
        return
    mine = select(Inspection).where(Inspection.created_by == former.id, Inspection.status == DRAFT)
    drafts = session.scalars(
        mine.order_by(Inspection.id).with_for_update().execution_options(populate_existing=True)
    ).all()
    if drafts and Verb.INSPECTION_WRITE not in verbs_of(heir.roles):
        raise invalid("/hand_over_to", "cannot_fill", "接收人没有填报权限，不能接收暂存的检查记录，请选择其他人员")
    for draft in drafts:
        values = {
            "created_by": heir.id, "username": heir.username, "operator_name": None, "updated_at": clock.now(),
            "begun_by": draft.begun_by or former.id, "begun_by_name": draft.begun_by_name or former.username,
        }  # fmt: skip
        said = {"from": former.username, "to": heir.username}
        WORKFLOWS[draft.record_type].move(session, actor, draft, "hand_over", values, said)
    if drafts:
        moved["drafts"] += len(drafts)


def _readdress(session: Session, former: User, heir: User | None) -> None:
    """Address the to-dos of corrections (退回更正) to the colleague, or to everybody at the office of the record.

    Only colleagues of that office may correct what a user entered who has left (`authority.py`), so nothing is
    addressed to a colleague at another office.
    """
    wanted = select(Todo).where(
        Todo.user_id == former.id, Todo.closed_at.is_(None), Todo.kind.in_((TODO_RETURNED, TODO_REJECTED))
    )
    for todo in session.scalars(wanted):
        if heir is not None and heir.office_id == former.office_id:
            todo.user_id = heir.id
        else:
            todo.user_id, todo.verb, todo.office_id = None, Verb.INSPECTION_WRITE, former.office_id
    session.flush()
