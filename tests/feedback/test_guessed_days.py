"""Deadlines of bad ratings (差评) over the turn of 2026 to 2027, guessed until the calendar is loaded."""

from datetime import date
from uuid import UUID

import time_machine
from click.testing import CliRunner
from sqlalchemy import select, update

from accounts.models import Region
from cli.calendar import calendar
from core.models import CalendarDay, CalendarRegionDay, CalendarYear, HistoryEntry, HistoryPayload, Todo
from core.workflows import history
from feedback import integrity
from feedback.follow_ups.recounting import recounting
from feedback.models import Rating
from tests.feedback.room import Room

CHRISTMAS = "2026-12-25T10:00:00+08:00"
"""A Friday: five working days lead beyond New Year's Day."""


def load(room: Room, off: list[str], worked: list[str] | None = None, *, complete: bool = True) -> None:
    """The administrator sets days of 2027 and states that they are all."""
    with room.database.write() as session:
        for day in off:
            session.merge(CalendarDay(day=date.fromisoformat(day), working=False))
        for day in worked or []:
            session.merge(CalendarDay(day=date.fromisoformat(day), working=True))
        if complete:
            session.merge(CalendarYear(year=2027))


def due(room: Room, rating_id: UUID) -> tuple[str, bool]:
    rating = room.rating(rating_id)
    return str(rating.due_on), rating.due_on_provisional


def todo_of(room: Room, rating_id: UUID) -> tuple[str, bool]:
    with room.database.read() as session:
        todo = session.scalars(select(Todo).where(Todo.subject_id == rating_id, Todo.closed_at.is_(None))).one()
        return str(todo.due_on), todo.due_on_provisional


def told(room: Room, rating_id: UUID) -> list[dict[str, str]]:
    """What the history tells of deadlines that were counted anew."""
    with room.database.read() as session:
        rows = session.scalars(
            select(HistoryPayload.payload)
            .join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
            .where(HistoryEntry.subject_id == rating_id, HistoryEntry.action == "recount")
        ).all()
    return [{name: value for name, value in row.items() if name != "standing"} for row in rows]


def assert_history_holds(room: Room) -> None:
    with room.database.read() as session:
        assert [str(one) for one in (*history.verify(session), *integrity.verify(session))] == []


