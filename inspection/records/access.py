"""Which records the actor may read, and which drafts now belong to somebody else."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Problem, not_found
from core.models import HistoryEntry
from inspection.models import Inspection
from inspection.workflows import DELETED, SUBMITTED, VOIDED


def find_readable(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection | None:
    """The record if it is there; 404 if the actor may not see it.

    A draft is seen by the user name that saved it, what was submitted by whoever's office covers it.
    """
    record = session.get(Inspection, record_id, populate_existing=True)
    if record is None:
        return None
    if record.status in (SUBMITTED, VOIDED):
        readable = actor.scope.contains(record.area1, record.area2, record.area3)
    else:
        readable = record.created_by == actor.user_id
    if record.record_type != record_type or not readable:
        raise not_found()
    return record


def get_readable(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """The record; 404 also when it is not there or was deleted."""
    record = find_readable(session, actor, record_type, record_id)
    if record is None or record.status == DELETED:
        raise not_found()
    return record


def may_read(record_type: str, session: Session, actor: Actor, record_id: UUID) -> bool:
    """For the subject registry."""
    try:
        get_readable(session, actor, record_type, record_id)
    except Problem:
        return False
    return True


def refuse_handed_over(session: Session, actor: Actor, record_type: str, record_id: UUID) -> None:
    """409 `handed_over` for a record that the actor once held and somebody else goes on with.

    Also when it was submitted meanwhile: what stands on the old phone is not what was submitted, and must not be taken
    for it.
    """
    record = session.get(Inspection, record_id, populate_existing=True)
    if (
        record is None
        or record.begun_by is None
        or record.record_type != record_type
        or record.created_by == actor.user_id
    ):
        return
    held = exists().where(HistoryEntry.subject_id == record_id, HistoryEntry.actor_id == actor.user_id)
    if record.begun_by == actor.user_id or session.scalar(select(held)):
        detail = f"该记录已移交 {record.username} 继续填报，本机内容未上传；请与其核对，或换新编号另存为新的记录"
        raise Problem("handed_over", detail, handed_over_to=record.username)
