"""Clocks of filings in working days over the turn of 2026 to 2027: provisional, and counted anew."""

from datetime import date
from uuid import UUID

import time_machine
from sqlalchemy import select

from core.deadlines.periods import NATURAL, WORKING
from core.models import CalendarDay, CalendarRegionDay, CalendarYear, Clock, HistoryEntry, HistoryPayload
from core.workflows.history import verify
from enterprise.filings.integrity import verify_filings
from enterprise.filings.many.clock_jobs import recounting
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import invented, publicity


def published(desk: Desk, at: str) -> UUID:
    with time_machine.travel(at, tick=False):
        filing = desk.open()
        desk.act(filing, "submit", "pass", "publish")
    return filing


def clock_of(desk: Desk, filing: UUID) -> tuple[str, bool]:
    with desk.database.read() as session:
        row = session.scalars(select(Clock).where(Clock.subject_id == filing, Clock.name == "publicity")).one()
        return str(row.last_day), row.last_day_provisional


def load(desk: Desk, **days: bool) -> None:
    with desk.database.write() as session:
        for day, working in days.items():
            session.merge(CalendarDay(day=date.fromisoformat(f"2027-{day[1:3]}-{day[3:]}"), working=working))
        session.merge(CalendarYear(year=2027))


def test_a_clock_in_working_days_that_reaches_into_a_guessed_year_is_provisional(desk: Desk) -> None:
    desk.declare(invented(publicity(WORKING, 5)))
    assert clock_of(desk, published(desk, "2026-12-24T10:00:00+08:00")) == ("2026-12-31", False)
    assert clock_of(desk, published(desk, "2026-12-25T10:00:00+08:00")) == ("2027-01-04", True)
    desk.declare(invented(publicity(NATURAL, 10)))
    assert clock_of(desk, published(desk, "2026-12-25T10:00:00+08:00")) == ("2027-01-04", False)


def test_it_is_counted_anew_once_with_a_row_in_the_history_and_rings_the_day_after(desk: Desk) -> None:
    desk.declare(invented(publicity(WORKING, 5)))
    filing = published(desk, "2026-12-25T10:00:00+08:00")
    with time_machine.travel("2026-12-28T10:00:00+08:00", tick=False):
        assert recounting(desk.engine.kinds).run(desk.database) == 0
        load(desk, d0104=False)
        assert [recounting(desk.engine.kinds).run(desk.database) for _ in range(2)] == [1, 0]
    assert clock_of(desk, filing) == ("2027-01-05", False)
    with desk.database.read() as session:
        told = session.scalars(
            select(HistoryPayload.payload)
            .join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
            .where(HistoryEntry.subject_id == filing, HistoryEntry.action == "recount")
        ).all()
        assert list(verify(session)) == [] and list(verify_filings(session, desk.engine.kinds)) == []
    (row,) = told
    assert (row["former_due_on"], row["due_on"], row["clock"]) == ("2027-01-04", "2027-01-05", "publicity")
    with time_machine.travel("2027-01-05T23:59:00+08:00", tick=False):
        assert desk.refused(filing, "end") == "too_early"
    with time_machine.travel("2027-01-06T00:00:00+08:00", tick=False):
        assert desk.act(filing, "end") == "confirming"


def test_it_is_not_shortened_to_a_day_that_is_over(desk: Desk) -> None:
    desk.declare(invented(publicity(WORKING, 5)))
    filing = published(desk, "2026-12-25T10:00:00+08:00")
    load(desk, d0102=True)
    with time_machine.travel("2027-01-03T10:00:00+08:00", tick=False):
        assert recounting(desk.engine.kinds).run(desk.database) == 1
    assert clock_of(desk, filing) == ("2027-01-04", False)


def test_holidays_of_the_region_of_the_office_that_handles_it_count(desk: Desk) -> None:
    desk.declare(invented(publicity(WORKING, 5)))
    with desk.database.write() as session:
        session.add(CalendarRegionDay(area1="320000", area2="320400", day=date(2026, 11, 10), working=False))
        session.add(CalendarRegionDay(area1="450000", day=date(2026, 11, 11), working=False))
    assert clock_of(desk, published(desk, "2026-11-06T10:00:00+08:00")) == ("2026-11-16", False)
