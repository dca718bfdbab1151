from datetime import date
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import LogCapture

from core.deadlines import working_days
from core.deadlines.statutory_holidays import statutory_holidays
from core.deadlines.working_days import WorkingCalendar

# The national arrangement: holidays, make-up working days (State Council notices).
ARRANGEMENT = {
    2020: ("01-01 01-24…02-02 04-04…04-06 05-01…05-05 06-25…06-27 10-01…10-08",
           "01-19 04-26 05-09 06-28 09-27 10-10"),
    2021: ("01-01…01-03 02-11…02-17 04-03…04-05 05-01…05-05 06-12…06-14 09-19…09-21 10-01…10-07",
           "02-07 02-20 04-25 05-08 09-18 09-26 10-09"),
    2022: ("01-01…01-03 01-31…02-06 04-03…04-05 04-30…05-04 06-03…06-05 09-10…09-12 10-01…10-07 12-31",
           "01-29 01-30 04-02 04-24 05-07 10-08 10-09"),
    2023: ("01-01…01-02 01-21…01-27 04-05 04-29…05-03 06-22…06-24 09-29…10-06 12-30…12-31",
           "01-28 01-29 04-23 05-06 06-25 10-07 10-08"),
    2024: ("01-01 02-10…02-17 04-04…04-06 05-01…05-05 06-10 09-15…09-17 10-01…10-07",
           "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12"),
    2025: ("01-01 01-28…02-04 04-04…04-06 05-01…05-05 05-31…06-02 10-01…10-08",
           "01-26 02-08 04-27 09-28 10-11"),
    2026: ("01-01…01-03 02-15…02-23 04-04…04-06 05-01…05-05 06-19…06-21 09-25…09-27 10-01…10-07",
           "01-04 02-14 02-28 05-09 09-20 10-10"),
}  # fmt: skip


def days(year: int, text: str) -> set[date]:
    found: set[date] = set()
    for part in text.split():
        first, _, last = part.partition("…")
        start, end = (date.fromisoformat(f"{year}-{day}").toordinal() for day in (first, last or first))
        found.update(date.fromordinal(ordinal) for ordinal in range(start, end + 1))
    return found


@pytest.mark.parametrize("year", ARRANGEMENT)
def test_every_day_of_a_year_follows_the_national_arrangement(year: int) -> None:
    off, worked = (days(year, text) for text in ARRANGEMENT[year])
    calendar = WorkingCalendar()
    for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
        day = date.fromordinal(ordinal)
        assert calendar.is_workday(day) == (day in worked or (day.weekday() < 5 and day not in off)), day
    assert calendar.unknown_years(date(year, 1, 1)) == []


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    calendar = WorkingCalendar()
    assert calendar.is_workday(date(2026, 2, 14))
    assert not calendar.is_workday(date(2026, 2, 16))
    assert calendar.is_workday(date(2022, 10, 8))


