"""Ratings by matter (事项), window (窗口) and month: the same figures as by office, cut another way.

Matters and months come from the tallies and cost the same however many ratings there are; windows are counted from the
ratings themselves, of one office and a span of days that has a limit.
"""

from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Integer, and_, func, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import invalid
from feedback.models import Rating, RatingCode
from feedback.ratings.listing import day_begins, day_ends, of_office
from feedback.statistics import queries
from feedback.statistics.counts import RatingDelta, RatingTally
from feedback.statistics.queries import StatisticsFilter
from feedback.workflows import VOIDED

By = Literal["matter", "window", "month"]
LABELS: dict[By, str] = {"matter": "事项", "window": "窗口", "month": "月份"}
MOST = 100
"""Rows of an answer: those with the most ratings, of months the last ones."""
MOST_DAYS = 3 * 366
_LEVELS = tuple(f"n{level}" for level in range(1, 6))
_NO_WINDOW = "（未写窗口）"


def rows(session: Session, actor: Actor, wanted: StatisticsFilter, by: By) -> list[dict[str, Any]]:
    """A row for each matter, window or month with ratings. Without days those of the last twelve months.

    Raises 422 for more days than `MOST_DAYS`, and by window without an office.
    """
    first, last = _span(wanted)
    within = StatisticsFilter(first, last, wanted.office_id, wanted.region, wanted.matter, wanted.channel)
    if by == "window":
        if wanted.office_id is None:
            raise invalid("/office_id", "required", "按窗口统计，请先选择承办单位")
        found = _by_window(session, actor, within)
    else:
        found = _tallied(session, actor, within, by)
    named = [(name, counts) for name, counts in found.items() if any(counts)]
    named.sort(key=lambda one: one[0] if by == "month" else (-sum(one[1]), one[0]))
    named = named[-MOST:] if by == "month" else named[:MOST]
    return [{"name": name, **_figures(counts)} for name, counts in named]


def _span(wanted: StatisticsFilter) -> tuple[date, date]:
    last = wanted.day_to or clock.today()
    first = wanted.day_from or (last.replace(day=1) - timedelta(days=334)).replace(day=1)
    if (last - first).days > MOST_DAYS:
        raise invalid("/from", "too_long", "一次最多统计三年，请缩短日期范围")
    return first, last


def _tallied(session: Session, actor: Actor, wanted: StatisticsFilter, by: By) -> dict[str, list[int]]:
    if by == "month":
        kept_key, noted_key = RatingTally.start, RatingDelta.day
        chosen = queries.of_matter(wanted)
    else:
        kept_key, noted_key = RatingTally.matter, RatingDelta.matter  # type: ignore[assignment]
        chosen = RatingTally.matter == wanted.matter if wanted.matter else RatingTally.matter != ""
    conditions = (*queries.within(session, actor, wanted, RatingTally), queries.spans(wanted, RatingTally), chosen)
    kept = select(kept_key.label("key"), *(getattr(RatingTally, one) for one in _LEVELS)).where(*conditions)
    noted = select(noted_key.label("key"), *(getattr(RatingDelta, one) for one in _LEVELS)).where(
        *queries.within(session, actor, wanted, RatingDelta), *queries.not_folded(wanted)
    )
    both = union_all(kept, noted).subquery()
    summed = [sql_cast(func.sum(both.c[one]), Integer).label(one) for one in _LEVELS]
    found: dict[str, list[int]] = {}
    for row in session.execute(select(both.c.key, *summed).group_by(both.c.key)):
        name = f"{row.key:%Y-%m}" if by == "month" else row.key
        counts = found.setdefault(name, [0] * 5)
        for place, one in enumerate(_LEVELS):
            counts[place] += getattr(row, one) or 0
    return found


def _by_window(session: Session, actor: Actor, wanted: StatisticsFilter) -> dict[str, list[int]]:
    assert wanted.office_id is not None
    assert wanted.day_from is not None
    assert wanted.day_to is not None
    chosen = [
        actor.scope.condition(Rating), *of_office(session, wanted.office_id), Rating.status != VOIDED,
        and_(Rating.submitted_at >= day_begins(wanted.day_from), Rating.submitted_at < day_ends(wanted.day_to)),
    ]  # fmt: skip
    if wanted.channel is not None:
        chosen.append(Rating.channel == wanted.channel)
    if wanted.matter is not None:
        chosen.append(RatingCode.matter_name == wanted.matter)
    counted = (
        select(RatingCode.window, Rating.level, func.count().label("n"))
        .join(RatingCode, RatingCode.id == Rating.code_id)
        .where(*chosen)
        .group_by(RatingCode.window, Rating.level)
    )
    found: dict[str, list[int]] = {}
    for row in session.execute(counted):
        found.setdefault(row.window or _NO_WINDOW, [0] * 5)[row.level - 1] += row.n
    return found


def _figures(counts: list[int]) -> dict[str, Any]:
    figures = queries.figures_of({one: counts[place] for place, one in enumerate(_LEVELS)})
    wanted = ("ratings", *(f"level_{n}" for n in range(5, 0, -1)), "good", "good_rate", "bad", "bad_rate")
    return {name: figures[name] for name in (*wanted, "satisfaction", "average_stars")}
