"""How periods (时限) are counted: each rule with its last day and the day after."""

from dataclasses import replace
from datetime import date

import pytest

from core.deadlines.periods import (
    CONTINUE,
    DEADLINE,
    MONTH,
    NATURAL,
    WAITING,
    WORKING,
    YEAR,
    ZERO,
    Period,
    add_months,
    amber_from,
)
from core.deadlines.working_days import WorkingCalendar

CALENDAR = WorkingCalendar()
MONDAY = date(2026, 9, 28)
"""From 1 to 7 October nobody works; Saturday the 10th is worked for it."""


def begun(unit: str, days: int, counting: str, on: date = MONDAY, **more: object) -> Period:
    period = Period("term", unit, days, counting, shift=True, on_restart=ZERO, started_on=on)
    period = replace(period, **more)  # type: ignore[arg-type]
    period.count(CALENDAR)
    return period


@pytest.mark.parametrize(
    ("unit", "days", "on", "last"),
    [
        (WORKING, 5, date(2026, 9, 30), date(2026, 10, 13)),
        (NATURAL, 2, MONDAY, date(2026, 9, 30)),
        # 3 October is a rest day: the deadline moves to the 8th (民法典 203).
        (NATURAL, 5, MONDAY, date(2026, 10, 8)),
        (MONTH, 1, date(2026, 1, 31), date(2026, 2, 28)),
        (MONTH, 3, date(2026, 11, 30), date(2027, 3, 1)),
        (YEAR, 1, date(2028, 2, 29), date(2029, 2, 28)),
    ],
)
def test_a_deadline_ends_with_its_last_day_which_moves_off_rest_days(
    unit: str, days: int, on: date, last: date
) -> None:
    assert begun(unit, days, DEADLINE, on).last_day == last
    assert begun(unit, days, DEADLINE, on).due_on == last


def test_a_deadline_that_is_declared_so_ends_on_a_rest_day() -> None:
    assert begun(NATURAL, 5, DEADLINE, shift=False).last_day == date(2026, 10, 3)


@pytest.mark.parametrize(
    ("unit", "days", "on", "first"),
    [
        (NATURAL, 7, date(2026, 3, 1), date(2026, 3, 8)),
        # Spec f §11: started on a Monday, 5 working days and 7 natural ones are over on the next Monday.
        (WORKING, 5, date(2026, 11, 2), date(2026, 11, 9)),
        (NATURAL, 7, date(2026, 11, 2), date(2026, 11, 9)),
        (NATURAL, 5, MONDAY, date(2026, 10, 3)),
        (MONTH, 12, date(2028, 2, 29), date(2029, 2, 28)),
        (MONTH, 3, date(2026, 11, 30), date(2027, 2, 28)),
    ],
)
def test_a_waiting_period_is_over_when_the_dates_differ_by_so_much(unit: str, days: int, on: date, first: date) -> None:
    period = begun(unit, days, WAITING, on)
    assert period.due_on == first
    assert (first - period.last_day).days == 1


@pytest.mark.parametrize(
    ("unit", "again", "last"),
    [
        # Paused on Wednesday, when two days are over, and going on on Friday 9 October.
        (NATURAL, ZERO, date(2026, 10, 14)),
        (NATURAL, CONTINUE, date(2026, 10, 12)),
        (WORKING, ZERO, date(2026, 10, 15)),
        (WORKING, CONTINUE, date(2026, 10, 13)),
        (MONTH, CONTINUE, date(2027, 3, 8)),
    ],
)
def test_a_pause_is_not_counted(unit: str, again: str, last: date) -> None:
    period = begun(unit, 5, DEADLINE, on_restart=again, shift=unit == MONTH)
    period.pause(date(2026, 9, 30), CALENDAR)
    period.pause(date(2026, 10, 6), CALENDAR)
    period.go_on(date(2026, 10, 9), CALENDAR)
    assert period.last_day == last


def test_one_that_runs_goes_on_and_one_that_rang_begins_anew() -> None:
    period = begun(NATURAL, 2, DEADLINE)
    period.go_on(date(2026, 9, 29), CALENDAR)
    assert period.last_day == date(2026, 9, 30)
    from core import clock

    period.rung_at = clock.now()
    period.go_on(date(2026, 11, 2), CALENDAR)
    assert (period.last_day, period.rung_at) == (date(2026, 11, 4), None)


def test_an_extension_counts_in_the_units_of_its_clock() -> None:
    period = begun(WORKING, 20, DEADLINE, date(2026, 11, 2))
    assert period.last_day == date(2026, 11, 30)
    period.extend(10, CALENDAR)
    assert (period.last_day, period.extensions) == (date(2026, 12, 14), 1)


def test_the_last_days_before_a_deadline_are_counted_in_its_unit() -> None:
    assert amber_from(date(2026, 10, 9), WORKING, 3, CALENDAR) == date(2026, 9, 29)
    assert amber_from(date(2026, 10, 9), NATURAL, 3, CALENDAR) == date(2026, 10, 6)


def test_months_are_clamped_to_the_end_of_the_month() -> None:
    assert [add_months(date(2026, 1, 31), n) for n in (1, 3, -2, 13)] == [
        date(2026, 2, 28), date(2026, 4, 30), date(2025, 11, 30), date(2027, 2, 28),
    ]  # fmt: skip
