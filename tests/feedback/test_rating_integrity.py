"""`history verify` over ratings and codes: what was changed past the history is shown, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from core.config import Settings
from core.models import HistoryEntry
from core.privacy import in_row
from core.workflows import erasure
from feedback.models import Rating, RatingCode, RatingContact, RatingFollowUp
from tests.command_line import Run, command_line
from tests.conftest import NOW
from tests.feedback.room import WAYS, Room
from tests.tampering import with_all_rights


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def bad(room: Room) -> UUID:
    """A bad rating that was answered, and waits for its review."""
    return room.standing(room.code(), "fed_back")


def test_untouched_ratings_hold_in_every_status(room: Room, run: Run) -> None:
    code = room.code()
    for status in WAYS:
        room.standing(code, status)
    longer = room.lead(
        room.bad(code), "assign", "contact", "verify", "rectify",
        verify={"classification": "deadline"}, rectify={"extension_reason": "须更换设备"},
    )  # fmt: skip
    room.lead(longer, "contact", "reply", "return", "reply", "close", "release", "withhold")
    room.lead(room.standing(code, "appealing"), "uphold")
    good = room.send(code, comment="办得很快", tags=[510, 517]).id
    room.lead(good, "withhold")
    assert "完整" in run("history", "verify").stdout


def _rating(**values: Any) -> Callable[[Any, UUID], None]:
    return lambda session, rating_id: session.execute(
        update(Rating).where(Rating.id == rating_id).values(in_row(Rating, values, id=rating_id))
    )


def _follow_up(**values: Any) -> Callable[[Any, UUID], None]:
    return lambda session, rating_id: session.execute(
        update(RatingFollowUp)
        .where(RatingFollowUp.rating_id == rating_id)
        .values(in_row(RatingFollowUp, values, rating_id=rating_id))
    )


def _contact(session: Any, rating_id: UUID) -> None:
    session.execute(update(RatingContact).where(RatingContact.rating_id == rating_id).values(result="refused"))


def _contact_removed(session: Any, rating_id: UUID) -> None:
    session.execute(delete(RatingContact).where(RatingContact.rating_id == rating_id))


def _follow_up_removed(session: Any, rating_id: UUID) -> None:
    session.execute(delete(RatingFollowUp).where(RatingFollowUp.rating_id == rating_id))


def _removed(session: Any, rating_id: UUID) -> None:
    for model in (RatingContact, RatingFollowUp):
        session.execute(delete(model).where(model.rating_id == rating_id))
    session.execute(delete(Rating).where(Rating.id == rating_id))


CONTENT, STATE = "what was rated was changed", "the rating, its follow-up or its publication was changed"


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (_rating(level=5, comment="很好"), CONTENT),
        (_rating(tags=[113]), CONTENT),
        (_rating(comment="没有意见了"), CONTENT),
        (_rating(public_comment="没有意见了"), CONTENT),
        (_rating(real_name=False), CONTENT),
        (_rating(from_staff_address=True), CONTENT),
        (_rating(phone_verified=True), CONTENT),
        (_rating(channel="web_todo"), CONTENT),
        (_rating(area3="320404"), CONTENT),
        (_rating(publicity="shown"), STATE),
        (_rating(due_on=None), STATE),
        (_follow_up(feedback_text="没有的事"), STATE),
        (_follow_up(contacts=0), STATE),
        (_follow_up(closed_in_time=True), STATE),
        (_follow_up(handler_id=UUID(int=7)), STATE),
        (_follow_up_removed, STATE),
        (_contact, "its call-backs were changed"),
        (_contact_removed, "1 call-backs were made, 0 are kept"),
        (_rating(status="closed"), "record is closed, its history ends at fed_back"),
        (_removed, "record is gone"),
    ],
)
def test_a_rating_changed_past_its_history_is_named(
    room: Room, run: Run, bad: UUID, tamper: Callable[[Any, UUID], None], told: str
) -> None:
    other = room.standing(room.code(), "closed")
    with room.database.write() as session:
        tamper(session, bad)
    answer = run("history", "verify", status=1)
    assert f"rating {bad}" in answer.stderr and told in answer.stderr
    assert str(other) not in answer.stderr


def test_a_good_rating_that_was_changed_is_named(room: Room, run: Run) -> None:
    good = room.send(room.code()).id
    with room.database.write() as session:
        _rating(publicity="hidden")(session, good)
    assert STATE in run("history", "verify", status=1).stderr


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"matter_name": "食品经营许可"}, "the code was changed"),
        ({"kind": "per_matter"}, "the code was changed"),
        ({"area3": "320404"}, "the code was changed"),
        ({"token": "another"}, "the link of the code was changed"),
        ({"generated_at": datetime.fromisoformat(NOW)}, "the link of the code was changed"),
        ({"version": 9}, "record is at version 9"),
    ],
)
def test_a_code_changed_past_its_history_is_named(room: Room, run: Run, values: dict[str, Any], told: str) -> None:
    code, other = room.code(), room.code()
    with room.database.write() as session:
        session.execute(update(RatingCode).where(RatingCode.id == code.id).values(**values))
    answer = run("history", "verify", status=1)
    assert f"rating_code {code.id}" in answer.stderr and told in answer.stderr
    assert str(other.id) not in answer.stderr


def test_figures_do_not_follow_a_forged_rating(room: Room, run: Run) -> None:
    code = room.code()
    forged, before = room.bad(code), room.figures()
    with room.database.write() as session:
        _rating(level=5, comment="很好")(session, forged)
    answer = run("ratings", "reconcile", status=1)
    assert f"rating {forged}" in answer.stderr and CONTENT in answer.stderr
    assert room.figures() == before


def test_a_forger_who_also_mends_the_history_does_not_deceive_the_figures(room: Room, run: Run) -> None:
    """Who writes a status into record and history is found by the digest, which needs the installation's key."""
    forged = room.standing(room.code(), "appealing")
    with room.database.write() as session:
        _rating(status="voided")(session, forged)
        last = select(HistoryEntry.id).where(HistoryEntry.subject_id == forged, HistoryEntry.seq == 2)
        with_all_rights(session)
        session.execute(update(HistoryEntry).where(HistoryEntry.id.in_(last)).values(to_status="voided"))
    assert f"rating {forged}" in run("ratings", "reconcile", status=1).stderr


