"""How long tries to send a filing (提交尝试) are kept: while it is open, they decide whether it was late."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, exists, select
from sqlalchemy.orm import Session

from core.retention.running import Rule
from enterprise.filings.models import DELETED, Filing, SendingTry


def _over(limit: datetime) -> tuple[ColumnElement[bool], ...]:
    living = exists().where(
        Filing.id == SendingTry.filing_id,
        Filing.status != DELETED,
        Filing.finished_at.is_(None) | (Filing.finished_at >= limit),
    )
    return SendingTry.at < limit, ~living


def _old_tries(session: Session, limit: datetime, after: bytes | None, most: int) -> Sequence[bytes]:
    old = select(SendingTry.key).where(*_over(limit))
    if after is not None:
        old = old.where(SendingTry.key > after)
    return session.scalars(old.order_by(SendingTry.key).limit(most)).all()


def _remove_tries(session: Session, limit: datetime, keys: Sequence[bytes]) -> int:
    gone = session.execute(
        delete(SendingTry).where(SendingTry.key.in_(keys), *_over(limit)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount


RULES = (Rule("keep_sending_tries_days", _old_tries, _remove_tries),)
