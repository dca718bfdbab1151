"""What ratings leave behind: windows that are over, SMS codes that the throttle asks for no more."""

from core import clock
from core.db import Database
from core.jobs.sweeping import delete_in_batches
from feedback.models import RatingWindow, SmsCode
from feedback.ratings.phone_proof import KEPT


def sweep(database: Database) -> int:
    """Delete what is over (a job of the scheduler); returns how many rows."""
    now = clock.now()
    windows = delete_in_batches(database, RatingWindow.key, RatingWindow.until <= now)
    return windows + delete_in_batches(database, SmsCode.id, SmsCode.created_at < now - KEPT)
