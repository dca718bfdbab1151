"""What ratings leave behind: gates that are open again, SMS codes that the throttle asks for no more."""

from typing import Any, cast

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from core import clock
from feedback.models import RatingGate, SmsCode
from feedback.phone_proof import KEPT


def sweep(session: Session) -> int:
    """Delete what is over (a job of the scheduler); returns how many rows."""
    now = clock.now()
    statements = (
        delete(RatingGate).where(RatingGate.until <= now),
        delete(SmsCode).where(SmsCode.created_at < now - KEPT),
    )
    return sum(cast("CursorResult[Any]", session.execute(statement)).rowcount for statement in statements)
