"""How long the accounts room keeps what it holds of persons: the access log, applications that were refused."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from accounts.access_log.models import AccessEntry, AccessSubject
from accounts.models import AccountApplication
from core.privacy import in_row
from core.retention.running import Rule, keys_behind
from core.workflows import history


def _old_entries(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    """Ids begin with the time of the entry, so that the living part of the log is not looked through."""
    last = UUID(int=int(limit.timestamp() * 1000) + 1 << 80)
    return keys_behind(session, AccessEntry.id, after, most, AccessEntry.id < last, AccessEntry.at < limit)


def _remove_entries(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    old = list(session.scalars(select(AccessEntry.id).where(AccessEntry.id.in_(ids), AccessEntry.at < limit)))
    with history.maintained(session):
        session.execute(delete(AccessSubject).where(AccessSubject.entry_id.in_(old)))
        gone = session.execute(delete(AccessEntry).where(AccessEntry.id.in_(old)))
    return cast("CursorResult[Any]", gone).rowcount


_REFUSED = (AccountApplication.status == "rejected", AccountApplication.username != "")


def _refused_applications(session: Session, limit: datetime, after: UUID | None, most: int) -> Sequence[UUID]:
    old = (*_REFUSED, AccountApplication.decided_at < limit)
    return keys_behind(session, AccountApplication.id, after, most, *old)


def _forget_applicants(session: Session, limit: datetime, ids: Sequence[UUID]) -> int:
    """That there was an application, its decision and its history stay, because histories of records never end."""
    forgotten = 0
    for one in ids:
        values = in_row(
            AccountApplication,
            {"applicant_name": "", "mobile": "", "username": "", "password_hash": None, "reason": None},
            id=one,
        )
        due = (AccountApplication.id == one, *_REFUSED, AccountApplication.decided_at < limit)
        done = session.execute(
            update(AccountApplication).where(*due).values(values).execution_options(synchronize_session=False)
        )
        forgotten += cast("CursorResult[Any]", done).rowcount
    return forgotten


RULES = (
    Rule("keep_access_log_days", _old_entries, _remove_entries),
    Rule("keep_refused_applications_days", _refused_applications, _forget_applicants),
)
