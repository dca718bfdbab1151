"""Statistics of ratings (评价统计), every formula as spec/b_rating §8 writes it. Where N is 0 a rate is None.

One statement reads the tallies (of all time, or the months and days that make up the range) and the deltas that are
not folded yet, so that it reads a fold that happens meanwhile either whole or not at all.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, case, func, or_, select, true, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from accounts.models import Office
from accounts.regions.abolished import get_region
from core import clock
from core.actor import Actor
from core.db import dialect_of
from feedback.codes.catalogue import TAGS
from feedback.codes.kinds import QR_ONCE, STAFF_MARK
from feedback.models import Rating, RatingCode
from feedback.ratings.listing import UNINDEXED, day_begins, day_ends, unindexed, within_range
from feedback.statistics.counts import ALL, COUNTED, DAY, MONTH, RatingDelta, RatingTagTally, RatingTally

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StatisticsFilter:
    """All optional, combined with AND. Days are those of the ratings, both ends included; `matter` is a whole name."""

    day_from: date | None = None
    day_to: date | None = None
    office_id: UUID | None = None
    region: str | None = None
    matter: str | None = None
    channel: str | None = None


def figures(session: Session, actor: Actor, wanted: StatisticsFilter) -> dict[str, Any]:
    """`{total, rows, tags, from_staff_note}`: a row for each office within scope that has figures, and the count of
    each tag; the note says how reliable the mark 来自办公网络 is."""
    counted = _counted(session, actor, wanted)
    overdue = _overdue(session, actor, wanted)
    offices = select(Office.id, Office.name).where(Office.id.in_(counted.keys() | overdue.keys()))
    names: dict[UUID, str] = {row.id: row.name for row in session.execute(offices)}
    rows = [
        {"office_id": str(office), "office_name": names[office],
         **figures_of(counted.get(office, {}), overdue.get(office, 0))}
        for office in sorted(names, key=lambda office: (names[office], str(office)))
    ]  # fmt: skip
    total: dict[str, int] = {}
    for one in counted.values():
        for name, value in one.items():
            total[name] = total.get(name, 0) + value
    return {
        "total": {"office_id": None, "office_name": "合计", **figures_of(total, sum(overdue.values()))},
        "rows": rows,
        "tags": _tags(session, actor, wanted),
        "from_staff_note": STAFF_MARK,
    }


def figures_of(found: dict[str, int], overdue: int = 0) -> dict[str, Any]:
    """The figures of counts, by the formulas of the specification."""
    n = {level: found.get(f"n{level}", 0) for level in range(1, 6)}
    number, bad, good = sum(n.values()), n[1] + n[2], n[3] + n[4] + n[5]
    stars = sum(level * count for level, count in n.items())
    real_bad, called = found.get("real_bad", 0), found.get("real_bad_called", 0)
    due_or_closed, in_time = found.get("closed", 0) + overdue, found.get("closed_in_time", 0)
    matters, rated = found.get("matters", 0), found.get("rated_matters", 0)
    return {
        "ratings": number,
        **{f"level_{level}": n[level] for level in range(5, 0, -1)},
        "good": good,
        "good_rate": _rate(good, number),
        "neutral": n[3],
        "bad": bad,
        "bad_rate": _rate(bad, number),
        "satisfaction": round(20 * stars / number, 2) if number else None,
        "average_stars": round(stars / number, 2) if number else None,
        "matters": matters,
        "rated_matters": rated,
        "active_rate": _rate(rated, matters),
        "real_bad": real_bad,
        "called_back": called,
        "call_back_rate": _rate(called, real_bad),
        "due_or_closed": due_or_closed,
        "closed_in_time": in_time,
        "in_time_rate": _rate(in_time, due_or_closed),
        "overdue": overdue,
        "from_staff_addresses": found.get("from_staff", 0),
    }


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _counted(session: Session, actor: Actor, wanted: StatisticsFilter) -> dict[UUID, dict[str, int]]:
    def columns(model: Any) -> list[Any]:
        return [model.office_id, model.channel, *(getattr(model, name) for name in COUNTED)]

    kept = select(*columns(RatingTally)).where(
        *within(session, actor, wanted, RatingTally), spans(wanted, RatingTally), of_matter(wanted)
    )
    noted = select(*columns(RatingDelta)).where(*within(session, actor, wanted, RatingDelta), *not_folded(wanted))
    all_rows = union_all(kept, noted).subquery()
    c = all_rows.c
    rated = case((c.channel != QR_ONCE, c.n1 + c.n2 + c.n3 + c.n4 + c.n5), else_=0)
    summed = [func.sum(c[name]).label(name) for name in COUNTED]
    statement = select(c.office_id, *summed, func.sum(rated).label("rated_matters")).group_by(c.office_id)
    names = (*COUNTED, "rated_matters")
    found = {row.office_id: {name: int(getattr(row, name)) for name in names} for row in session.execute(statement)}
    return {office: row for office, row in found.items() if any(row.values())}


def _tags(session: Session, actor: Actor, wanted: StatisticsFilter) -> list[dict[str, Any]]:
    kept = select(RatingTagTally.tag.label("tag"), RatingTagTally.n.label("n")).where(
        *within(session, actor, wanted, RatingTagTally),
        spans(wanted, RatingTagTally),
        of_matter(wanted, RatingTagTally),
    )
    if dialect_of(session) == "sqlite":
        each = func.json_each(RatingDelta.tags).table_valued("key", "value")
    else:
        each = func.json_each_text(RatingDelta.tags).table_valued("key", "value").render_derived()
    noted = (
        select(sql_cast(each.c.key, Integer).label("tag"), sql_cast(each.c.value, Integer).label("n"))
        .select_from(RatingDelta)
        .join(each, true())
        .where(*within(session, actor, wanted, RatingDelta), *not_folded(wanted))
    )
    both = union_all(kept, noted).subquery()
    statement = select(both.c.tag, func.sum(both.c.n).label("n")).group_by(both.c.tag)
    counts = {int(row.tag): int(row.n) for row in session.execute(statement)}
    return [
        {"code": tag.code, "text": tag.text, "level": tag.level, "count": counts.get(tag.code, 0)}
        for tag in TAGS.values()
        if tag.enabled or counts.get(tag.code)
    ]


def within(session: Session, actor: Actor, wanted: StatisticsFilter, model: Any) -> list[ColumnElement[bool]]:
    """The conditions of scope and filter, without days and matter."""
    found = [actor.scope.condition(model)]
    if wanted.office_id is not None:
        found.append(model.office_id == wanted.office_id)
    if wanted.channel is not None:
        found.append(model.channel == wanted.channel)
    if wanted.region is not None:
        region = get_region(session, wanted.region)
        columns = (model.area1, model.area2, model.area3)
        found.append(columns[region.depth - 1] == region.code)
    return found


def of_matter(wanted: StatisticsFilter, model: Any = RatingTally) -> ColumnElement[bool]:
    """The tallies of the matter, or those of all matters together."""
    found: ColumnElement[bool] = model.matter == (wanted.matter or "")
    return found


def not_folded(wanted: StatisticsFilter) -> list[ColumnElement[bool]]:
    """The conditions of day and matter for what is not folded yet."""
    found: list[ColumnElement[bool]] = []
    if wanted.matter is not None:
        found.append(RatingDelta.matter == wanted.matter)
    if wanted.day_from is not None:
        found.append(RatingDelta.day >= wanted.day_from)
    if wanted.day_to is not None:
        found.append(RatingDelta.day <= wanted.day_to)
    return found


def spans(wanted: StatisticsFilter, model: Any) -> ColumnElement[bool]:
    """The tallies that make up the range: all time, or its whole months and the days before and after them."""
    first, last = within_range(wanted.day_from), within_range(wanted.day_to)
    if first is None and last is None:
        return and_(model.grain == ALL)
    months_from = None if first is None else _month_on_or_after(first)
    months_to = None if last is None else (last + _DAY).replace(day=1)  # the first month not whole any more
    if months_from is not None and months_to is not None and months_from >= months_to:
        return and_(model.grain == DAY, model.start >= first, model.start <= last)
    spans: list[ColumnElement[bool]] = []
    whole = [model.grain == MONTH]
    if months_from is not None:
        whole.append(model.start >= months_from)
        spans.append(and_(model.grain == DAY, model.start >= first, model.start < months_from))
    if months_to is not None:
        whole.append(model.start < months_to)
        spans.append(and_(model.grain == DAY, model.start >= months_to, model.start <= last))
    return or_(and_(*whole), *spans)


def _month_on_or_after(day: date) -> date:
    return day if day.day == 1 else (day.replace(day=28) + 4 * _DAY).replace(day=1)


def _overdue(session: Session, actor: Actor, wanted: StatisticsFilter) -> dict[UUID, int]:
    """超期未整改, by office: bad ratings under way whose due date is over; few, with an index of their own."""
    found = [*within(session, actor, wanted, UNINDEXED), Rating.closed_at.is_(None), Rating.due_on < clock.today()]
    if wanted.day_from is not None:
        found.append(unindexed(Rating.submitted_at) >= day_begins(wanted.day_from))
    if wanted.day_to is not None:
        found.append(unindexed(Rating.submitted_at) < day_ends(wanted.day_to))
    statement = select(Rating.office_id, func.count().label("late")).where(*found).group_by(Rating.office_id)
    if wanted.matter is not None:
        statement = statement.join(RatingCode, RatingCode.id == Rating.code_id)
        statement = statement.where(RatingCode.matter_name == wanted.matter)
    return {row.office_id: row.late for row in session.execute(statement)}
