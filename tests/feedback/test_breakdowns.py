"""Figures cut by matter, window and month say what the figures by office say, folded or not."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from core import clock
from feedback.statistics import breakdowns, tallies
from feedback.statistics.queries import StatisticsFilter
from tests.feedback.room import Room, faults, refused


def cut(room: Room, by: Any, person: str = "supervisor", **filters: Any) -> dict[str, int]:
    with room.database.read() as session:
        rows = breakdowns.rows(session, room.people[person], StatisticsFilter(**filters), by)
    return {row["name"]: row["ratings"] for row in rows}


@pytest.mark.parametrize("folded", [False, True])
def test_ratings_are_counted_by_matter_window_and_month(room: Room, folded: bool) -> None:
    first, second = room.code(window="1号窗口"), room.code(window="2号窗口", matter_name="食品经营许可")
    room.send(first)
    room.send(second)
    room.bad(second)
    with time_machine.travel(clock.now() - timedelta(days=40), tick=False):
        room.send(first)
        before = f"{clock.today():%Y-%m}"
    if folded:
        with room.database.write() as session:
            tallies.fold(session)
    now = f"{clock.today():%Y-%m}"
    assert cut(room, "matter") == {"营业执照办理": 2, "食品经营许可": 2}
    assert list(cut(room, "month").items()) == [(before, 1), (now, 3)]
    assert cut(room, "month", matter="食品经营许可") == {now: 2}
    office = room.people["officer"].office_id
    assert cut(room, "window", office_id=office) == {"1号窗口": 2, "2号窗口": 2}
    assert cut(room, "window", office_id=office, day_from=clock.today()) == {"1号窗口": 1, "2号窗口": 2}
    assert sum(cut(room, "matter").values()) == room.figures()["total"]["ratings"]
    assert cut(room, "matter", "neighbour_supervisor") == {}
    assert cut(room, "window", "neighbour_supervisor", office_id=office) == {}


def test_a_voided_rating_is_in_no_cut(room: Room) -> None:
    code = room.code(window="1号窗口")
    room.lead(room.bad(code), "appeal", "void")
    for by in ("matter", "month", "window"):
        assert cut(room, by, office_id=code.office_id) == {}


def test_windows_need_an_office_and_no_span_is_longer_than_three_years(room: Room) -> None:
    assert faults(refused(cut, room, "window")) == {"/office_id": "required"}
    long_ago = clock.today() - timedelta(days=2000)
    assert faults(refused(cut, room, "month", day_from=long_ago)) == {"/from": "too_long"}
