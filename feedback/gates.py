"""同一手机号5天内只能填报一次: one row a number says from when on it may rate again (spec/b_rating §5).

The row is taken in the rating's own transaction and by one statement, so that of many ratings of one
number at once one is accepted, and a rating that fails leaves the gate as it was. A rating that is
voided later keeps its gate.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import Executable, Table, bindparam, select
from sqlalchemy.orm import Session

from core import clock, privacy
from core.db import insert_into
from core.errors import Problem
from core.prepared import Prepared
from feedback.models import RatingGate

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RatingRules:
    """Settings of rating: what the limit is about (GB/T 39734 lets each matter be rated once), how long it lasts, and
    whether harmless texts of good ratings are shown without a person having read them."""

    scope: Literal["global", "kind", "subject"] = "global"
    window: timedelta = timedelta(days=5)
    shows_harmless_texts: bool = False


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


def take(session: Session, gate: str, rules: RatingRules, now: datetime) -> bool:
    """Pass the gate and close it behind; False when it is closed."""
    return bool(_TAKE.rows(session, {"key": gate, "until": now + rules.window, "moment": now}))


def refusal(session: Session, gate: str, rules: RatingRules, now: datetime) -> Problem:
    """The 429 that says from when on the number may rate again."""
    until: Any = session.scalar(select(RatingGate.until).where(RatingGate.key == gate)) or now
    # The minute named is one at which it is possible.
    named = until.astimezone(clock.LOCAL)
    if named.second or named.microsecond:
        named = named.replace(second=0, microsecond=0) + _MINUTE
    return Problem(
        "rating_window",
        f"同一手机号{rules.window.days}天内只能填报一次，请于 {named:%Y-%m-%d %H:%M} 后再试",
        retry_after=max(1, int((until - now).total_seconds()) + 1),
        retry_at=clock.rfc3339(until),
    )
