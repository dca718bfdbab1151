"""Clocks: publicity periods (公示) and deadlines, counted in natural or working days (自然日、工作日).

The day of the event is not counted and the period ends at 24:00 of its last day (spec/common §6).
A clock may pause; when it goes on it starts from zero or continues, as its declaration says. The
scheduler rings those whose last day is over.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, extract, select, tuple_, update
from sqlalchemy.orm import Session

from core import clock
from core.models import CalendarDay, CalendarYear, Clock
from core.working_days import WorkingCalendar

NATURAL, WORKING = "natural", "working"
ZERO, CONTINUE = "zero", "continue"


def working_calendar(session: Session) -> WorkingCalendar:
    """The working calendar with the administrator's overrides, a few rows a year, by one statement.

    A year is stated to be complete only after days of it were set, so the days bring it along.
    """
    stated = CalendarYear.year == extract("year", CalendarDay.day)
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.working, CalendarYear.year).outerjoin(CalendarYear, stated)
    ).all()
    return WorkingCalendar({day: working for day, working, _ in rows}, {year for *_, year in rows if year is not None})


def warning_of(year: int) -> str:
    """What the administrator is told of a year whose days are guessed."""
    return (
        f"{year}年的节假日安排尚未录入，暂按周一至周五为工作日计算。"
        f"请用 ./manage calendar set 逐日录入放假和调休，再执行 ./manage calendar complete {year}"
    )


def last_day(start: date, unit: str, days: int, calendar: WorkingCalendar) -> date:
    """The day at whose end (24:00) a period of so many days from `start` is over."""
    return calendar.add_workdays(start, days) if unit == WORKING else start + timedelta(days=days)


def elapsed(row: Clock, today: date, calendar: WorkingCalendar) -> int:
    """Whole days that have passed on a clock by `today`, pauses not counted."""
    if row.paused_on is not None:
        return row.elapsed
    if row.unit == WORKING:
        return row.elapsed + max(0, calendar.workdays_between(row.started_on, today))
    return row.elapsed + (today - row.started_on).days


def start(
    session: Session,
    subject: tuple[str, UUID],
    name: str,
    *,
    unit: str,
    days: int,
    on_restart: str,
    calendar: WorkingCalendar,
) -> Clock:
    """Start a clock, let a paused one of that name go on, or start one that has rung anew; a running one goes on."""
    today = clock.today()
    row = find(session, subject[1], name)
    if row is None:
        row = Clock(
            subject_type=subject[0], subject_id=subject[1], name=name, unit=unit, days=days,
            on_restart=on_restart, elapsed=0, started_on=today, last_day=last_day(today, unit, days, calendar),
        )  # fmt: skip
        session.add(row)
    elif row.paused_on is not None or row.rung_at is not None:
        goes_on = row.paused_on is not None and row.on_restart == CONTINUE
        row.elapsed = row.elapsed if goes_on else 0
        row.started_on, row.paused_on, row.rung_at = today, None, None
        row.last_day = last_day(today, row.unit, max(0, row.days - row.elapsed), calendar)
    session.flush()
    return row


def pause(session: Session, subject_id: UUID, name: str, calendar: WorkingCalendar) -> None:
    """Stop counting; a clock that is paused or not there stays as it is."""
    row = find(session, subject_id, name)
    if row is not None and row.paused_on is None:
        today = clock.today()
        row.elapsed = elapsed(row, today, calendar)
        row.paused_on = today
        session.flush()


def stop(session: Session, subject_id: UUID, name: str | None = None) -> None:
    """Take a clock (all of the subject's without a name) away."""
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
