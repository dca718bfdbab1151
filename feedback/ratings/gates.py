"""同一手机号5天内只能填报一次: one row a number says from when on it may rate again (spec/b_rating §5).

The row is taken in the rating's own transaction and by one statement, so that of many ratings of one
number at once one is accepted, and a rating that fails leaves the gate as it was. A rating that is
voided later keeps its gate.
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
from feedback.models import RatingGate


@dataclass(frozen=True, slots=True)
class RatingRules:
    """Settings of rating: what the limit is about (GB/T 39734 lets each matter be rated once), how long it lasts,
    whether harmless texts of good ratings are shown without a person having read them, and how recently somebody of the
    rated office was active at a rating's address for it to be marked (来自办公网络)."""

    scope: Literal["global", "kind", "subject"] = "global"
    window: timedelta = timedelta(days=5)
    shows_harmless_texts: bool = False
    staff_within: timedelta = timedelta(minutes=15)


def key(rules: RatingRules, mobile: str, kind: str, code_id: UUID) -> str:
    """The gate of a number: for all ratings, for those of a kind of code, or for one code."""
    about = {"global": "", "kind": kind, "subject": str(code_id)}[rules.scope]
    return privacy.keyed_hash("rating gate", rules.scope, about, mobile)


_GATES = cast(Table, RatingGate.__table__)


def _taking(dialect: str, _names: tuple[str, ...]) -> Executable:
    fresh = insert_into(dialect, _GATES)
    return fresh.on_conflict_do_update(
        index_elements=["key"],
        set_={"until": fresh.excluded.until},
        where=_GATES.c.until <= bindparam("moment", type_=_GATES.c.until.type),
    ).returning(_GATES.c.key)


_TAKE = Prepared(_taking)


def take(session: Session, gate: str, rules: RatingRules, now: datetime, freed_at: datetime | None = None) -> bool:
    """Pass the gate and close it behind; False when it is closed.

    `freed_at`: an office freed the number then; who passed the gate before does not keep it closed.
    """
    moment = now if freed_at is None else max(now, freed_at + rules.window)
    return bool(_TAKE.rows(session, {"key": gate, "until": now + rules.window, "moment": moment}))


def closed_until(session: Session, gate: str) -> datetime | None:
    """When a gate opens again; None where nobody has passed it."""
    return session.scalar(select(RatingGate.until).where(RatingGate.key == gate))


def refusal(session: Session, gate: str, rules: RatingRules, now: datetime) -> Problem:
    """The 429 that names the first local day on which the number may rate again, from its beginning.

    Never the moment: it would tell whoever types a stranger's number when that stranger has rated.
    """
    day = clock.first_midnight(closed_until(session, gate) or now)
    named = f"{day.month}月{day.day}日"
    return Problem(
        "rating_window",
        f"同一手机号{rules.window.days}天内只能填报一次，请于{named}后再试（当日0时起即可）",
        retry_after=clock.seconds_until(day, now),
        retry_at=clock.rfc3339(day),
    )
