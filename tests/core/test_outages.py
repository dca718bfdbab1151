"""Outages (系统故障) and the deadlines that they move: the rule itself."""

from datetime import date, datetime

import pytest

from core.clock import LOCAL
from core.deadlines import outages
from core.deadlines.clocks import Deadline
from core.deadlines.working_days import WorkingCalendar
from core.models import Outage

MONDAY = date(2026, 11, 30)
CALENDAR = WorkingCalendar()


def outage(starts: str, ends: str, reason: str = "机房停电") -> Outage:
    moments = [datetime.fromisoformat(one).replace(tzinfo=LOCAL) for one in (starts, ends)]
    return Outage(starts_at=moments[0], ends_at=moments[1], reason=reason)


def moved(day: date, *struck: Outage) -> date:
    return outages.moved(day, struck, CALENDAR).day


@pytest.mark.parametrize(
    ("starts", "ends", "day"),
    [
        ("2026-11-30 20:00", "2026-11-30 22:00", "2026-12-01"),
        # Ended at midnight: the day that then begins is whole.
        ("2026-11-30 20:00", "2026-12-01 00:00", "2026-12-01"),
        ("2026-11-30 20:00", "2026-12-01 00:01", "2026-12-02"),
        ("2026-11-30 23:59", "2026-12-02 08:00", "2026-12-03"),
        # The working days before and behind the last day are none of its business.
        ("2026-11-29 08:00", "2026-11-30 00:00", "2026-11-30"),
        ("2026-12-01 00:00", "2026-12-01 12:00", "2026-11-30"),
        # Ended on a Friday or on the Saturday after it: the next working day is Monday.
        ("2026-11-30 08:00", "2026-12-04 12:00", "2026-12-07"),
        ("2026-11-30 08:00", "2026-12-05 12:00", "2026-12-07"),
    ],
)
def test_a_last_day_in_an_outage_moves_to_the_first_working_day_after_it(starts: str, ends: str, day: str) -> None:
    assert moved(MONDAY, outage(starts, ends)).isoformat() == day


def test_a_deadline_on_a_rest_day_moves_too_and_a_holiday_of_the_region_is_no_working_day() -> None:
    saturday = date(2026, 11, 28)
    struck = outage("2026-11-28 09:00", "2026-11-28 12:00")
    assert moved(saturday, struck) == MONDAY
    at_home = WorkingCalendar({MONDAY: False})
    assert outages.moved(saturday, [struck], at_home).day == date(2026, 12, 1)


def test_outages_that_overlap_or_are_entered_twice_do_not_count_twice() -> None:
    one, other = outage("2026-11-30 08:00", "2026-11-30 18:00"), outage("2026-11-30 12:00", "2026-12-01 09:00", "断网")
    assert moved(MONDAY, one, one) == date(2026, 12, 1)
    assert moved(MONDAY, one, other) == moved(MONDAY, other, one) == moved(MONDAY, other) == date(2026, 12, 2)
    assert outages.moved(MONDAY, [one, other], CALENDAR).outage_reason == "机房停电、断网"


def test_a_day_that_was_moved_into_a_further_outage_moves_on() -> None:
    first, second = outage("2026-11-30 08:00", "2026-11-30 18:00"), outage("2026-12-01 08:00", "2026-12-01 18:00")
    assert moved(MONDAY, second) == MONDAY
    assert outages.moved(MONDAY, [first, second], CALENDAR) == Deadline(date(2026, 12, 2), False, MONDAY, "机房停电")