def test_working_days_are_counted_from_the_day_after() -> None:
    calendar = WorkingCalendar()
    assert calendar.add_workdays(date(2026, 9, 30), 5) == date(2026, 10, 13)
    assert calendar.add_workdays(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert calendar.add_workdays(date(2026, 10, 3), 0) == date(2026, 10, 3)
    assert calendar.add_workdays(date(2026, 10, 13), -5) == date(2026, 9, 30)


def test_working_days_between_two_days_leave_out_the_first() -> None:
    calendar = WorkingCalendar()
    assert calendar.workdays_between(date(2026, 9, 30), date(2026, 10, 13)) == 5
    assert calendar.workdays_between(date(2026, 9, 30), date(2026, 9, 30)) == 0
    assert calendar.workdays_between(date(2026, 10, 13), date(2026, 9, 30)) == -5


@given(st.dates(date(2020, 1, 1), date(2026, 6, 30)), st.integers(-60, 60))
def test_counting_is_the_inverse_of_adding(start: date, n: int) -> None:
    calendar = WorkingCalendar()
    assert calendar.workdays_between(start, calendar.add_workdays(start, n)) == n


def test_a_natural_deadline_on_a_rest_day_moves_to_the_next_working_day() -> None:
    calendar = WorkingCalendar()
    assert calendar.deadline_natural(date(2026, 9, 20), 15) == date(2026, 10, 8)
    assert calendar.deadline_natural(date(2026, 11, 2), 15) == date(2026, 11, 17)
    assert calendar.deadline_natural(date(2026, 2, 4), 10) == date(2026, 2, 14)


def test_an_override_goes_before_the_arrangement() -> None:
    calendar = WorkingCalendar({date(2026, 10, 8): False, date(2026, 10, 11): True})
    assert calendar.add_workdays(date(2026, 9, 30), 1) == date(2026, 10, 9)
    assert calendar.is_workday(date(2026, 10, 11))


@pytest.mark.parametrize("year", ARRANGEMENT)
def test_what_is_certain_of_a_year_was_off_under_every_arrangement(year: int) -> None:
    off = days(year, ARRANGEMENT[year][0])
    # Before 2025 neither 除夕 nor 2 May were statutory days.
    spring = min(day for day in statutory_holidays(year) if day.month in (1, 2) and day != date(year, 1, 1))
    certain = statutory_holidays(year) - ({spring, date(year, 5, 2)} if year < 2025 else set())
    assert certain <= off


def test_the_certain_days_of_2027() -> None:
    assert statutory_holidays(2027) == days(2027, "01-01 02-05…02-08 04-05 05-01…05-02 06-09 09-15 10-01…10-03")


def test_a_year_without_data_knows_its_statutory_days_and_its_weekends() -> None:
    calendar = WorkingCalendar()
    assert not calendar.is_workday(date(2099, 10, 3))
    assert not calendar.is_workday(date(2099, 10, 1))
    assert calendar.is_workday(date(2099, 10, 5))
    assert not calendar.is_workday(date(2999, 5, 1)) and calendar.is_workday(date(2999, 5, 3))


def test_no_deadline_lands_on_new_year_s_day_and_one_beyond_it_is_guessed() -> None:
    calendar = WorkingCalendar()
    for start, due, guessed in (
        ("2026-12-23", "2026-12-30", False), ("2026-12-24", "2026-12-31", False), ("2026-12-25", "2027-01-04", True),
        ("2026-12-31", "2027-01-08", True), ("2027-01-01", "2027-01-08", True),
    ):  # fmt: skip
        last = calendar.add_workdays(date.fromisoformat(start), 5)
        assert (last.isoformat(), calendar.guesses(date.fromisoformat(start), last)) == (due, guessed)
    assert calendar.deadline_natural(date(2026, 12, 17), 15) == date(2027, 1, 4)
    loaded = WorkingCalendar({date(2027, 1, 4): False}, complete_years=[2027])
    assert loaded.add_workdays(date(2026, 12, 25), 5) == date(2027, 1, 5)
    assert not loaded.guesses(date(2026, 12, 25), date(2027, 1, 5))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is logged, whatever the level, by a process that has not guessed yet."""
    capture = LogCapture()
    log = structlog.wrap_logger(None, processors=[capture], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(working_days, "log", log)
    monkeypatch.setattr(working_days, "_warned", set())
    return capture.entries


def test_a_year_that_is_guessed_is_logged_once_in_a_process(logged: list[Any]) -> None:
    # Fifteen working days before Christmas reach into a year whose holidays are not announced.
    assert WorkingCalendar().add_workdays(date(2098, 12, 22), 15) == date(2099, 1, 13)
    WorkingCalendar().add_workdays(date(2098, 12, 22), 15)
    guessed = [entry["year"] for entry in logged if entry["event"] == "working_days_guessed"]
    assert guessed == [2098, 2099] and {entry["log_level"] for entry in logged} == {"warning"}


def test_a_single_day_that_was_set_does_not_make_its_year_known(logged: list[Any]) -> None:
    calendar = WorkingCalendar({date(2099, 10, 1): False})
    assert not calendar.is_workday(date(2099, 10, 1))
    assert logged == []
    assert calendar.is_workday(date(2099, 10, 5))
    assert [entry["year"] for entry in logged] == [2099]
    assert calendar.unknown_years(date(2099, 1, 1)) == [2099]


def test_a_year_that_was_stated_to_be_complete_is_not_guessed(logged: list[Any]) -> None:
    calendar = WorkingCalendar({date(2099, 10, 1): False}, complete_years=[2099])
    assert calendar.is_workday(date(2099, 10, 5))
    assert logged == [] and calendar.unknown_years(date(2099, 1, 1)) == []


def test_the_next_year_is_asked_for_from_november_on() -> None:
    calendar = WorkingCalendar({}, complete_years=[2098])
    assert calendar.unknown_years(date(2098, 10, 31)) == []
    assert calendar.unknown_years(date(2098, 11, 1)) == [2099]
    assert calendar.unknown_years(date(2099, 11, 1)) == [2099, 2100]
