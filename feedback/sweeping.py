"""What ratings leave behind: gates that are open again, SMS codes that the throttle asks for no more."""

from core import clock
from core.db import Database
from core.jobs.sweeping import delete_in_batches
from feedback.models import RatingGate, SmsCode
from feedback.ratings.phone_proof import KEPT


def sweep(database: Database) -> int:
    """Delete what is over (a job of the scheduler); returns how many rows."""
    now = clock.now()
    gates = delete_in_batches(database, RatingGate.key, RatingGate.until <= now)
    return gates + delete_in_batches(database, SmsCode.id, SmsCode.created_at < now - KEPT)
