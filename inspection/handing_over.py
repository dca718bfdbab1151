"""Drafts (信息暂存) that go to a colleague, and what a phone that still holds them is told."""

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.verbs import Verb, verbs_of
from core import clock
from core.actor import Actor
from core.errors import Problem, invalid
from core.models import HistoryEntry, Todo
from inspection.corrections.reminders import TODO_REJECTED, TODO_RETURNED
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

    Without a colleague they go along with the user. What is submitted at this very moment is submitted: a draft is
    locked before it is looked at.
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
        WORKFLOWS[draft.book].move(session, actor, draft, "hand_over", values, said)
    if drafts:
        moved["drafts"] += len(drafts)


def _readdress(session: Session, former: User, heir: User | None) -> None:
    """What the user was asked to mend (退回更正) is the colleague's now, or anybody's at the office of the record.

    Colleagues of that office may mend what somebody who has left entered (`authority.py`), and nobody else: of whoever
    stays, or for an heir elsewhere, nothing is readdressed to where it could not be done.
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


def refuse_handed_over(session: Session, actor: Actor, book: str, record_id: UUID) -> None:
    """409 `handed_over` for a record that the actor once held and somebody else goes on with.

    Also when it was submitted meanwhile: what stands on the old phone is not what was submitted, and must not be taken
    for it.
    """
    record = session.get(Inspection, record_id, populate_existing=True)
    if record is None or record.begun_by is None or record.book != book or record.created_by == actor.user_id:
        return
    held = exists().where(HistoryEntry.subject_id == record_id, HistoryEntry.actor_id == actor.user_id)
    if record.begun_by == actor.user_id or session.scalar(select(held)):
        detail = f"该记录已移交 {record.username} 继续填报，本机内容未上传；请与其核对，或换新编号另存为新的记录"
        raise Problem("handed_over", detail, handed_over_to=record.username)
