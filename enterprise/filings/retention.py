"""How long what a deleted draft of a filing said is kept, and tries to send one (提交尝试).

Tries decide whether a filing was late while it is open. A draft that is not deleted is its enterprise's, and kept; what
was sent stays as long as the case file (案卷).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Text, delete, exists, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from core.retention.running import Rule, keys_behind
from enterprise.filings.models import DELETED, Filing, SendingTry


def _over(limit: datetime) -> tuple[ColumnElement[bool], ...]:
    living = exists().where(
        Filing.id == SendingTry.filing_id,
        Filing.status != DELETED,
        Filing.finished_at.is_(None) | (Filing.finished_at >= limit),
    )
    return SendingTry.at < limit, ~living


def _old_tries(session: Session, limit: datetime, after: bytes | None, most: int) -> Sequence[bytes]:
    return keys_behind(session, SendingTry.key, after, most, *_over(limit))


def _remove_tries(session: Session, limit: datetime, keys: Sequence[bytes]) -> int:
    gone = session.execute(
        delete(SendingTry).where(SendingTry.key.in_(keys), *_over(limit)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount


def _deleted(limit: datetime) -> tuple[ColumnElement[bool], ...]:
    said = (sql_cast(Filing.data, Text) != "{}") | (sql_cast(Filing.documents, Text) != "[]")
    return Filing.status == DELETED, Filing.sent == 0, Filing.updated_at < limit, said


def _deleted_drafts(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    return keys_behind(session, Filing.id, after, most, *_deleted(limit))


def _empty_drafts(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    """The row stays for its history and its id."""
    emptied = session.execute(
        update(Filing)
        .where(Filing.id.in_(ids), *_deleted(limit))
        .values(data={}, documents=[])
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", emptied).rowcount


RULES = (
    Rule("keep_sending_tries_days", _old_tries, _remove_tries),
    Rule("keep_deleted_drafts_days", _deleted_drafts, _empty_drafts),
)
