"""What accounts leave behind: throttles whose window is over, sessions long ended, failed sign-ins long past.

The audit of who came in stays. What failed is written by strangers, as much as they like, and goes after half a year.
"""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_, select
from sqlalchemy.orm import Session

from accounts.models import SignIn, Throttle, UserSession
from core import clock
from core.db import Database
from core.scheduler import RareJob

SESSIONS_KEPT = timedelta(days=90)
"""How long an ended session still lets its holder be known (see `throttle.py`)."""

FAILED_KEPT = timedelta(days=183)
"""A little over the six months for which network logs must be kept (网络安全法 art. 21)."""
_BATCH = 500


def sweep(session: Session) -> int:
    """Delete what is over; returns how many rows."""
    now = clock.now()
    old = now - SESSIONS_KEPT
    statements = (
        delete(Throttle).where(Throttle.until <= now),
        delete(UserSession).where(or_(UserSession.ended_at < old, UserSession.expires_at < old)),
    )
    return sum(cast("CursorResult[Any]", session.execute(statement)).rowcount for statement in statements)


def sweep_failed(database: Database) -> int:
    """Delete old sign-ins that failed, some hundred at a time; how many."""
    limit, after, deleted = clock.now() - FAILED_KEPT, 0, 0
    old = select(SignIn.id).where(SignIn.at < limit, SignIn.outcome != "signed_in").order_by(SignIn.id).limit(_BATCH)
    while True:
        with database.read() as session:
            ids = session.scalars(old.where(SignIn.id > after)).all()
        if not ids:
            return deleted
        with database.write() as session:
            session.execute(delete(SignIn).where(SignIn.id.in_(ids)).execution_options(synchronize_session=False))
        after, deleted = ids[-1], deleted + len(ids)


def daily() -> RareJob:
    """The sweep of failed sign-ins as a job of the scheduler."""
    return RareJob("failed sign-ins", sweep_failed, timedelta(days=1))
