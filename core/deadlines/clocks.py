"""Clocks of records: publicity periods (公示) and deadlines, which count as `periods.py` says.

The scheduler rings those whose last day is over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Table,
    and_,
    delete,
    extract,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from core import clock
from core.deadlines.periods import Period
from core.deadlines.working_days import WorkingCalendar
from core.models import CalendarDay, CalendarRegionDay, CalendarYear, Clock

_CLOCKS = cast(Table, Clock.__table__)

Place = Sequence[str | None]
"""The chain of regions (area1 to area3) of the office that handles a matter: holidays of its own region count."""


def working_calendar(session: Session, place: Place = ()) -> WorkingCalendar:
    """The working calendar with the administrator's overrides, a few rows a year, and those of a place before them.

    A year is stated to be complete only after days of it were set, so the days bring it along.
    """
    stated = CalendarYear.year == extract("year", CalendarDay.day)
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.working, CalendarYear.year).outerjoin(CalendarYear, stated)
    ).all()
    overrides = {day: working for day, working, _ in rows}
    if place:
        overrides |= _of_place(session, place)
    return WorkingCalendar(overrides, {year for *_, year in rows if year is not None})


def _of_place(session: Session, place: Place) -> dict[date, bool]:
    """The days of the regions in which a place lies, the nearer ones before the wider ones."""
    area1, area2, area3 = (*place, None, None, None)[:3]
    table = CalendarRegionDay
    rows = session.execute(
        select(table.day, table.working, table.area2, table.area3).where(
            table.area1 == area1,
            or_(table.area2.is_(None), table.area2 == area2),
            or_(table.area3.is_(None), table.area3 == area3),
        )
    ).all()
    # Wider ones first, so that nearer ones are written over them.
    rows = sorted(rows, key=lambda row: (row.area2 is not None) + (row.area3 is not None))
    return {row.day: row.working for row in rows}


def known_years(session: Session) -> list[int]:
    """The years around today whose days are known."""
    calendar, year = working_calendar(session), clock.today().year
    return [one for one in range(year - 1, year + 3) if calendar.knows(one)]


def in_known_years(
    session: Session,
    day: Any,
    key: Any,
    after: tuple[date, Any] | None,
    limit: int,
    *provisional: ColumnExpressionArgument[bool],
) -> list[tuple[date, Any]]:
    """Provisional deadlines that can be counted by now: last day and key of at most `limit` rows that stand behind
    `after`, in that order.

    `day` and `key`: the columns of the last day and of the unique id; `provisional`: which rows wait to be counted.
    """
    years = known_years(session)
    if not years:
        return []
    found = select(day, key).where(*provisional, extract("year", day).in_(years))
    if after is not None:
        found = found.where(tuple_(day, key) > after)
    return [(row[0], row[1]) for row in session.execute(found.order_by(day, key).limit(limit))]


def warning_of(year: int) -> str:
    """What the administrator reads about a year whose days are guessed."""
    return (
        f"{guess_of(year)}请按国务院办公厅的通知，用 ./manage calendar set 录入放假和调休，"
        f"再执行 ./manage calendar complete {year}"
    )


def guess_of(year: int) -> str:
    """What everybody reads about it."""
    return f"{year}年的放假安排尚未录入，暂按周末和法定节假日推算工作日，据此算出的期限均标为暂定。"


def provisional_note(day: date | None, *, provisional: bool) -> str | None:
    """The note shown with a date that was counted on guessed days; None for any other date."""
    if not provisional or day is None:
        return None
    return f"{day.year}年放假安排公布前的暂定日期，公布后可能调整"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a deadline; `provisional` when it was counted on working days that are guessed.

    Where outages (系统故障) moved it (`outages.py`): the day before they did, and their reasons.
    """

    day: date
    provisional: bool = False
    before_outage: date | None = None
    outage_reason: str | None = None

    def columns(self) -> dict[str, Any]:
        """The same for the columns of a row that shows it to people."""
        return {
            "due_on": self.day, "due_on_before_outage": self.before_outage, "outage_reason": self.outage_reason,
        }  # fmt: skip


