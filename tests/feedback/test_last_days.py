"""The last moment of each day that a rating or a code has, and the first one after it."""

from datetime import date

import pytest
import time_machine

from feedback import queries
from feedback.codes import operations as codes
from tests.feedback.room import Room

LAST, AFTER = "2026-11-27T23:59:59+08:00", "2026-11-28T00:00:00+08:00"
"""Of the five working days of a bad rating of Saturday, 21 November."""


@pytest.mark.parametrize(("moment", "late"), [(LAST, False), (AFTER, True)])
def test_a_bad_rating_is_yellow_and_in_time_on_its_last_day_and_red_and_overdue_the_day_after(
    room: Room, at_ten: time_machine.Traveller, moment: str, late: bool
) -> None:
    rated = room.bad(room.code())
    assert room.rating(rated).due_on == date(2026, 11, 27)
    at_ten.move_to(moment)
    assert queries.colour(room.rating(rated)) == ("red" if late else "yellow")
    assert (room.listed(overdue=True), room.listed(overdue=False)) == (([rated], []) if late else ([], [rated]))
    assert room.figures()["total"]["overdue"] == late


def test_a_code_of_a_matter_stays_until_the_end_of_its_last_day_and_expires_the_day_after(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code(kind="per_matter")
    assert code.valid_to == date(2026, 12, 21)
    at_ten.move_to("2026-12-21T23:59:59+08:00")
    assert codes.expiry().run(room.database) == 0 and room.code_now(code).status == "active"
    at_ten.move_to("2026-12-22T00:00:00+08:00")
    assert codes.expiry().run(room.database) == 1 and room.code_now(code).status == "expired"
