"""Who sees a rater's number and name."""

import pytest

from feedback import queries
from tests.feedback.room import Room


def shown(room: Room, person: str, rating_id) -> dict:  # type: ignore[no-untyped-def,type-arg]
    with room.database.read() as session:
        actor = room.people[person]
        return queries.show(session, actor, queries.visible(session, actor, rating_id))


def test_the_handler_who_has_to_call_sees_the_whole_number_and_nobody_else(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    assert shown(room, "handler", rating)["mobile"] == "13800000001"
    for person in ("officer", "supervisor", "city_supervisor"):
        assert shown(room, person, rating)["mobile"] == "138****0001", person


def test_once_it_is_assigned_only_that_handler_sees_it_and_once_it_is_closed_nobody(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    room.act("supervisor", rating, "assign", handler_id=str(room.people["other_handler"].user_id))
    assert shown(room, "handler", rating)["mobile"] == "138****0001"
    assert shown(room, "other_handler", rating)["mobile"] == "13800000001"
    for step, person in (
        ("contact", "other_handler"), ("verify", "other_handler"), ("rectify", "other_handler"),
        ("reply", "other_handler"), ("close", "supervisor"),
    ):  # fmt: skip
        room.act(person, rating, step)
    assert shown(room, "other_handler", rating)["mobile"] == "138****0001"


@pytest.mark.parametrize("person", ["handler", "supervisor"])
def test_who_rates_without_a_name_is_not_named_and_not_called(room: Room, person: str) -> None:
    rating = shown(room, person, room.bad(room.code(), mobile="13800000001", real_name=False))
    assert (rating["rater_name"], rating["mobile"]) == (None, "138****0001")
