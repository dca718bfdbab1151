"""同一手机号5天内只能填报一次 (spec/b_rating §5): one row a number says from when on it may rate again.

The row is written in the rating's own transaction and by one statement, so that of many ratings of one number at once
one is accepted, and a rating that fails leaves the window as it was. A rating that is voided later keeps its window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import Executable, Table, bindparam, select
from sqlalchemy.orm import Session

from core import clock, privacy
from core.database.prepared import Prepared
from core.db import insert_into
from core.errors import Problem
from feedback.models import RatingWindow

WINDOW_DAYS = 5
"""Natural days, as 24 hours each, in which one number rates once. Pages and posters name it from here."""


@dataclass(frozen=True, slots=True)
class RatingRules:
    """Settings of rating.

    `scope`: what the limit is about (GB/T 39734 lets each matter be rated once). `window`: how long it lasts.
    `shows_harmless_texts`: whether harmless texts of good ratings are published unread. `staff_within`: how recently
    somebody of the rated office was active at a rating's address for it to be marked (来自办公网络).
    """

    scope: Literal["global", "kind", "subject"] = "global"
    window: timedelta = timedelta(days=WINDOW_DAYS)
    shows_harmless_texts: bool = False
    staff_within: timedelta = timedelta(minutes=15)


def key(rules: RatingRules, mobile: str, kind: str, code_id: UUID) -> str:
    """The key of a number's window: for all ratings, for those of a kind of code, or for one code."""
    about = {"global": "", "kind": kind, "subject": str(code_id)}[rules.scope]
    return privacy.keyed_hash("rating gate", rules.scope, about, mobile)


_WINDOWS = cast(Table, RatingWindow.__table__)


def _starting(dialect: str, _names: tuple[str, ...]) -> Executable:
    fresh = insert_into(dialect, _WINDOWS)
    return fresh.on_conflict_do_update(
        index_elements=["key"],
        set_={"until": fresh.excluded.until},
        where=_WINDOWS.c.until <= bindparam("moment", type_=_WINDOWS.c.until.type),
    ).returning(_WINDOWS.c.key)


_START = Prepared(_starting)


def start(
    session: Session, window_key: str, length: timedelta, now: datetime, freed_at: datetime | None = None
) -> bool:
    """Start a window; False while the one before is not over.

    `freed_at`: an office freed the number then, so that a window that was started before does not count.
    """
    moment = now if freed_at is None else max(now, freed_at + length)
    return bool(_START.rows(session, {"key": window_key, "until": now + length, "moment": moment}))


def ends_at(session: Session, window_key: str) -> datetime | None:
    """When a window is over; None where none was ever started."""
    return session.scalar(select(RatingWindow.until).where(RatingWindow.key == window_key))


def refusal(session: Session, window_key: str, rules: RatingRules, now: datetime) -> Problem:
    """The 429 that names the first local day on which the number may rate again, from its beginning.

    It never names the moment: whoever enters the number of another person would learn when that person rated.
    """
    day = clock.first_midnight(ends_at(session, window_key) or now)
    named = f"{day.month}月{day.day}日"
    return Problem(
        "rating_window",
        f"同一手机号{rules.window.days}天内只能填报一次，请于{named}后再试（当日0时起即可）",
        retry_after=clock.seconds_until(day, now),
        retry_at=clock.rfc3339(day),
    )
