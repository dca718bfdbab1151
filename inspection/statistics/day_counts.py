"""What tallies count on some days, computed from their records, by an index that holds all that is counted.

What counts on a range of days is also what the tallies keep, less what lies outside of the range. Whichever is less to
read is read, so that a range that holds nearly everything costs hardly more than none.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, union_all
from sqlalchemy.orm import Session

from core.db import inlined
from inspection.kinds import CHECK, COUNTED, SPOT_CHECK
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally
from inspection.workflows import SUBMITTED

_A_DAY = timedelta(days=1)
_IS_SUBMITTED = Inspection.status == inlined(SUBMITTED)
Range = tuple[date | None, date | None]
Conditions = Sequence[ColumnElement[bool]]


def counted_on_days(
    session: Session, tallies: Conditions, area: Conditions, day_from: date | None, day_to: date | None
) -> tuple[dict[str, Any], Any]:
    """Columns by the names in `COUNTED`, and the tables that they stand in.

    `tallies` are the conditions of the tallies, `area` those of the area over the records.
    """
    t: Any = EnterpriseTally
    outside = outside_if_less(session, area, [CHECK, SPOT_CHECK], day_from, day_to)
    if outside is None:
        inside = _counted(tallies, (day_from, day_to)).subquery()
        return {name: inside.c[name] for name in COUNTED}, t.__table__.join(inside, inside.c.tally_id == t.id)
    if not outside:
        return {name: getattr(t, name) for name in COUNTED}, t.__table__
    parts = union_all(*(_counted(tallies, range_) for range_ in outside)).subquery()
    summed = (func.sum(parts.c[name]).label(name) for name in COUNTED)
    taken = select(parts.c.tally_id, *summed).group_by(parts.c.tally_id).subquery()
    left = {name: getattr(t, name) - func.coalesce(taken.c[name], 0) for name in COUNTED}
    return left, t.__table__.outerjoin(taken, taken.c.tally_id == t.id)


def _counted(tallies: Conditions, days: Range) -> "Select[*tuple[Any, ...]]":
    """What each tally counts in a range, as `kinds.counts_of` counts a record."""
    t, i = EnterpriseTally, Inspection
    check = t.record_type == CHECK

    def number(condition: Any) -> ColumnElement[int]:
        return func.count().filter(condition)

    def of_checks(counted: Any) -> ColumnElement[int]:
        return case((check, counted), else_=0)

    def of_spot_checks(counted: Any) -> ColumnElement[int]:
        return case((check, 0), else_=counted)

    counted = {
        "records": func.count(),
        "carried_out": of_checks(number(i.unable.is_(False))),
        "unable": of_checks(number(i.unable.is_(True))),
        "problems": of_checks(number(i.problems_found.is_(True))),
        "disposal_done": of_checks(number(i.disposal_state == "done")),
        "disposal_in_progress": of_checks(number(i.disposal_state == "in_progress")),
        "batches": of_spot_checks(func.count(i.conclusion)),
        "failed": of_spot_checks(number(i.conclusion == "fail")),
    }
    return (
        select(t.id.label("tally_id"), *(counted[name].label(name) for name in COUNTED))
        .join(i, (i.tally_id == t.id) & _IS_SUBMITTED)
        .where(*tallies, *_within(days))
        # The order in which the index of an area gives the tallies, so that nothing has to be sorted.
        .group_by(t.record_type, t.id)
    )


def _within(days: Range) -> list[ColumnElement[bool]]:
    first, last = days
    conditions = [] if first is None else [Inspection.check_date >= first]
    return conditions if last is None else [*conditions, Inspection.check_date <= last]


def outside_if_less(
    session: Session, area: Conditions, record_types: Sequence[str], day_from: date | None, day_to: date | None
) -> list[Range] | None:
    """The ranges outside, where they span fewer of the days with records than the range itself; else None."""
    if not area:
        return None  # the whole country: no index has its first and last day

    def of_types(what: Any) -> list[Any]:
        # Each type by itself: only then are the first and the last day found directly in an index.
        chosen = (
            select(what).where(*area, Inspection.record_type == record_type, _IS_SUBMITTED)
            for record_type in record_types
        )
        return [one.scalar_subquery() for one in chosen]

    day = Inspection.check_date
    undated = (
        select(Inspection.id).where(*area, Inspection.record_type == record_type, _IS_SUBMITTED, day.is_(None)).exists()
        for record_type in record_types
    )
    found_days = session.execute(select(*of_types(func.min(day)), *of_types(func.max(day)), *undated)).one()
    with_records = [day_found for day_found in found_days[: 2 * len(record_types)] if day_found is not None]
    if any(found_days[2 * len(record_types) :]) or not with_records:
        return None
    first, last = min(with_records), max(with_records)
    begins, ends = max(day_from or first, first), min(day_to or last, last)
    inside = (ends - begins).days + 1
    if inside * 2 <= (last - first).days + 1:
        return None
    before: list[Range] = [(None, begins - _A_DAY)] if begins > first else []
    after: list[Range] = [(ends + _A_DAY, None)] if ends < last else []
    return before + after
