"""Who sees a rater's number and name, and the whole of what the rater wrote: 窗口人员看不到."""

from dataclasses import replace
from uuid import UUID

import pytest

from accounts.verbs import Role
from core.actor import Actor
from core.database.paging import PageRequest
from feedback import queries
from feedback.ratings import exports
from feedback.ratings.public import answer
from tests.feedback.room import Room, refused


def shown(room: Room, person: str | Actor, rating_id: UUID) -> dict:  # type: ignore[type-arg]
    with room.database.read() as session:
        actor = room.people[person] if isinstance(person, str) else person
        return queries.rating_answer(session, actor, queries.get_readable(session, actor, rating_id))


def revealed(room: Room, person: str, rating_id: UUID) -> str | None:
    """The number that the step shows."""
    rating = room.act(person, rating_id, "reveal_number")
    with room.database.read() as session:
        return queries.revealed(session, room.people[person], rating).get("mobile")


def history_of(room: Room, rating_id: UUID, person: str = "supervisor") -> list[dict]:  # type: ignore[type-arg]
    with room.database.read() as session:
        rating, actor = room.rating(rating_id), room.people[person]
        page = queries.history_of(session, rating, PageRequest())
        return [queries.move_as_json(session, actor, rating)(row) for row in page.items]


def test_no_record_shows_the_whole_number_to_anybody(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    for person in ("handler", "other_handler", "supervisor", "city_supervisor"):
        assert shown(room, person, rating)["mobile"] == "138****0001", person


def test_the_handler_who_has_to_call_reads_the_number_by_a_step_that_stands_in_the_history(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    assert "reveal_number" in shown(room, "handler", rating)["actions"]
    assert revealed(room, "handler", rating) == "13800000001"
    assert shown(room, "handler", rating)["mobile"] == "138****0001"
    (*_, last) = history_of(room, rating)
    assert (last["action"], last["actor"], last["operator_name"]) == ("reveal_number", "handler", "操作员")
    assert "13800000001" not in str(last)
    assert shown(room, "handler", rating)["status"] == "to_verify"


def test_once_it_is_assigned_only_that_handler_reads_it_and_once_it_is_closed_nobody(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    room.act("supervisor", rating, "assign", handler_id=str(room.people["other_handler"].user_id))
    assert refused(lambda: revealed(room, "handler", rating)).code == "assigned_to_other"
    assert revealed(room, "other_handler", rating) == "13800000001"
    for step, person in (
        ("contact", "other_handler"), ("verify", "other_handler"), ("rectify", "other_handler"),
        ("reply", "other_handler"), ("close", "supervisor"),
    ):  # fmt: skip
        room.act(person, rating, step)
    assert refused(lambda: revealed(room, "other_handler", rating)).code == "wrong_status"


@pytest.mark.parametrize("person", ["officer", "supervisor", "neighbour_handler", "inspector"])
def test_nobody_else_takes_that_step(room: Room, person: str) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    assert refused(lambda: revealed(room, person, rating)).code in ("forbidden", "not_found")
    assert [one["action"] for one in history_of(room, rating)] == ["open"]


def exported(room: Room, actor: Actor) -> dict[str, object]:
    """The one rating as it stands in the table."""
    sheet = exports.list_sheet(exports.export_rows(room.database, actor, queries.Filters()), actor)
    (cells,) = sheet.rows
    return dict(zip(sheet.columns, cells, strict=True))


def test_whoever_sits_at_the_window_sees_nothing_of_number_and_name(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001", rater_name="张某某")
    seen = shown(room, "officer", rating)
    assert (seen["mobile"], seen["rater_name"]) == (None, None)
    officer = room.people["officer"]
    assert exported(room, officer)["手机号"] is None
    with room.database.read() as session:
        found = queries.Filters(mobile_tail="0001")
        assert refused(lambda: queries.ratings(session, officer, found, PageRequest())).code == "forbidden"


def test_whoever_works_at_the_window_and_handles_too_never_reads_a_number(room: Room) -> None:
    """An account with both roles, and a handler who made the code before."""
    handler, made = room.people["handler"], room.code("officer")
    rating = room.bad(made, mobile="13800000001", comment="找张某某 13800000001 核实")
    both = replace(
        handler, roles=(*handler.roles, Role.RATING_OFFICER.value), verbs=handler.verbs | {"ratings.generate"}
    )
    room.people["both"] = both
    room.people["maker"] = replace(handler, user_id=room.people["officer"].user_id)
    for person in ("both", "maker"):
        problem = refused(lambda name=person: revealed(room, name, rating))
        assert problem.code == "forbidden" and "窗口人员不能查看" in (problem.detail or "")
        seen = shown(room, person, rating)
        assert seen["mobile"] is None and "reveal_number" not in seen["actions"] and "1380" not in seen["comment"]
    with room.database.read() as session:
        page = queries.ratings(session, room.people["maker"], queries.Filters(mobile_tail="0001"), PageRequest())
        assert page.items == []


def test_what_a_handler_wrote_shows_no_number_at_the_window(room: Room) -> None:
    rating = room.bad(room.code(), mobile="13800000001")
    room.act("handler", rating, "contact", note="回拨 13800000001，已接")
    assert shown(room, "officer", rating)["contacts"][0]["note"] == "回拨 ***********，已接"
    assert shown(room, "handler", rating)["contacts"][0]["note"] == "回拨 13800000001，已接"
    assert "13800000001" not in str(history_of(room, rating, "officer"))
    assert "13800000001" in str(history_of(room, rating, "handler"))


@pytest.mark.parametrize("person", ["handler", "supervisor"])
def test_who_rates_without_a_name_is_not_named_and_not_called(room: Room, person: str) -> None:
    rating_id = room.bad(room.code(), mobile="13800000001", real_name=False)
    rating = shown(room, person, rating_id)
    assert (rating["rater_name"], rating["mobile"]) == (None, "138****0001")
    assert refused(lambda: revealed(room, "handler", rating_id)).code == "forbidden"


SAID, MASKED = "找张某某 13800000001 核实", "找*** *********** 核实"


def comments(room: Room, person: str, rating_id: UUID) -> tuple[str, object, str]:
    """In the list, in the table and on the record."""
    actor = room.people[person]
    with room.database.read() as session:
        (row,) = queries.ratings(session, actor, queries.Filters(), PageRequest()).items
    cell = exported(room, actor)["具体意见"]
    return queries.rating_as_json(row, actor)["comment"], cell, shown(room, person, rating_id)["comment"]


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
