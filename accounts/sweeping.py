"""What accounts leave behind: throttles whose window is over, sessions long ended. The audit of sign-ins stays."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, or_
from sqlalchemy.orm import Session

from accounts.models import Throttle, UserSession
from core import clock

SESSIONS_KEPT = timedelta(days=90)
"""How long an ended session still lets its holder be known (see `throttle.py`)."""


def sweep(session: Session) -> int:
    """Delete what is over; returns how many rows."""
    now = clock.now()
    old = now - SESSIONS_KEPT
    statements = (
        delete(Throttle).where(Throttle.until <= now),
        delete(UserSession).where(or_(UserSession.ended_at < old, UserSession.expires_at < old)),
    )
    return sum(cast("CursorResult[Any]", session.execute(statement)).rowcount for statement in statements)
