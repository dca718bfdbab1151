"""Rating: the order in which a form is refused, the five days, and what is stored."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import func, select, text

from core import clock
from core.errors import Problem
from core.models import Todo
from core.workflows import history
from feedback import queries
from feedback.codes import operations as codes
from feedback.models import Rating, RatingFollowUp, RatingWindow
from feedback.ratings.fields import Sent, read_form
from feedback.ratings.public import answer, open_code
from feedback.ratings.query_codes import query_code
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.submitting import Sender, find, submit
from feedback.sweeping import sweep
from tests.feedback.room import BAD, FIVE_DAYS, GOOD, Room, refused


def count(room: Room) -> int:
    with room.database.read() as session:
        return session.scalar(select(func.count()).select_from(Rating)) or 0


def test_an_unknown_token_is_refused_before_anything_else(room: Room) -> None:
    with room.database.write() as session:
        for token in ("x" * 32, "", "\x00", "x" * 4000, "'--", "中"):
            problem = refused(submit, session, RatingRules(), read_form(token, Sent()), Sender("192.0.2.1", ""))
            assert (problem.code, problem.status) == ("unknown_code", 404)
            assert refused(open_code, session, token).code == "unknown_code"


def test_a_disabled_code_is_refused_with_410_even_for_a_faulty_form(room: Room) -> None:
    code = room.code()
    with room.database.write() as session:
        codes.disable(session, room.people["officer"], code.id, "窗口撤销")
    problem = refused(lambda: room.send(code, level=None))
    assert (problem.code, problem.status) == ("code_disabled", 410)


def test_a_form_posted_again_after_its_code_was_disabled_is_answered_alike(room: Room) -> None:
    code = room.code()
    first = room.send(code, mobile="13800000001", submission_id="form")
    with room.database.write() as session:
        codes.disable(session, room.people["officer"], code.id)
    again = room.send(code, mobile="13800000001", submission_id="form")
    assert (again.id, again.query_code, again.new) == (first.id, first.query_code, False)


def test_a_used_code_is_refused_with_409_and_the_form_that_used_it_is_answered_again(room: Room) -> None:
    code = room.code(kind="per_matter")
    first = room.send(code, mobile="13800000001", submission_id="form")
    assert refused(lambda: room.send(code)).code == "already_rated"
    assert refused(lambda: room.send(code, level=None)).code == "already_rated"
    again = room.send(code, mobile="13800000001", submission_id="form")
    assert (again.id, again.query_code, again.new) == (first.id, first.query_code, False)
    assert room.code_now(code).status == "used"
    assert count(room) == 1


def test_a_case_can_be_rated_until_the_end_of_its_last_day(room: Room, at_ten: time_machine.Traveller) -> None:
    code, late = room.code(kind="per_matter"), room.code(kind="per_matter")
    assert str(code.valid_to) == "2026-12-21"
    at_ten.move_to("2026-12-21T23:59:59+08:00")
    assert room.send(code).new
    at_ten.move_to("2026-12-22T00:00:00+08:00")
    problem = refused(lambda: room.send(late))
    assert (problem.code, problem.status) == ("code_expired", 410)
    assert codes.expiry().run(room.database) == 1
    assert codes.expiry().run(room.database) == 0
    assert room.code_now(late).status == "expired"
    assert refused(lambda: room.send(late)).code == "code_expired"


def test_a_window_code_never_expires(room: Room, at_ten: time_machine.Traveller) -> None:
    code = room.code()
    at_ten.shift(timedelta(days=4000))
    assert code.valid_to is None
    assert room.send(code).new


def test_one_number_rates_once_in_five_days_whatever_it_rates_and_however_it_is_typed(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    window, case = room.code(), room.code(kind="per_matter")
    room.send(window, mobile="13800000001")
    at_ten.shift(timedelta(hours=1))
    problem = refused(lambda: room.send(case, mobile="+86 138-0000-0001"))
    assert (problem.code, problem.status) == ("rating_window", 429)
    assert problem.extra == {"retry_at": "2026-11-26T16:00:00Z"}
    assert problem.retry_after == (119 + 14) * 3600
    assert problem.detail == "同一手机号5天内只能填报一次，请于11月27日后再试（当日0时起即可）"
    assert room.code_now(case).status == "active"
    assert room.send(case, mobile="13800000002").new


def test_one_second_before_five_days_is_refused_and_five_days_are_enough(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    room.send(code, mobile="13800000001")
    at_ten.shift(FIVE_DAYS - timedelta(seconds=1))
    assert refused(lambda: room.send(code, mobile="13800000001")).code == "rating_window"
    at_ten.shift(timedelta(seconds=1))
    assert room.send(code, mobile="13800000001").new
    assert refused(lambda: room.send(code, mobile="13800000001")).code == "rating_window"


@pytest.mark.parametrize(
    ("rated_at", "named", "day"),
    [
        ("2026-11-21T00:00:00.000001+08:00", "2026-11-26T16:00:00Z", "11月27日"),
        ("2026-11-21T23:59:59.999999+08:00", "2026-11-26T16:00:00Z", "11月27日"),
        # At the end of just five days it is possible, and that end is a midnight.
        ("2026-11-21T00:00:00+08:00", "2026-11-25T16:00:00Z", "11月26日"),
        ("2026-12-28T10:00:00+08:00", "2027-01-02T16:00:00Z", "1月3日"),
    ],
)
def test_a_refusal_names_a_day_from_its_beginning_and_never_the_moment(
    room: Room, at_ten: time_machine.Traveller, rated_at: str, named: str, day: str
) -> None:
    at_ten.move_to(rated_at)
    code = room.code()
    room.send(code, mobile="13800000001")
    at_ten.shift(timedelta(hours=7, minutes=3))
    problem = refused(lambda: room.send(code, mobile="13800000001"))
    assert problem.extra == {"retry_at": named}
    assert problem.detail == f"同一手机号5天内只能填报一次，请于{day}后再试（当日0时起即可）"
    assert problem.retry_after is not None
    at_ten.shift(timedelta(seconds=problem.retry_after))
    assert clock.rfc3339(clock.now())[:19] == named[:19]
    assert room.send(code, mobile="13800000001").new


def test_the_limit_may_be_about_the_kind_or_about_each_subject(room: Room) -> None:
    first, second = room.code(), room.code(matter_name="变更登记")
    case, other_case = room.code(kind="per_matter"), room.code(kind="per_matter")
    kind, subject = RatingRules("kind"), RatingRules("subject")
    assert room.send(first, mobile="13800000001", rules=kind).new
    assert refused(lambda: room.send(second, mobile="13800000001", rules=kind)).code == "rating_window"
    assert room.send(case, mobile="13800000001", rules=kind).new
    assert room.send(first, mobile="13800000002", rules=subject).new
    assert room.send(second, mobile="13800000002", rules=subject).new
    assert room.send(other_case, mobile="13800000002", rules=subject).new
    assert refused(lambda: room.send(first, mobile="13800000002", rules=subject)).code == "rating_window"


def test_a_voided_rating_keeps_its_number_waiting(room: Room) -> None:
    code = room.code()
    room.lead(room.bad(code, mobile="13800000001"), "appeal", "void")
    assert refused(lambda: room.send(code, mobile="13800000001")).code == "rating_window"


def test_the_same_form_posted_again_is_the_same_rating_also_days_later(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    first = room.send(code, mobile="13800000001", submission_id="form-1")
    at_ten.shift(timedelta(days=6))
    again = room.send(code, mobile="138 0000 0001", submission_id="form-1")
    assert (again.id, again.query_code, again.new) == (first.id, first.query_code, False)
    assert count(room) == 1


def test_another_content_or_no_form_id_is_left_to_the_window(room: Room) -> None:
    code = room.code()
    room.send(code, mobile="13800000001", submission_id="form-1")
    changed = {"mobile": "13800000001", "submission_id": "form-1", "level": 4, "tags": []}
    assert refused(lambda: room.send(code, **changed)).code == "rating_window"
    assert refused(lambda: room.send(code, mobile="13800000001")).code == "rating_window"


def test_an_address_that_is_refused_never_hides_the_window_and_starts_none(room: Room) -> None:
    code = room.code()
    room.send(code, mobile="13800000001")
    asked: list[UUID] = []

    def refuse(code_id: UUID) -> None:
        asked.append(code_id)
        raise Problem("captcha_required")

    assert refused(lambda: room.send(code, mobile="13800000001", admit=refuse)).code == "rating_window"
    assert asked == []
    problem = refused(lambda: room.send(code, mobile="13800000002", admit=refuse))
    assert (problem.code, problem.status, asked) == ("captcha_required", 403, [code.id])
    assert room.send(code, mobile="13800000002", admit=lambda _code: None).new
    assert room.send(room.code(kind="per_matter"), mobile="13800000003", admit=refuse).new and asked == [code.id]


def test_staff_rate_for_nobody(room: Room) -> None:
    code = room.code()
    assert refused(lambda: room.send(code, actor=room.people["officer"])).code == "forbidden"


def test_what_is_wrong_is_said_before_a_number_is_proved_and_without_its_window(room: Room) -> None:
    code = room.code()
    first = room.send(code, mobile="13800000001", submission_id="form")
    form = {**GOOD, "mobile": "13800000001"}
    with room.database.read() as session:
        found, repeated = find(session, read_form(code.token or "", Sent(**form)))
        assert (found.id, repeated) == (code.id, None)
        _, again = find(session, read_form(code.token or "", Sent(**form, submission_id="form")))
        assert again is not None and again.id == first.id
        assert refused(lambda: find(session, read_form(code.token or "", Sent()))).code == "invalid"


def test_name_and_number_are_encrypted_and_no_address_is_stored(room: Room) -> None:
    code = room.code()
    rated = room.send(code, mobile="13800000001", address="192.0.2.77")
    with room.database.read() as session:
        row = dict(session.execute(text("SELECT * FROM ratings")).one()._mapping)
        windows = session.scalars(select(RatingWindow.key)).all()
    stored = " ".join(str(value) for value in row.values()) + " ".join(windows)
    assert row["mobile"].startswith("enc2:1:") and row["rater_name"].startswith("enc2:1:")
    assert row["mobile_tail"] == "0001"
    for secret in ("13800000001", "张某某", "192.0.2.77", rated.query_code, rated.query_code.replace("-", "")):
        assert secret not in stored


def test_a_bad_rating_opens_a_follow_up_due_in_five_working_days_and_a_good_one_nothing(
    room: Room, at_ten: time_machine.Traveller
) -> None:
    code = room.code()
    good, bad = room.send(code).id, room.bad(code)
    assert (room.rating(good).status, room.rating(good).due_on) == ("closed", None)
    assert (room.rating(bad).status, str(room.rating(bad).due_on)) == ("to_verify", "2026-11-27")
    with room.database.read() as session:
        todo = session.scalars(select(Todo).where(Todo.kind == "rating_follow_up")).one()
        assert (todo.subject_id, todo.verb, todo.office_id, str(todo.due_on)) == (
            bad, "ratings.handle", room.people["handler"].office_id, "2026-11-27",
        )  # fmt: skip
        assert session.scalars(select(RatingFollowUp.rating_id)).all() == [bad]
        assert list(history.verify(session)) == []
        assert [move["action"] for move in history.read(session, good)] == ["count"]


def test_the_query_code_shows_the_rating_however_it_is_typed_and_the_reply_once_it_was_reviewed(room: Room) -> None:
    code = room.code()
    rated = room.send(code, **BAD)
    with room.database.read() as session:
        shown = answer(session, rated.query_code.lower().replace("-", " "))
        assert (shown["level"], shown["status"], shown["reply"]) == (1, "to_verify", None)
        assert shown["comment"] == BAD["comment"]
        assert "mobile" not in shown and "rater_name" not in shown
        assert refused(lambda: answer(session, "AAAA-AAAA-AAAA-AAAA")).code == "not_found"
    room.lead(rated.id, "contact", "verify", "rectify", "reply")
    with room.database.read() as session:
        shown = answer(session, rated.query_code)
        assert (shown["reply"], shown["status_label"]) == (None, "答复审核中")
    room.lead(rated.id, "close")
    with room.database.read() as session:
        assert answer(session, rated.query_code)["reply"] == "已整改，感谢监督"


def test_whoever_praised_is_told_that_it_came_and_not_that_something_was_done(room: Room) -> None:
    rated = room.send(room.code())
    with room.database.read() as session:
        assert answer(session, rated.query_code)["status_label"] == "已收到，感谢您的评价"


def test_query_codes_have_no_characters_that_look_alike() -> None:
    made = {query_code(uuid4()) for _ in range(500)}
    assert len(made) == 500
    assert all(len(code) == 19 and code.count("-") == 3 for code in made)
    assert not set("".join(made)) & set("01IO")


def sign_in_somewhere(room: Room, who: str, address: str, *, ended: bool = False) -> None:
    """A session at ten, as signing in leaves it."""
    with room.database.write() as session:
        session.execute(
            text(
                "INSERT INTO sessions (id, token_hash, user_id, created_at, last_seen_at, expires_at, ended_at,"
                " address, user_agent) SELECT id, 'x', id, :then, :then, :later, :ended, :address, '' FROM users"
                " WHERE username = :who"
            ),
            {"then": "2026-11-21 02:00:00.000000", "later": "2026-11-30 02:00:00.000000", "who": who,
             "address": address, "ended": "2026-11-21 02:00:00.000000" if ended else None},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("who", "ended", "after", "expected"),
    [
        ("officer", False, timedelta(minutes=15), True),
        ("officer", False, timedelta(minutes=15, seconds=1), False),
        ("officer", True, timedelta(minutes=1), False),
        ("neighbour_officer", False, timedelta(minutes=1), False),
        ("city_supervisor", False, timedelta(minutes=1), False),
    ],
)
def test_a_rating_is_marked_only_where_somebody_of_the_very_office_was_active_within_minutes(
    room: Room, at_ten: time_machine.Traveller, who: str, ended: bool, after: timedelta, expected: bool
) -> None:
    sign_in_somewhere(room, who, "192.0.2.9", ended=ended)
    at_ten.shift(after)
    code = room.code()
    marked = room.rating(room.send(code, address="192.0.2.9").id)
    assert marked.from_staff_address is expected
    assert room.rating(room.send(code, address="192.0.2.10").id).from_staff_address is False
    assert room.figures()["total"]["from_staff_addresses"] == int(expected)
    with room.database.read() as session:
        shown = queries.rating_answer(session, room.people["supervisor"], marked)
    assert (shown["from_staff_note"] is not None) is expected
    assert not expected or "仅供参考，不能说明评价由工作人员提交" in shown["from_staff_note"]


def test_windows_that_are_over_are_swept(room: Room, at_ten: time_machine.Traveller) -> None:
    code = room.code()
    room.send(code, mobile="13800000001")
    at_ten.shift(FIVE_DAYS - timedelta(seconds=1))
    room.send(code, mobile="13800000002")
    assert sweep(room.database) == 0
    at_ten.shift(timedelta(seconds=1))
    assert sweep(room.database) == 1
    assert refused(lambda: room.send(code, mobile="13800000002")).code == "rating_window"


def test_the_form_of_a_code_opens_until_it_cannot_be_rated_any_more(room: Room) -> None:
    code, waiting = room.code(kind="per_matter"), room.code(generated=False)
    assert waiting.token is None
    with room.database.read() as session:
        assert open_code(session, code.token or "").id == code.id
        assert refused(lambda: open_code(session, "nonsense")).code == "unknown_code"
    room.send(code)
    with room.database.read() as session:
        assert refused(lambda: open_code(session, code.token or "")).code == "already_rated"
