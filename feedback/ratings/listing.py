"""The list of ratings: its filters, and the conditions that they become."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from accounts.models import Office, Region
from accounts.verbs import Verb
from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Order, ascending, newest_first
from core.db import inlined
from core.errors import not_found
from feedback.codes.catalogue import is_bad
from feedback.codes.kinds import PENDING
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.ratings import numbers
from feedback.workflows import CLOSED, FINAL


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list of ratings, combined with AND; `q` is a fragment of the matter's name (事项)."""

    level: int | None = None
    channel: str | None = None
    q: str | None = None
    status: str | None = None
    day_from: date | None = None
    day_to: date | None = None
    mobile_tail: str | None = None
    overdue: bool | None = None
    code_id: UUID | None = None
    bad: bool | None = None
    publicity: str | None = None
    office_id: UUID | None = None


def reads_ratings(actor: Actor) -> bool:
    """Whether the actor may read ratings and codes at all."""
    return Verb.RATINGS_READ in actor.verbs


def unindexed(column: Any) -> Any:
    """The column, for a condition for which no index is to be used."""
    return func.coalesce(column, column)


UNINDEXED = SimpleNamespace(
    **{name: unindexed(getattr(Rating, name)) for name in ("area1", "area2", "area3")},
    office_id=Rating.office_id, channel=Rating.channel,
)  # fmt: skip
"""`Rating` for conditions that leave the choice of an index to others than its region."""


_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)


def within_range(day: date | None) -> date | None:
    """A day that a filter names, brought to where every calculation with it is possible."""
    return None if day is None else min(max(day, _FIRST), _LAST)


def day_begins(day: date) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(min(max(day, _FIRST), _LAST), time.min, clock.LOCAL)


def day_ends(day: date) -> datetime:
    """The instant at which a local day is over."""
    return day_begins(day) + timedelta(days=1)


ROWS: Select[*tuple[Any, ...]] = (
    select(
        Rating, RatingCode.matter_name, RatingCode.org_name, RatingCode.window, RatingCode.created_by,
        RatingFollowUp.handler_id,
    )
    .join(RatingCode, RatingCode.id == Rating.code_id)
    .outerjoin(RatingFollowUp, RatingFollowUp.rating_id == Rating.id)
)  # fmt: skip


NEWEST = newest_first("ratings", Rating.submitted_at, Rating.id)
_LONGEST_DUE = ascending("overdue ratings", Rating.due_on, Rating.id)


def order(filters: Filters) -> Order:
    """The order of a list: newest first, overdue ones by what is due longest."""
    return _LONGEST_DUE if filters.overdue else NEWEST


FEW_CODES = 200
"""So many codes are looked through one by one; with more of them the list is walked and compared."""


def conditions(session: Session, actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions of a list.

    Where a filter leaves few rows (last digits of a number, few matters, bad ratings), the region is written without
    an index: SQLite would otherwise walk all rows of the region.
    """
    if not reads_ratings(actor):
        raise not_found()
    found: list[ColumnElement[bool]] = []
    under_way = filters.status is not None and filters.status not in FINAL
    bad = filters.bad or under_way or (filters.level is not None and is_bad(filters.level))
    few = bool(bad or filters.overdue or filters.publicity == PENDING)
    few = few or filters.mobile_tail is not None or filters.code_id is not None
    if filters.mobile_tail is not None:
        numbers.refuse_looking_up(actor)
        found.append(Rating.code_id.not_in(select(RatingCode.id).where(RatingCode.created_by == actor.user_id)))
    if filters.q:
        chosen = select(RatingCode.id).where(actor.scope.condition(RatingCode), named(filters.q))
        ids = session.scalars(chosen.limit(FEW_CODES + 1)).all()
        few = few or len(ids) <= FEW_CODES
        found.append(Rating.code_id.in_(ids if len(ids) <= FEW_CODES else chosen))
    found.append(actor.scope.condition(UNINDEXED if few else Rating))
    for column, value in (
        (Rating.level, filters.level),
        (Rating.channel, filters.channel),
        (Rating.mobile_tail, filters.mobile_tail),
        (Rating.code_id, filters.code_id),
    ):
        if value is not None:
            found.append(column == value)
    if filters.office_id is not None:
        found += of_office(session, filters.office_id)
    if filters.status is not None:
        found.append(Rating.status == filters.status)
        if under_way:
            found.append(Rating.closed_at.is_(None))
        elif filters.status != CLOSED:
            found.append(Rating.due_on.is_not(None))
    if filters.publicity is not None:
        found.append(Rating.publicity == inlined(filters.publicity))
    if filters.level is not None and is_bad(filters.level):
        found.append(Rating.due_on.is_not(None))
    if filters.bad is not None:
        found.append(Rating.due_on.is_not(None) if filters.bad else Rating.due_on.is_(None))
    if filters.overdue is not None:
        late = Rating.due_on < clock.today()
        found += [Rating.closed_at.is_(None), late] if filters.overdue else [~late | Rating.closed_at.is_not(None)]
    if filters.day_from is not None:
        found.append(Rating.submitted_at >= day_begins(filters.day_from))
    if filters.day_to is not None:
        found.append(Rating.submitted_at < day_ends(filters.day_to))
    return found


def of_office(session: Session, office_id: UUID) -> list[ColumnElement[bool]]:
    """The ratings of an office; its region is named too, because that has an index."""
    region = session.scalar(
        select(Region).join(Office, Office.region_code == Region.code).where(Office.id == office_id)
    )  # fmt: skip
    found: list[ColumnElement[bool]] = [Rating.office_id == office_id]
    if region is not None:
        found.append((Rating.area1, Rating.area2, Rating.area3)[region.depth - 1] == region.code)
    return found


def named(q: str) -> ColumnElement[bool]:
    """A fragment of the name of a code's matter (事项)."""
    return RatingCode.folded_matter.like(like_pattern(q), escape="\\")
