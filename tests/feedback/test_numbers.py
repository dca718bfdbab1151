"""Who sees a rater's number and name, and the whole of what the rater wrote."""

from uuid import UUID

import pytest

from core.paging import PageRequest
from feedback import exports, queries
from feedback.public import answer
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


SAID, MASKED = "找张某某 13800000001 核实", "找*** *********** 核实"


def comments(room: Room, person: str, rating_id: UUID) -> tuple[str, str, str]:
    """In the list, in the table and on the record."""
    actor = room.people[person]
    with room.database.read() as session:
        (row,) = queries.ratings(session, actor, queries.Filters(), PageRequest()).items
    (exported,) = exports.export_rows(room.database, actor, queries.Filters())
    cell = dict(zip(exports.LIST_COLUMNS, exports.list_cells(exported), strict=True))["具体意见"]
    return queries.show_row(row, actor)["comment"], cell, shown(room, person, rating_id)["comment"]


def test_the_whole_comment_is_read_by_the_handler_who_has_to_call_on_the_record_alone(room: Room) -> None:
    rating = room.bad(room.code(), comment=SAID)
    assert comments(room, "handler", rating) == (MASKED, MASKED, SAID)
    for person in ("officer", "supervisor", "city_supervisor"):
        assert comments(room, person, rating) == (MASKED, MASKED, MASKED), person
    room.act("supervisor", rating, "assign", handler_id=str(room.people["other_handler"].user_id))
    assert comments(room, "handler", rating) == (MASKED, MASKED, MASKED)
    assert comments(room, "other_handler", rating) == (MASKED, MASKED, SAID)


def test_the_comment_of_who_rates_without_a_name_is_masked_for_everybody(room: Room) -> None:
    rating = room.bad(room.code(), comment=SAID, real_name=False)
    assert comments(room, "handler", rating) == (MASKED, MASKED, MASKED)


def test_raters_read_their_own_words_whole(room: Room) -> None:
    rated = room.send(room.code(), comment=SAID)
    with room.database.read() as session:
        assert answer(session, rated.query_code)["comment"] == SAID