def test_what_a_citizen_had_erased_is_no_break(room: Room, run: Run, bad: UUID) -> None:
    with room.database.write() as session:
        _rating(comment=None, public_comment=None, rater_name="已删除", mobile="已删除", mobile_tail="")(session, bad)
        assert erasure.erase(session, bad, [1], {"reason": "依申请删除"}) == 1
    run("history", "verify")
    assert "已更正" in run("ratings", "reconcile").stdout


@pytest.mark.parametrize("tamper", [_follow_up(feedback_text="没有的事"), _rating(level=5)])
def test_what_was_erased_takes_no_other_evidence_along(
    room: Room, run: Run, bad: UUID, tamper: Callable[[Any, UUID], None]
) -> None:
    with room.database.write() as session:
        assert erasure.erase(session, bad, [1], {"reason": "依申请删除"}) == 1
        tamper(session, bad)
    assert STATE in run("history", "verify", status=1).stderr


def test_a_rating_whose_whole_history_was_erased_is_no_break(room: Room, run: Run, bad: UUID) -> None:
    with room.database.write() as session:
        seqs = session.scalars(select(HistoryEntry.seq).where(HistoryEntry.subject_id == bad)).all()
        assert erasure.erase(session, bad, seqs, {"reason": "依申请删除"}) == len(seqs)
        _rating(comment=None)(session, bad)
        _contact(session, bad)
    run("history", "verify")
