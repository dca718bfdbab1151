"""Which records the actor may read, and which may still be written to.

A draft is read by the user name that saved it, a submitted record by everybody whose office covers its region.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Problem, not_found
from core.models import HistoryEntry
from core.workflows.versions import refuse_stale, sent_version
from inspection.models import Inspection
from inspection.workflows import DELETED, DRAFT, SUBMITTED, VOIDED

OWN_TIME = timedelta(hours=24)
"""So long the user name that entered a record corrects and voids it (`corrections/authority.py`)."""

_DELETED_MEANWHILE = (
    "这条暂存记录已被删除（可能是在您的另一部手机上）；如需保留本机所填内容，请另存为新的记录（使用新的编号）后再提交"
)


def get_readable(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """The record; 404 when it is not there, was deleted, or the actor may not read it."""
    record = _stored(session, record_id)
    if record is None or record.status == DELETED or not _may_read(actor, record_type, record):
        raise not_found()
    return record


def may_read(record_type: str, session: Session, actor: Actor, record_id: UUID) -> bool:
    """For the subject registry."""
    record = _stored(session, record_id)
    return record is not None and record.status != DELETED and _may_read(actor, record_type, record)


def reads_numbers(actor: Actor, record: Inspection) -> bool:
    """Whether the actor reads the whole telephone numbers of a record: the office that entered it, while it handles it.

    That is while it is a draft, may be corrected by who entered it (within a day, or sent back), or has a disposal
    under way. Whoever corrects it later sends a masked number back as it was read, which stands for the stored one.
    """
    if record.office_id not in actor.offices or record.status == VOIDED:
        return False
    if record.status == DRAFT or record.submitted_at is None:
        return True
    fresh = clock.now() - record.submitted_at <= OWN_TIME
    return fresh or record.returned is not None or record.disposal_state == "in_progress"


def get_writable(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """The record to write to; 404 as for `get_readable`, 409 `handed_over` for one that somebody else goes on with."""
    record = get_own(session, actor, record_type, record_id)
    if record.status == DELETED:
        raise Problem("not_found", _DELETED_MEANWHILE)
    return record


def get_own(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """As `get_writable`, but also a draft that was deleted."""
    record = _stored(session, record_id)
    if record is not None:
        _refuse_handed_over(session, actor, record_type, record)
    if record is None or not _may_read(actor, record_type, record):
        raise not_found()
    return record


def refreshed(session: Session, record: Inspection) -> Inspection:
    """A record that the actor may read, as it is stored now."""
    return session.get_one(Inspection, record.id, populate_existing=True)


def _stored(session: Session, record_id: UUID) -> Inspection | None:
    return session.get(Inspection, record_id, populate_existing=True)


def _may_read(actor: Actor, record_type: str, record: Inspection) -> bool:
    if record.record_type != record_type:
        return False
    if record.status in (SUBMITTED, VOIDED):
        return actor.scope.contains(record.area1, record.area2, record.area3)
    return record.created_by == actor.user_id


def _refuse_handed_over(session: Session, actor: Actor, record_type: str, record: Inspection) -> None:
    """409 `handed_over` for a record that the actor once held and somebody else goes on with.

    Also when it was submitted meanwhile, so that nobody takes what is still on the old phone for what was submitted.
    """
    if record.begun_by is None or record.record_type != record_type or record.created_by == actor.user_id:
        return
    held = exists().where(HistoryEntry.subject_id == record.id, HistoryEntry.actor_id == actor.user_id)
    if record.begun_by == actor.user_id or session.scalar(select(held)):
        detail = f"该记录已移交 {record.username} 继续填报，本机内容未上传；请与其核对，或换新编号另存为新的记录"
        raise Problem("handed_over", detail, handed_over_to=record.username)


def refuse_written(record: Inspection | None, body: Mapping[str, Any]) -> None:
    """409 `already_submitted` for what is no draft any more, `stale_version` for a draft that has another version."""
    if record is None:
        sent_version(body)
        return
    refuse_submitted(record)
    refuse_stale(record.version, body)


def refuse_submitted(record: Inspection) -> None:
    """409 `already_submitted`."""
    if record.status == SUBMITTED:
        raise Problem("already_submitted", current_version=record.version)
    if record.status == VOIDED:
        detail = "该记录提交后已作废，不能再次填报；需要重新填报的，请换新编号另建一条记录"
        raise Problem("already_submitted", detail, current_version=record.version)


def refuse_unsubmitted(record: Inspection) -> None:
    """409 `wrong_status` for what changes submitted records only, with what to do instead."""
    if record.status == DRAFT:
        detail = "该记录尚未提交；请直接修改暂存内容，不需要的请删除暂存"
        raise Problem("wrong_status", detail, current_status=DRAFT)
    if record.status == VOIDED:
        detail = "该记录已作废，不能再处置、更正、退回或作废；需要重新填报的，请另建一条记录"
        raise Problem("wrong_status", detail, current_status=VOIDED)
