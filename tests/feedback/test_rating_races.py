"""Many raters at the same moment, with real threads and connections, on both databases."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from core import clock
from core.workflows import history
from core.workflows.integrity import verify_ends
from feedback.codes import operations as codes
from feedback.models import Rating
from feedback.ratings.fields import Sent, read_form
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.submitting import Sender, submit
from feedback.workflows import CODE, RATING
from tests.feedback.room import BAD, GOOD, Room, outcome
from tests.newcomers import at_once
from tests.rounds import rounds

MANY, ROUNDS = 50, rounds(20, few=4)


@pytest.fixture(autouse=True)
def _a_clock_that_runs() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=True) as traveller:
        yield traveller


def results(answers: list[Any]) -> Counter[str]:
    return Counter(answer if isinstance(answer, str) else "accepted" for answer in answers)


def sending(room: Room, code: Any, **changes: Any) -> Callable[[], Any]:
    return lambda: outcome(lambda: room.send(code, **changes))


def everything_holds(room: Room, ratings: int) -> None:
    with room.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == ratings
        assert list(history.verify(session)) == []
        assert list(verify_ends(session, RATING)) == list(verify_ends(session, CODE)) == []
    assert room.figures()["total"]["ratings"] == ratings


@pytest.mark.rounds
def test_of_many_forms_of_one_number_exactly_one_is_accepted(room: Room) -> None:
    code = room.code()
    for number in range(ROUNDS):
        calls = [sending(room, code, mobile=f"1380000{9000 + number}") for _ in range(MANY)]
        assert results(at_once(*calls)) == {"accepted": 1, "rating_window": MANY - 1}
    everything_holds(room, ROUNDS)


def test_at_five_days_exactly_one_of_many_is_accepted(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    code, start = room.code(), clock.now()

    def at(moment: Any) -> None:
        monkeypatch.setattr("feedback.ratings.submitting.clock.now", lambda: moment)

    at(start)
    room.send(code, mobile="13800009000")
    at(start + timedelta(days=5) - timedelta(seconds=1))
    calls = [sending(room, code, mobile="13800009000") for _ in range(MANY)]
    assert results(at_once(*calls)) == {"rating_window": MANY}
    at(start + timedelta(days=5))
    assert results(at_once(*calls)) == {"accepted": 1, "rating_window": MANY - 1}
    everything_holds(room, 2)


def test_a_transaction_that_fails_frees_the_gate(room: Room) -> None:
    code = room.code()

    class Broken(Exception):
        pass

    def failing() -> str:
        form = Sent(**{**GOOD, "mobile": "13800009000"})
        try:
            with room.database.write() as session:
                submit(session, RatingRules(), read_form(code.token or "", form), Sender("192.0.2.1", ""))
                raise Broken
        except Broken:
            return "failed"
        except Exception as refusal:
            return str(getattr(refusal, "code", refusal))

    answers = at_once(*[failing] * 10)
    assert set(answers) == {"failed"}
    assert room.send(code, mobile="13800009000").new
    everything_holds(room, 1)


def test_of_many_numbers_on_one_case_exactly_one_is_accepted_and_the_others_may_still_rate(room: Room) -> None:
    window = room.code()
    for number in range(5):
        case = room.code(kind="per_matter")
        mobiles = [f"1380000{1000 + 100 * number + place}" for place in range(MANY)]
        answers = at_once(*[sending(room, case, mobile=mobile) for mobile in mobiles])
        assert results(answers) == {"accepted": 1, "already_rated": MANY - 1}
        free = [m for m, answer in zip(mobiles, answers, strict=True) if answer == "already_rated"]
        assert room.send(window, mobile=free[0]).new
    everything_holds(room, 10)


@pytest.mark.rounds
@pytest.mark.parametrize("kind", ["per_visit", "per_matter"])
def test_the_same_form_sent_eight_times_at_once_is_one_rating_and_eight_equal_answers(room: Room, kind: str) -> None:
    for number in range(ROUNDS):
        code = room.code(kind=kind)
        form = {**BAD, "mobile": f"1380000{9000 + number}", "submission_id": f"form {number}"}
        answers = at_once(*[sending(room, code, **form) for _ in range(8)])
        assert results(answers) == {"accepted": 8}, answers
        assert len({(one.id, one.query_code) for one in answers}) == 1
        assert sum(one.new for one in answers) == 1
    everything_holds(room, ROUNDS)


def test_a_code_disabled_while_many_rate_takes_no_rating_afterwards(room: Room) -> None:
    def disabling(code: Any) -> Callable[[], Any]:
        def disable() -> str:
            with room.database.write() as session:
                return codes.disable(session, room.people["officer"], code.id).status

        return lambda: outcome(disable)

    accepted = 0
    for _ in range(5):
        case = room.code(kind="per_matter")
        answers = at_once(disabling(case), *[sending(room, case) for _ in range(6)])
        found = results(answers[1:])
        assert set(found) <= {"accepted", "code_disabled", "already_rated"}
        assert found["accepted"] == (0 if answers[0] == "disabled" else 1), answers
        accepted += found["accepted"]
    everything_holds(room, accepted)


def test_of_many_who_press_disable_at_once_all_are_told_that_it_is(room: Room) -> None:
    for _ in range(5):
        code = room.code()

        def disable(code: Any = code) -> str:
            with room.database.write() as session:
                return codes.disable(session, room.people["officer"], code.id).status

        assert set(at_once(*[lambda: outcome(disable)] * 8)) == {"disabled"}
    everything_holds(room, 0)


def test_of_two_who_press_generate_at_once_both_see_the_same_link(room: Room) -> None:
    for _ in range(5):
        code = room.code(generated=False)

        def generate(person: str, code: Any = code) -> str | None:
            with room.database.write() as session:
                return codes.generate(session, room.people[person], code.id).token

        tokens = at_once(*[lambda: generate("officer"), lambda: generate("supervisor")] * 3)
        assert len(set(tokens)) == 1 and tokens[0]
    everything_holds(room, 0)


def test_of_two_who_decide_an_appeal_at_once_one_wins(room: Room) -> None:
    code = room.code()
    for _ in range(5):
        rating_id = room.standing(code, "appealing")
        answers = at_once(
            lambda rating_id=rating_id: outcome(room.act, "supervisor", rating_id, "uphold"),
            lambda rating_id=rating_id: outcome(room.act, "other_supervisor", rating_id, "void"),
        )
        assert results(answers)["accepted"] == 1, answers
        assert {one for one in answers if isinstance(one, str)} <= {"wrong_status", "stale_version"}
    with room.database.read() as session:
        voided = session.scalar(select(func.count()).select_from(Rating).where(Rating.status == "voided")) or 0
    assert room.figures()["total"]["ratings"] == 5 - voided


def test_a_step_sent_eight_times_at_once_is_applied_once(room: Room) -> None:
    rating_id = room.bad(room.code())
    answers = at_once(*[lambda: outcome(lambda: room.act("handler", rating_id, "contact", version=1))] * 8)
    assert {one.version for one in answers} == {2}
    assert room.figures()["total"]["called_back"] == 1