def working_deadline(session: Session, place: Place, start: date, days: int) -> Deadline:
    """So many working days after `start`, as they are counted in that place."""
    calendar = working_calendar(session, place)
    day = calendar.add_workdays(start, days)
    return Deadline(day, calendar.guesses(start, day))


def recounted(old: date, new: date) -> date:
    """The day that holds when a deadline is counted anew because the days became known.

    It may come earlier or later. Where it would already be over, the day that was published before holds: nobody is
    made late by a calendar that came afterwards.
    """
    return old if new < clock.today() and new < old else new


_COLUMNS = tuple(field.name for field in fields(Period))


def of(session: Session, subject_ids: Iterable[UUID]) -> dict[UUID, dict[str, Period]]:
    """The clocks of some records, each by its name."""
    ids = list(subject_ids)
    if not ids:
        return {}
    rows = session.execute(
        select(_CLOCKS.c.subject_id, *(_CLOCKS.c[name] for name in _COLUMNS))
        .where(_CLOCKS.c.subject_id.in_(ids))
        .order_by(_CLOCKS.c.id)
    ).mappings()
    found: dict[UUID, dict[str, Period]] = {}
    for row in rows:
        period = Period(**{name: row[name] for name in _COLUMNS})
        found.setdefault(row["subject_id"], {})[period.name] = period
    return found


def write(session: Session, subject: tuple[str, UUID], before: Mapping[str, Period], now: Mapping[str, Period]) -> None:
    """Write the clocks of a record as they are now; `before`: as they were read."""
    gone = before.keys() - now.keys()
    if gone:
        session.execute(delete(_CLOCKS).where(_CLOCKS.c.subject_id == subject[1], _CLOCKS.c.name.in_(gone)))
    for name, period in now.items():
        values = asdict(period)
        if name not in before:
            session.execute(insert(_CLOCKS).values(subject_type=subject[0], subject_id=subject[1], **values))
        elif period != before[name]:
            mine = (_CLOCKS.c.subject_id == subject[1]) & (_CLOCKS.c.name == name)
            session.execute(update(_CLOCKS).where(mine).values(**values))


def stop(session: Session, subject_id: UUID, name: str | None = None) -> None:
    """Delete a clock, or all of the subject's where no name is given."""
    statement = delete(Clock).where(Clock.subject_id == subject_id)
    session.execute(statement.where(Clock.name == name) if name is not None else statement)


def find(session: Session, subject_id: UUID, name: str) -> Clock | None:
    """The clock of that name, if there is one."""
    return session.scalar(select(Clock).where(Clock.subject_id == subject_id, Clock.name == name))


def is_over(session: Session, subject_id: UUID, name: str) -> bool:
    """Whether the clock's last day is over."""
    row = find(session, subject_id, name)
    return row is not None and row.paused_on is None and row.last_day < clock.today()


Due = tuple[date, int]
"""A clock by its last day and its id: the order in which clocks ring."""


def due(session: Session, after: Due | None = None, limit: int = 500) -> list[Due]:
    """Running clocks whose last day is over and that have not rung yet, oldest first, behind `after`."""
    found = select(Clock.last_day, Clock.id).where(_is_due()).order_by(Clock.last_day, Clock.id).limit(limit)
    if after is not None:
        found = found.where(tuple_(Clock.last_day, Clock.id) > after)
    return [(row.last_day, row.id) for row in session.execute(found)]


def _is_due() -> ColumnElement[bool]:
    return and_(Clock.rung_at.is_(None), Clock.paused_on.is_(None), Clock.last_day < clock.today())


def ring(session: Session, clock_id: int) -> Clock | None:
    """Mark a clock as rung; None when it is not due any more: another process was first, or it was paused."""
    rung = update(Clock).where(Clock.id == clock_id, _is_due()).values(rung_at=clock.now())
    result = session.execute(rung.execution_options(synchronize_session=False))
    return session.get(Clock, clock_id, populate_existing=True) if getattr(result, "rowcount", 0) == 1 else None
