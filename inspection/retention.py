"""How long drafts (信息暂存) and keys of phones' exports (导出未发送) are kept.

Submitted records stay as long as their case files (案卷).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Text, delete, exists, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session, aliased

from core import clock
from core.retention.running import Rule, keys_behind
from inspection.models import Inspection, OutboxKey
from inspection.records.content import subject_of
from inspection.submissions import attachments
from inspection.workflows import DELETED, DRAFT, WORKFLOWS

_Later = aliased(OutboxKey)


def _forgotten_drafts(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    forgotten = (Inspection.status == DRAFT, Inspection.updated_at < limit)
    return keys_behind(session, Inspection.id, after, most, *forgotten)


def _delete_drafts(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    """As their owner deletes them; their files are free then, and removed with the other unclaimed ones."""
    due = select(Inspection).where(Inspection.id.in_(ids), Inspection.status == DRAFT, Inspection.updated_at < limit)
    drafts = session.scalars(due.order_by(Inspection.id).with_for_update()).all()
    for draft in drafts:
        values = {"updated_at": clock.now()}
        WORKFLOWS[draft.record_type].move(session, None, draft, "expire", values, {"reason": "长期未再保存"})
        attachments.release_dropped(session, subject_of(draft.record_type, draft.id), frozenset())
    return len(drafts)


def _deleted(limit: datetime) -> tuple[ColumnElement[bool], ...]:
    return Inspection.status == DELETED, Inspection.updated_at < limit, sql_cast(Inspection.data, Text) != "{}"


def _deleted_drafts(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    return keys_behind(session, Inspection.id, after, most, *_deleted(limit))


def _empty_drafts(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    """The row stays for its history and its id, which no other record may take."""
    emptied = session.execute(
        update(Inspection)
        .where(Inspection.id.in_(ids), *_deleted(limit))
        .values(data={}, org_name=None, uscc=None, operator_name=None)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", emptied).rowcount


def _replaced(limit: datetime) -> ColumnElement[bool]:
    """The newest key is always kept, and each until its successor has been there for the whole period."""
    return exists().where(_Later.id > OutboxKey.id, _Later.made_at < limit)


def _replaced_keys(session: Session, limit: datetime, after: int | None, most: int) -> Sequence[int]:
    return keys_behind(session, OutboxKey.id, after, most, _replaced(limit))


def _remove_keys(session: Session, limit: datetime, ids: Sequence[int]) -> int:
    gone = session.execute(
        delete(OutboxKey).where(OutboxKey.id.in_(ids), _replaced(limit)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount


RULES = (
    Rule("keep_drafts_days", _forgotten_drafts, _delete_drafts),
    Rule("keep_deleted_drafts_days", _deleted_drafts, _empty_drafts),
    Rule("keep_outbox_keys_days", _replaced_keys, _remove_keys),
)
