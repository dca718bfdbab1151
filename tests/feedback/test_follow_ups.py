"""The follow-up of bad ratings: every step in every status by every role, and what each step asks for."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from accounts.verbs import Role
from core.models import Todo
from core.workflows import history
from core.workflows.integrity import verify_ends
from core.workflows.workflow import SYSTEM
from demo.accounts import actor_of
from feedback import queries
from feedback.follow_ups.steps import READERS
from feedback.models import RatingContact, RatingFollowUp
from feedback.ratings import publication
from feedback.workflows import CODE, HANDLE, RATING
from tests.feedback.room import BODIES, WAYS, Room, faults, outcome, refused
from tests.newcomers import make_user

ROLES = ("officer", "handler", "supervisor")
ACTIONS = (*READERS, *publication.DECISIONS)


def follow_up(room: Room, rating_id: Any) -> RatingFollowUp:
    with room.database.read() as session:
        return session.get_one(RatingFollowUp, rating_id)


def open_todos(room: Room, rating_id: Any) -> list[tuple[str, str, str]]:
    with room.database.read() as session:
        rows = session.scalars(select(Todo).where(Todo.subject_id == rating_id, Todo.closed_at.is_(None)))
        return [(row.kind, row.verb or "", str(row.due_on)) for row in rows]


def test_every_status_and_every_action_of_the_table_is_tried_here() -> None:
    assert set(WAYS) == set(RATING.statuses)
    assert {step.action for step in RATING.steps.values() if step.source and step.who != SYSTEM} == set(ACTIONS)


@pytest.mark.parametrize("status", WAYS)
def test_a_step_is_taken_by_whom_and_from_where_it_is_declared_and_refused_otherwise(room: Room, status: str) -> None:
    code = room.code()
    rating_id = room.standing(code, status, real_name=False)
    for action in ACTIONS:
        step = RATING.steps.get((status, action))
        for stranger in ("neighbour_officer", "neighbour_handler", "neighbour_supervisor", "inspector"):
            assert outcome(room.act, stranger, rating_id, action) == "not_found"
        for role in ROLES:
            found = outcome(room.act, role, rating_id, action)
            if step is None:
                assert found == "wrong_status", (action, role)
            elif step.who not in room.people[role].verbs:
                assert found == "forbidden", (action, role)
            elif action == "explain" and status == "verified":  # its class was 立行立改
                assert found == "wrong_status"
            elif action == "reveal_number":  # who rated without a name is not called
                assert found == "forbidden"
            else:
                assert not isinstance(found, str), (action, role, found)
                assert found.status == step.target
                with room.database.read() as session:
                    last = history.read(session, rating_id)[-1]
                assert (last["action"], last["from"], last["to"]) == (action, status, step.target)
                rating_id = room.standing(code, status, real_name=False)
    with room.database.read() as session:
        assert list(history.verify(session)) == []
        assert list(verify_ends(session, RATING)) == list(verify_ends(session, CODE)) == []


def test_an_explanation_is_given_where_that_was_the_class(room: Room) -> None:
    rating_id = room.standing(room.code(), "explained")
    assert follow_up(room, rating_id).explanation == BODIES["explain"]["explanation"]
    room.lead(rating_id, "reply", "close")
    assert room.rating(rating_id).status == "closed"


def test_a_superior_supervisor_decides_too(room: Room) -> None:
    rating_id = room.standing(room.code(), "fed_back")
    assert room.act("city_supervisor", rating_id, "close").status == "closed"


def test_an_unknown_action_is_not_there(room: Room) -> None:
    rating_id = room.bad(room.code())
    for action in ("bless", "count", "open"):
        assert refused(room.act, "handler", rating_id, action).code == "not_found"


def test_a_stale_version_is_refused_before_the_body_is_looked_at(room: Room) -> None:
    rating_id = room.bad(room.code())
    problem = refused(lambda: room.act("handler", rating_id, "contact", version=7, channel="pigeon"))
    assert (problem.code, problem.extra) == ("stale_version", {"current_version": 1})


@pytest.mark.parametrize("version", ["1", [1], True, 1.0, None, {}])
def test_a_step_needs_a_version_that_is_a_whole_number(room: Room, version: Any) -> None:
    rating_id = room.bad(room.code())
    code = "required" if version is None else "wrong_type"
    assert faults(refused(lambda: room.act("handler", rating_id, "contact", version=version))) == {"/version": code}
    assert room.rating(rating_id).version == 1


def test_a_step_sent_again_is_answered_and_applied_once(room: Room) -> None:
    rating_id = room.bad(room.code())
    for _ in range(3):
        assert room.act("handler", rating_id, "contact", version=1).version == 2
    assert follow_up(room, rating_id).contacts == 1
    room.act("handler", rating_id, "verify", version=2)
    assert room.act("handler", rating_id, "contact", version=1).status == "verified"


@pytest.mark.parametrize(
    ("status", "action", "body", "expected"),
    [
        ("to_verify", "assign", {"handler_id": None}, {"/handler_id": "unknown_handler"}),
        ("to_verify", "assign", {"handler_id": "x"}, {"/handler_id": "unknown_handler"}),
        ("to_verify", "contact", {"channel": "pigeon", "result": 1, "note": "长" * 501},
         {"/channel": "unknown_option", "/result": "unknown_option", "/note": "too_long"}),
        ("to_verify", "verify", {"verify_result": "x", "classification": None},
         {"/verify_result": "unknown_option", "/classification": "unknown_option", "/contacts": "call_back_required"}),
        ("verified", "rectify", {"measures": " "}, {"/measures": "required"}),
        ("rectifying", "reply", {"feedback_text": "", "feedback_channel": ""},
         {"/feedback_text": "required", "/feedback_channel": "unknown_option"}),
        ("fed_back", "close", {"satisfied_after": None, "opinion": 5},
         {"/satisfied_after": "unknown_option", "/opinion": "wrong_type"}),
        ("fed_back", "return", {"opinion": ""}, {"/opinion": "required"}),
        ("verified", "appeal", {"reason": "", "evidence": []}, {"/reason": "required", "/evidence": "required"}),
        ("verified", "appeal", {"reason": "误评", "evidence": ["x"]}, {"/evidence/0": "bad_format"}),
        ("appealing", "uphold", {"opinion": None}, {"/opinion": "required"}),
        ("appealing", "void", {"opinion": None}, {"/opinion": "required"}),
    ],
)  # fmt: skip
def test_what_a_step_needs_is_named_when_it_is_missing(
    room: Room, status: str, action: str, body: dict[str, Any], expected: dict[str, str]
) -> None:
    rating_id = room.standing(room.code(), status)
    person = "supervisor" if RATING.steps[status, action].who != HANDLE else "handler"
    assert faults(refused(lambda: room.act(person, rating_id, action, **body))) == expected
    assert room.rating(rating_id).status == status


def test_a_rating_under_a_real_name_is_verified_only_after_a_call_back(room: Room) -> None:
    code = room.code()
    named, unnamed = room.bad(code), room.bad(code, real_name=False)
    assert faults(refused(lambda: room.act("handler", named, "verify"))) == {"/contacts": "call_back_required"}
    assert room.act("handler", unnamed, "verify").status == "verified"
    room.act("handler", named, "contact", result="no_answer")
    assert room.act("handler", named, "verify").status == "verified"
    with room.database.read() as session:
        contact = session.scalars(select(RatingContact)).one()
        assert (contact.rating_id, contact.result, contact.by) == (named, "no_answer", room.people["handler"].user_id)


def test_an_assigned_rating_is_handled_by_nobody_else(room: Room) -> None:
    rating_id = room.bad(room.code())
    room.act("supervisor", rating_id, "assign")
    assert refused(lambda: room.act("other_handler", rating_id, "contact")).code == "assigned_to_other"
    assert room.act("handler", rating_id, "contact").status == "to_verify"
    room.act("supervisor", rating_id, "assign", handler_id=str(room.people["other_handler"].user_id))
    assert refused(lambda: room.act("handler", rating_id, "contact")).code == "assigned_to_other"
    assert room.act("other_handler", rating_id, "verify").status == "verified"


@pytest.mark.parametrize("status", ["verified", "rectifying", "explained", "fed_back"])
def test_a_follow_up_whose_handler_left_goes_on_with_another(room: Room, status: str) -> None:
    rating_id = room.bad(room.code())
    room.act("supervisor", rating_id, "assign")
    room.lead(rating_id, *WAYS[status], verify={"classification": "explain"} if status == "explained" else {})
    other = str(room.people["other_handler"].user_id)
    assert room.act("supervisor", rating_id, "assign", handler_id=other).status == status
    assert refused(lambda: room.act("handler", rating_id, "contact")).code == "assigned_to_other"
    assert room.act("other_handler", rating_id, "contact").status == status
    kind, verb = ("rating_review", "ratings.supervise") if status == "fed_back" else ("rating_follow_up", HANDLE)
    assert [todo[:2] for todo in open_todos(room, rating_id)] == [(kind, verb)]


def test_only_the_rated_office_handles_what_it_was_rated_for(room: Room) -> None:
    """A handler of the city sees the rating, as its supervisor does, and takes no step."""
    make_user(room.database, "320400", "city_handler", Role.RATING_HANDLER)
    with room.database.read() as session:
        city = room.people["city_handler"] = actor_of(session, "city_handler", "操作员")
    code = room.code()
    for status in ("to_verify", "verified", "rectifying", "explained", "fed_back"):
        rating_id = room.standing(code, status)
        own = {step.action for step in RATING.steps.values() if step.source == status and step.who == HANDLE}
        for action in own:
            problem = refused(lambda action=action, rating_id=rating_id: room.act("city_handler", rating_id, action))
            assert (problem.code, problem.status) == ("forbidden", 403), (status, action)
            assert "被评价单位" in (problem.detail or "")
        with room.database.read() as session:
            rating = queries.get_readable(session, city, rating_id)
            assert queries.rating_answer(session, city, rating)["actions"] == []
            assert set(queries.rating_answer(session, room.people["handler"], rating)["actions"]) == own


@pytest.mark.parametrize("person", ["officer", "supervisor", "inspector", "neighbour_handler"])
def test_only_a_handler_of_the_office_is_assigned(room: Room, person: str) -> None:
    rating_id = room.bad(room.code())
    body = {"handler_id": str(room.people[person].user_id)}
    problem = refused(lambda: room.act("supervisor", rating_id, "assign", **body))
    assert faults(problem) == {"/handler_id": "unknown_handler"}


def test_a_deadline_is_extended_once_to_fifteen_working_days_from_the_submission(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    rating_id = room.bad(room.code())
    room.lead(rating_id, "contact", "verify", verify={"classification": "deadline"})
    at_ten.shift(timedelta(days=3))
    assert faults(refused(lambda: room.act("handler", rating_id, "rectify"))) == {"/extension_reason": "required"}
    room.act("handler", rating_id, "rectify", extension_reason="须与多部门会商")
    assert str(room.rating(rating_id).due_on) == "2026-12-11"
    assert open_todos(room, rating_id) == [("rating_follow_up", HANDLE, "2026-12-11")]
    assert follow_up(room, rating_id).extended


def test_to_dos_follow_the_status(room: Room, at_ten: time_machine.Traveller) -> None:
    handling = [("rating_follow_up", "ratings.handle", "2026-11-27")]
    review, appeal = (
        [(kind, "ratings.supervise", "2026-11-27")] for kind in ("rating_review", "rating_appeal")
    )  # fmt: skip
    expected = {
        "to_verify": handling, "verified": handling, "rectifying": handling, "explained": handling,
        "fed_back": review, "closed": [], "appealing": appeal, "voided": [],
    }  # fmt: skip
    code = room.code()
    for status, wanted in expected.items():
        assert open_todos(room, room.standing(code, status)) == wanted, status
    rating_id = room.standing(code, "fed_back")
    room.act("supervisor", rating_id, "return")
    assert open_todos(room, rating_id) == handling
    rating_id = room.standing(code, "appealing")
    room.act("supervisor", rating_id, "uphold")
    assert open_todos(room, rating_id) == handling


def test_an_appeal_is_made_within_the_due_date_with_evidence_that_is_the_appellants_own(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    rating_id, late = room.bad(code), room.bad(code)
    foreign = str(room.upload("other_handler"))
    problem = refused(lambda: room.act("handler", rating_id, "appeal", evidence=[foreign]))
    assert faults(problem) == {"/evidence/0": "unknown_file"}
    at_ten.move_to("2026-11-27T23:59:59+08:00")
    own = str(room.upload("handler"))
    room.act("handler", rating_id, "appeal", evidence=[own])
    assert follow_up(room, rating_id).appeal_evidence == [{"category": "appeal_evidence", "file_id": own}]
    at_ten.move_to("2026-11-28T00:00:00+08:00")
    assert refused(lambda: room.act("handler", late, "appeal")).code == "too_late"


def test_a_refused_appeal_leaves_the_due_date_and_the_follow_up_goes_on(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    rating_id = room.standing(room.code(), "appealing")
    due_on = room.rating(rating_id).due_on
    room.act("supervisor", rating_id, "uphold")
    assert (room.rating(rating_id).due_on, follow_up(room, rating_id).verify_result) == (due_on, "confirmed")
    problem = refused(lambda: room.act("handler", rating_id, "rectify"))
    assert faults(problem) == {"/classification": "unknown_option", "/contacts": "call_back_required"}
    room.act("handler", rating_id, "contact")
    room.act("handler", rating_id, "rectify", classification="at_once")
    assert room.rating(rating_id).status == "rectifying"


@pytest.mark.parametrize(("action", "body"), [("rectify", {"classification": "at_once"}), ("explain", {})])
def test_an_appeal_is_no_way_around_the_call_back(room: Room, action: str, body: dict[str, Any]) -> None:
    code = room.code()
    named, unnamed = room.standing(code, "appealing"), room.standing(code, "appealing", real_name=False)
    for rating_id in (named, unnamed):
        room.act("supervisor", rating_id, "uphold")
    problem = refused(lambda: room.act("handler", named, action, **body))
    assert faults(problem) == {"/contacts": "call_back_required"}
    room.act("handler", named, "contact", result="no_answer")
    for rating_id in (named, unnamed):
        assert room.act("handler", rating_id, action, **body).status == RATING.steps["verified", action].target


def test_nobody_decides_on_what_they_did_themselves(room: Room) -> None:
    """Someone who is handler and supervisor both."""
    code = room.code()
    both = room.people["handler"]
    with room.database.write() as session:
        from accounts.models import User

        user = session.get_one(User, both.user_id)
        user.roles = ["rating_handler", "rating_supervisor"]

    with room.database.read() as session:
        room.people["handler"] = actor_of(session, "handler", "操作员")
    fed_back, appealing = room.standing(code, "fed_back"), room.standing(code, "appealing")
    for action, rating_id in (("close", fed_back), ("return", fed_back), ("uphold", appealing), ("void", appealing)):
        problem = refused(room.act, "handler", rating_id, action)
        assert (problem.code, problem.status) == ("forbidden", 403)
    assert room.act("supervisor", fed_back, "close").status == "closed"
    assert room.act("supervisor", appealing, "void").status == "voided"


def test_a_returned_reply_is_given_anew_and_the_new_one_is_read(room: Room) -> None:
    rating_id = room.standing(room.code(), "fed_back")
    room.act("supervisor", rating_id, "return")
    assert follow_up(room, rating_id).opinion == "反馈不具体"
    room.act("handler", rating_id, "reply", feedback_text="已向您当面致歉")
    room.act("other_supervisor", rating_id, "close")
    assert follow_up(room, rating_id).feedback_text == "已向您当面致歉"


@pytest.mark.parametrize(("day", "in_time"), [("2026-11-27", True), ("2026-11-28", False)])
def test_closing_notes_whether_it_was_in_time(
    room: Room, at_ten: time_machine.Traveller, day: str, in_time: bool
) -> None:
    rating_id = room.standing(room.code(), "fed_back")
    at_ten.move_to(f"{day}T12:00:00+08:00")
    room.act("supervisor", rating_id, "close")
    assert follow_up(room, rating_id).closed_in_time is in_time
    total = room.figures()["total"]
    assert (total["closed_in_time"], total["due_or_closed"], total["overdue"]) == (int(in_time), 1, 0)
