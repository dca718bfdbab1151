"""Working days (工作日) and deadlines.

The day of the event is not counted and the period ends with its last day (民法典 201 to 203). The
yearly arrangement of holidays and make-up days comes from the package `chinesecalendar`; overrides
loaded by an administrator take precedence. Of a year that is neither arranged nor loaded the statutory
days are certain and the rest is guessed. Natural days (自然日) and working days are never mixed.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import structlog
from chinese_calendar import holidays, workdays  # type: ignore[import-untyped]

from core.deadlines.statutory_holidays import statutory_holidays

log = structlog.get_logger()

_DAY = timedelta(days=1)
_SATURDAY, _NOVEMBER = 5, 11
_ARRANGED_YEARS = frozenset(day.year for day in holidays)

_warned: set[int] = set()
"""Years of which this process has logged that it guesses them."""


class WorkingCalendar:
    """Which days are worked: `overrides` (True for a working day), then the arrangement, then weekends.

    A year is known from the package, or once the administrator has stated that its overrides are complete; single
    overrides do not make it so. Any other year is guessed from its statutory days and its weekends, which is logged.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None, complete_years: Iterable[int] = ()) -> None:
        self._overrides = dict(overrides or {})
        self._known_years = _ARRANGED_YEARS | set(complete_years)

    def unknown_years(self, today: date) -> list[int]:
        """This year, and from November on the next, which is announced by then: those whose days would be guessed."""
        due = [today.year, *([today.year + 1] if today.month >= _NOVEMBER else [])]
        return [year for year in due if not self.knows(year)]

    def knows(self, year: int) -> bool:
        """Whether all days of the year are known."""
        return year in self._known_years

    def guesses(self, after: date, until: date) -> bool:
        """Whether counting from `after` (which is not counted) to `until` took days of a year that is guessed."""
        return not all(self.knows(year) for year in range((after + _DAY).year, until.year + 1))

    def is_workday(self, d: date) -> bool:
        """Whether the day is worked; a make-up Saturday is, a holiday on a weekday is not."""
        worked = self._overrides.get(d)
        if worked is not None:
            return worked
        if d.year in _ARRANGED_YEARS:
            return d in workdays or (d.weekday() < _SATURDAY and d not in holidays)
        if not self.knows(d.year) and d.year not in _warned:
            _warned.add(d.year)
            log.warning("working_days_guessed", year=d.year, mend="./manage calendar")
        return d.weekday() < _SATURDAY and d not in statutory_holidays(d.year)

    def add_workdays(self, d: date, n: int) -> date:
        """The n-th working day after `d` (before it when n is negative); `d` itself when n is 0."""
        step = _DAY if n > 0 else -_DAY
        for _ in range(abs(n)):
            d += step
            while not self.is_workday(d):
                d += step
        return d

    def workdays_between(self, a: date, b: date) -> int:
        """How many working days lie after `a` up to and including `b`; negative when `b` is earlier.

        The inverse of `add_workdays`: `workdays_between(d, add_workdays(d, n)) == n`.
        """
        if b < a:
            # The days that add_workdays steps over backwards: `b` counts, `a` does not.
            return -sum(self.is_workday(a - _DAY * i) for i in range(1, (a - b).days + 1))
        return sum(self.is_workday(a + _DAY * i) for i in range(1, (b - a).days + 1))

    def deadline_natural(self, d: date, n: int) -> date:
        """The last day of a deadline of n natural days; a rest day moves to the next working day.

        Not for minimum waiting periods such as publicity (公示), which end on the day itself.
        """
        last = d + _DAY * n
        while not self.is_workday(last):
            last += _DAY
        return last