def test_a_deadline_before_the_year_s_end_is_known_and_one_beyond_it_is_provisional(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    at_ten.move_to("2026-12-24T10:00:00+08:00")
    assert due(room, room.bad(code)) == ("2026-12-31", False)
    at_ten.move_to(CHRISTMAS)
    rating_id = room.bad(code)
    assert due(room, rating_id) == todo_of(room, rating_id) == ("2027-01-04", True)
    # Nobody works on New Year's Day, whatever is announced.
    at_ten.move_to("2026-12-18T10:00:00+08:00")
    extended = room.lead(room.bad(code), "contact", "verify", verify={"classification": "deadline"})
    assert due(room, extended) == ("2026-12-25", False)
    room.act("handler", extended, "rectify", extension_reason="须与多部门会商")
    assert due(room, extended) == todo_of(room, extended) == ("2027-01-11", True)


def test_when_the_calendar_arrives_open_deadlines_move_both_ways_once_and_closed_ones_stay(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    at_ten.move_to("2026-12-30T10:00:00+08:00")
    later, closed = room.bad(code), room.standing(code, "closed")
    at_ten.move_to("2027-02-01T10:00:00+08:00")
    earlier = room.bad(code)
    assert (due(room, later), due(room, earlier)) == (("2027-01-07", True), ("2027-02-10", True))
    at_ten.move_to("2027-01-04T10:00:00+08:00")
    load(room, ["2027-01-02", "2027-01-04"], complete=False)
    assert recounting().run(room.database) == 0  # single days do not make the year known
    load(room, [], ["2027-02-06", "2027-02-07"])
    assert recounting().run(room.database) == 2
    assert due(room, later) == todo_of(room, later) == ("2027-01-08", False)
    assert due(room, earlier) == todo_of(room, earlier) == ("2027-02-07", False)
    assert due(room, closed) == ("2027-01-07", True)
    assert told(room, later) == [
        {"due_on": "2027-01-08", "former_due_on": "2027-01-07", "counted": "2027-01-08"}
    ]  # fmt: skip
    assert recounting().run(room.database) == 0
    assert [len(told(room, one)) for one in (later, earlier, closed)] == [1, 1, 0]
    assert_history_holds(room)
    room.lead(later, "contact", "verify", "rectify", "reply", "close")


def test_a_deadline_that_was_guessed_right_is_only_no_longer_provisional(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    at_ten.move_to(CHRISTMAS)
    rating_id = room.bad(room.code())
    before = room.rating(rating_id).version
    load(room, ["2027-01-01"])
    assert recounting().run(room.database) == 1
    assert due(room, rating_id) == todo_of(room, rating_id) == ("2027-01-04", False)
    assert (room.rating(rating_id).version, told(room, rating_id)) == (before, [])
    assert_history_holds(room)


def test_a_deadline_is_never_shortened_to_a_day_that_is_over(room: Room, at_ten: time_machine.Traveller) -> None:
    at_ten.move_to("2027-01-29T10:00:00+08:00")
    last_day, over = room.bad(room.code()), room.bad(room.code())
    assert due(room, last_day) == ("2027-02-09", True)
    # 30 and 31 January are worked, and 5 February too: the fifth day is 3 February.
    load(room, [], ["2027-01-30", "2027-01-31", "2027-02-05"])
    at_ten.move_to("2027-02-03T23:59:00+08:00")
    with room.database.write() as session:
        session.execute(update(Rating).where(Rating.id == over).values(due_on_provisional=False))
    assert recounting().run(room.database) == 1
    assert due(room, last_day) == ("2027-02-03", False)
    with room.database.write() as session:
        session.execute(update(Rating).where(Rating.id == over).values(due_on_provisional=True))
    at_ten.move_to("2027-02-04T00:00:00+08:00")
    assert recounting().run(room.database) == 1
    # What was told holds; the history says what would have been.
    assert due(room, over) == todo_of(room, over) == ("2027-02-09", False)
    assert told(room, over) == [{"due_on": "2027-02-09", "former_due_on": "2027-02-09", "counted": "2027-02-03"}]
    assert_history_holds(room)


def test_holidays_of_a_region_count_for_its_offices_and_for_no_others(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    mine, theirs = room.code(), room.code("neighbour_officer")
    with room.database.write() as session:
        session.add(
            CalendarRegionDay(area1="320000", area2="320400", area3="320402", day=date(2026, 12, 9), working=False)
        )
    at_ten.move_to("2026-12-04T10:00:00+08:00")
    assert due(room, room.bad(mine)) == ("2026-12-14", False)
    assert due(room, room.bad(theirs)) == ("2026-12-11", False)
    with room.database.write() as session:  # of the whole province; the nearer one goes before it
        session.add(CalendarRegionDay(area1="320000", day=date(2026, 12, 9), working=True))
        session.add(CalendarRegionDay(area1="320000", day=date(2026, 12, 10), working=False))
        session.add(CalendarRegionDay(area1="330000", day=date(2026, 12, 8), working=False))
    assert due(room, room.bad(mine)) == ("2026-12-15", False)
    assert due(room, room.bad(theirs)) == ("2026-12-14", False)


def test_the_command_sets_days_of_regions_and_counts_anew_what_was_guessed(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    at_ten.move_to(CHRISTMAS)
    rating_id = room.bad(room.code())

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(calendar, list(arguments), obj=room)
        assert result.exit_code == 0, result.output
        return result.output

    assert "天宁区" in run("set", "2026-12-28..2026-12-29", "off", "--region", "320402")
    first = run("set", "2027-01-01..2027-01-03", "off")
    assert "全国" in first and "期限不变" not in first
    run("set", "2026-12-28..2026-12-29", "off", "--region", "320402")
    assert "差评 1 件" in run("complete", "2027")
    assert due(room, rating_id) == ("2027-01-06", False)
    assert "没有需要重新核算" in run("complete", "2027")
    # What is mended afterwards moves no deadline that was told.
    for mended in (("set", "2027-01-05", "off"), ("unset", "2027-01-05")):
        assert "已经告知的期限不变" in run(*mended)
        assert recounting().run(room.database) == 0 and due(room, rating_id) == ("2027-01-06", False)
    listed = run("list")
    assert "天宁区（320402）" in listed and listed.count("2026-12-28") == 1
    run("unset", "2026-12-28..2026-12-29", "--region", "320402")
    assert "天宁区" not in run("list")
    for wrong in ("2027-02-30", "2027-01-03..2027-01-01", "2027"):
        assert CliRunner().invoke(calendar, ["set", wrong, "off"], obj=room).exit_code == 2


def test_a_region_s_days_follow_a_reorganisation(room: Room) -> None:
    """They stand in a table with a chain of regions, which reorganisations (区划调整) move by themselves."""
    from accounts.regions.chain_tables import chain_tables

    with room.database.read() as session:
        assert session.get_one(Region, "320402").area3 == "320402"
        assert "calendar_region_days" in [one.table.name for one in chain_tables(session)]
