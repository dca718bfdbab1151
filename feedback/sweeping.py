"""What ratings leave behind: windows that are over, SMS codes that the throttle asks for no more."""

from datetime import timedelta

from core import clock
from core.db import Database
from core.jobs.scheduler import RareJob
from core.jobs.sweeping import delete_in_batches
from core.retention.periods import PERIODS, RetentionSettings
from feedback.models import RatingWindow, SmsCode

CODES_KEPT = timedelta(days=PERIODS["keep_sms_codes_days"].default)
"""Where no setting says otherwise."""


def sweep(database: Database, codes_kept: timedelta = CODES_KEPT) -> int:
    """Delete what is over; returns how many rows."""
    now = clock.now()
    windows = delete_in_batches(database, RatingWindow.key, RatingWindow.until <= now)
    return windows + delete_in_batches(database, SmsCode.id, SmsCode.created_at < now - codes_kept)


def hourly(settings: RetentionSettings) -> RareJob:
    """The sweep as a job of the scheduler."""
    kept = settings.kept("keep_sms_codes_days")
    return RareJob("rating windows and SMS codes", lambda database: sweep(database, kept), timedelta(hours=1))
