"""A period that counts (时限): its unit, its way of counting, its pauses; and the day at whose end it is over.

Two ways of counting (spec/common §6). A *deadline* (期限) ends at 24:00 of its last day; counted in natural days,
months or years it moves off a rest day to the next working day (民法典 203), unless it is declared not to. A *waiting
period* (公示期、等待期) of n is over once the difference of the dates is n: the day on which it began is day 0. The day
of the event is not counted; months and years end on the same day, clamped to the month's end.
"""

import calendar as gregorian
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.deadlines.working_days import WorkingCalendar

NATURAL, WORKING, MONTH, YEAR = "natural", "working", "month", "year"
UNITS = (NATURAL, WORKING, MONTH, YEAR)
DEADLINE, WAITING = "deadline", "waiting"
ZERO, CONTINUE = "zero", "continue"
_DAY = timedelta(days=1)


def add_months(day: date, number: int) -> date:
    """The same day so many months later, clamped to the month's end: 30 November + 3 is 28 or 29 February."""
    months = day.year * 12 + day.month - 1 + number
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, gregorian.monthrange(year, month)[1]))


def counted(start: date, unit: str, number: int, calendar: WorkingCalendar) -> date:
    """The day so many units after `start`."""
    if unit == WORKING:
        return calendar.add_workdays(start, number)
    if unit == NATURAL:
        return start + _DAY * number
    return add_months(start, number * (12 if unit == YEAR else 1))


@dataclass(slots=True)
class Period:
    """One clock of a record, as it is counted. `days` are units; `elapsed` working days that passed before a pause.

    A pause in natural days, months or years moves `started_on` by as many days. `last_day` is the day at whose end the
    period is over: of a waiting period the day before the first on which what waited for it may be done.
    `before_outage` and `outage_reason` are set where outages (系统故障) moved a deadline from that day.
    """

    name: str
    unit: str
    days: int
    counting: str
    shift: bool
    on_restart: str
    started_on: date
    elapsed: int = 0
    paused_on: date | None = None
    last_day: date = date.min
    last_day_provisional: bool = False
    rung_at: datetime | None = None
    extensions: int = 0
    before_outage: date | None = None
    outage_reason: str | None = None

    def count(self, calendar: WorkingCalendar) -> None:
        """Count its last day, from where it began."""
        left = max(0, self.days - self.elapsed)
        end = counted(self.started_on, self.unit, left, calendar)
        moves = self.counting == DEADLINE and self.shift and self.unit != WORKING
        while moves and not calendar.is_workday(end):
            end += _DAY
        asked = self.unit == WORKING or moves
        self.last_day_provisional = asked and calendar.guesses(self.started_on, end)
        self.last_day = end - _DAY if self.counting == WAITING else end
        self.before_outage = self.outage_reason = None

    def pause(self, today: date, calendar: WorkingCalendar) -> None:
        """Stop counting; one that is paused stays so."""
        if self.paused_on is not None:
            return
        if self.unit == WORKING:
            self.elapsed += max(0, calendar.workdays_between(self.started_on, today))
        self.paused_on = today

    def go_on(self, today: date, calendar: WorkingCalendar) -> None:
        """Count again after a pause, from zero or from where it was; one that has rung begins anew."""
        if self.paused_on is None and self.rung_at is None:
            return
        goes_on = self.paused_on is not None and self.on_restart == CONTINUE
        if not goes_on:
            self.elapsed, self.started_on, self.extensions = 0, today, 0
        elif self.unit == WORKING:
            self.started_on = today
        elif self.paused_on is not None:
            self.started_on += today - self.paused_on
        self.paused_on, self.rung_at = None, None
        self.count(calendar)

    def extend(self, number: int, calendar: WorkingCalendar) -> None:
        """Let it take so many units more (延长)."""
        self.days += number
        self.extensions += 1
        if self.paused_on is None:
            self.count(calendar)

    @property
    def due_on(self) -> date:
        """The day that people read: a deadline's last one, and of a waiting period the first on which one may act."""
        return self.last_day + _DAY if self.counting == WAITING else self.last_day


def amber_from(due_on: date, unit: str, days: int, calendar: WorkingCalendar) -> date:
    """The first day of the last `days` before a deadline; counted in working days where its unit is one."""
    return calendar.add_workdays(due_on, -days) if unit == WORKING else due_on - _DAY * days
