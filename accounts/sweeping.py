"""Removes old rows of accounts: throttles and links by mail that are over, sessions long ended, old failed sign-ins.

The audit of successful sign-ins stays. Failed ones can be caused by anybody in any number and go after half a year.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select

from accounts.mail.models import MailLink
from accounts.models import SignIn, Throttle, UserSession, WeChatBinding
from accounts.sign_in import binding_witness
from accounts.sign_in.wechat_bindings import KEPT_UNUSED
from core import clock
from core.db import Database
from core.jobs.scheduler import RareJob
from core.jobs.sweeping import delete_in_batches
from core.retention.periods import PERIODS, RetentionSettings

SESSIONS_KEPT = timedelta(days=PERIODS["keep_sessions_days"].default)
FAILED_KEPT = timedelta(days=PERIODS["keep_failed_sign_ins_days"].default)
"""Where no setting says otherwise."""


def sweep(database: Database, sessions_kept: timedelta = SESSIONS_KEPT) -> int:
    """Delete throttles, links by mail, sessions and WeChat bindings that are over; returns how many rows.

    An ended session still counts as an earlier sign-in (see `throttle.py`) for so long.
    """
    now = clock.now()
    old = now - sessions_kept
    throttles = delete_in_batches(database, Throttle.key, Throttle.until <= now)
    ended = or_(UserSession.ended_at < old, UserSession.expires_at < old)
    links = delete_in_batches(database, MailLink.id, MailLink.until <= now)
    return (
        throttles
        + links
        + _sweep_bindings(database, now - KEPT_UNUSED)
        + delete_in_batches(database, UserSession.id, ended)
    )


def _sweep_bindings(database: Database, limit: datetime) -> int:
    """Delete the bindings that nobody has used since; how many. User by user, whose history says so."""
    unused = WeChatBinding.last_used_at < limit
    with database.read() as session:
        users = session.scalars(select(WeChatBinding.user_id).where(unused).distinct()).all()
    gone = 0
    for user_id in users:
        with database.write() as session, binding_witness.changing(session, user_id, binding_witness.END):
            over = delete(WeChatBinding).where(WeChatBinding.user_id == user_id, unused)
            gone += cast("CursorResult[Any]", session.execute(over)).rowcount
    return gone


def sweep_failed(database: Database, kept: timedelta = FAILED_KEPT) -> int:
    """Delete old sign-ins that failed; how many. The newest row stays: SQLite would give its number away again."""
    newest = select(func.max(SignIn.id)).scalar_subquery()
    old = (SignIn.at < clock.now() - kept) & (SignIn.outcome != "signed_in") & (SignIn.id < newest)
    return delete_in_batches(database, SignIn.id, old)


def hourly(settings: RetentionSettings) -> RareJob:
    """The sweep of what is over as a job of the scheduler."""
    kept = settings.kept("keep_sessions_days")
    return RareJob("throttles and old sessions", lambda database: sweep(database, kept), timedelta(hours=1))


def daily(settings: RetentionSettings) -> RareJob:
    """The sweep of failed sign-ins as a job of the scheduler."""
    kept = settings.kept("keep_failed_sign_ins_days")
    return RareJob("failed sign-ins", lambda database: sweep_failed(database, kept), timedelta(days=1))
