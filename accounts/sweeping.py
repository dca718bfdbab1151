"""Removes old rows of accounts: throttles whose window is over, sessions long ended, failed sign-ins long past.

The audit of successful sign-ins stays. Failed ones can be caused by anybody in any number and go after half a year.
"""

from datetime import timedelta

from sqlalchemy import func, or_, select

from accounts.models import SignIn, Throttle, UserSession, WeChatBinding
from accounts.sign_in.wechat_bindings import KEPT_UNUSED
from core import clock
from core.db import Database
from core.jobs.scheduler import RareJob
from core.jobs.sweeping import delete_in_batches

SESSIONS_KEPT = timedelta(days=90)
"""How long an ended session still counts as an earlier sign-in (see `throttle.py`)."""

FAILED_KEPT = timedelta(days=183)
"""A little over the six months for which network logs must be kept (网络安全法 art. 21)."""


def sweep(database: Database) -> int:
    """Delete throttles, sessions and WeChat bindings that are over; returns how many rows."""
    now = clock.now()
    old = now - SESSIONS_KEPT
    throttles = delete_in_batches(database, Throttle.key, Throttle.until <= now)
    ended = or_(UserSession.ended_at < old, UserSession.expires_at < old)
    unused = delete_in_batches(database, WeChatBinding.id, WeChatBinding.last_used_at < now - KEPT_UNUSED)
    return throttles + unused + delete_in_batches(database, UserSession.id, ended)


def sweep_failed(database: Database) -> int:
    """Delete old sign-ins that failed; how many. The newest row stays: SQLite would give its number away again."""
    newest = select(func.max(SignIn.id)).scalar_subquery()
    old = (SignIn.at < clock.now() - FAILED_KEPT) & (SignIn.outcome != "signed_in") & (SignIn.id < newest)
    return delete_in_batches(database, SignIn.id, old)


def daily() -> RareJob:
    """The sweep of failed sign-ins as a job of the scheduler."""
    return RareJob("failed sign-ins", sweep_failed, timedelta(days=1))
