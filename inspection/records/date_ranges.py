"""The newest records of a range of days, without reading all of the range.

Lists are in the order of submission, ranges are of check dates, and no index is in both orders. Usually the newest
records lie in the range, and the page is full after few of them. Otherwise the index shows for each day of the range
when its nth newest record was submitted, n being the number of records that the page needs. The newest of these
instants has n records of one day at or after it, so nothing submitted before it is on the page.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session, aliased

from core.database.paging import Order, PageRequest, cut, newest_first
from inspection.models import LIST_COLUMNS, Inspection
from inspection.statistics.totals import Filters

_READ_FIRST = 500
_DAYS = ("submitted_at", "id", "check_date")
_EVER = datetime(1, 1, 1, tzinfo=UTC)


class ListQuery(Protocol):
    """What is asked for, as conditions over the table of records or an alias of it."""

    @property
    def filters(self) -> Filters:
        """Its days among them."""

    def area(self, model: Any) -> list[ColumnElement[bool]]:
        """Where: what an index begins with."""

    def filtered(self, model: Any) -> list[ColumnElement[bool]]:
        """What, the days aside."""


def of_days(model: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """Between the days of the filters, both ends included."""
    conditions: list[ColumnElement[bool]] = []
    if filters.day_from is not None:
        conditions.append(model.check_date >= filters.day_from)
    if filters.day_to is not None:
        conditions.append(model.check_date <= filters.day_to)
    return conditions


def newest_of_days(
    session: Session, query: ListQuery, order: Order, request: PageRequest
) -> tuple[Sequence[Any], str | None]:
    """Ids of a page of the records of those days, newest first, and the mark of the next page, as in `cut`."""
    rows, next_after = _among_the_newest(session, query, order, request)
    return (rows, next_after) if next_after is not None else _day_by_day(session, query, order, request)


def _among_the_newest(
    session: Session, query: ListQuery, order: Order, request: PageRequest
) -> tuple[Sequence[Any], str | None]:
    newest = select(*(getattr(Inspection, name) for name in (*_DAYS, *LIST_COLUMNS)))
    newest = newest.where(*query.area(Inspection), *order.behind(request)).order_by(*order.clauses())
    some = newest.limit(_READ_FIRST).subquery()
    conditions = [*query.filtered(some.c), *of_days(some.c, query.filters)]
    return cut(session, select(some.c.id), _over(order, some.c), request, *conditions)


def _over(order: Order, model: Any) -> Order:
    return newest_first(order.name, model.submitted_at, model.id)


def _day_by_day(
    session: Session, query: ListQuery, order: Order, request: PageRequest
) -> tuple[Sequence[Any], str | None]:
    # The days of the range that have records, the last first, each found by the index.
    last = select(func.max(Inspection.check_date).label("day"))
    days = last.where(*query.area(Inspection), *of_days(Inspection, query.filters)).cte("days", recursive=True)
    one = aliased(Inspection)
    # Without the last day of the range, from which SQLite would begin each time.
    from_first = replace(query.filters, day_to=None)
    before = select(func.max(one.check_date)).where(
        *query.area(one), *of_days(one, from_first), one.check_date < days.c.day
    )
    days = days.union_all(select(before.scalar_subquery()).where(days.c.day.is_not(None)))
    nth = (
        select(one.submitted_at)
        .where(*query.area(one), *query.filtered(one), *_over(order, one).behind(request))
        .where(one.check_date == days.c.day)
        .order_by(one.submitted_at.desc(), one.id.desc())
        .limit(1)
        .offset(request.offset + request.page_size)
    )
    ever = literal(_EVER, Inspection.submitted_at.type)
    least = select(func.coalesce(func.max(nth.scalar_subquery()), ever).label("at")).select_from(days).cte("least")
    # Sorted by an expression: SQLite would else walk an index in this order instead of going by the days.
    sorting = newest_first(order.name, func.coalesce(Inspection.submitted_at, Inspection.submitted_at), Inspection.id)
    return cut(
        session,
        select(Inspection.id),
        sorting,
        request,
        *query.area(Inspection),
        *query.filtered(Inspection),
        *order.behind(request),
        Inspection.check_date.in_(select(days.c.day)),
        Inspection.submitted_at >= select(least.c.at).scalar_subquery(),
    )
