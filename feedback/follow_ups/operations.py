"""The follow-up of bad ratings (差评整改): one function takes every step of the table in `workflows.py`.

A step is validated in the order of the HTTP contract §1: not readable → 404; a repetition → the rating as it is now;
wrong status → 409; not this role's, office's or person's → 403; no version → 422; stale → 409; faulty → 422.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Problem, not_found
from core.privacy import in_row
from core.workflows import idempotency
from core.workflows.versions import refuse_stale
from feedback import integrity
from feedback.follow_ups.deadlines import deadline_of
from feedback.follow_ups.rows import replace_todo
from feedback.follow_ups.steps import READERS, StepResult
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.queries import get_readable
from feedback.statistics import counts as figures
from feedback.workflows import HANDLE, RATING


def act(session: Session, actor: Actor, rating_id: UUID, action: str, body: Mapping[str, Any]) -> Rating:
    """Take a step of a follow-up; `body` carries the `version` that was read and the step's fields."""
    rating = get_readable(session, actor, rating_id)
    if action not in READERS:
        raise not_found()
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"ratings.{action}", rating_id, body)):
        return session.get_one(Rating, rating_id, populate_existing=True)
    step = RATING.step(action, rating.status, actor)
    follow_up = session.get_one(RatingFollowUp, rating_id, populate_existing=True)
    if step.who == HANDLE and rating.office_id not in actor.offices:
        raise Problem("forbidden", "差评由被评价单位的承办人办理，请联系该单位处理")
    if step.who == HANDLE and follow_up.handler_id not in (None, actor.user_id):
        raise Problem("assigned_to_other")
    _refuse_own_decision(action, actor, follow_up)
    refuse_stale(rating.version, body, required=True)
    result = READERS[action](session, actor, rating, follow_up, body)
    apply_step(session, actor, rating, follow_up, action, result)
    return session.get_one(Rating, rating_id, populate_existing=True)


def _refuse_own_decision(action: str, actor: Actor, follow_up: RatingFollowUp) -> None:
    """Nobody decides on what they did themselves."""
    if action in ("close", "return") and follow_up.replied_by == actor.user_id:
        raise Problem("forbidden", "不能审核本人作出的反馈，请由其他好差评管理员办理")
    if action in ("uphold", "void") and follow_up.appellant_id == actor.user_id:
        raise Problem("forbidden", "不能复核本人提出的申诉，请由其他好差评管理员办理")


def apply_step(
    session: Session, actor: Actor | None, rating: Rating, follow_up: RatingFollowUp, action: str, result: StepResult
) -> None:
    """Move a rating and its follow-up, with their history, figures and to-do."""
    handled = {**integrity.columns_of(follow_up), **result.follow_up}
    payload = {
        **result.payload,
        **integrity.stated(session, rating, follow_up, actor, action, result.rating, handled),
    }
    RATING.move(session, actor, rating, action, result.rating, payload)
    if result.follow_up:
        session.execute(
            update(RatingFollowUp)
            .where(RatingFollowUp.rating_id == rating.id)
            .values(in_row(RatingFollowUp, result.follow_up, rating_id=rating.id))
            .execution_options(synchronize_session=False)
        )
    if result.contact is not None:
        session.add(result.contact)
        session.flush()
    code = session.execute(select(RatingCode).where(RatingCode.id == rating.code_id)).scalar_one()
    if result.change is not None:
        day = rating.submitted_at.astimezone(clock.LOCAL).date()
        figures.append(session, figures.place_of(code, rating.channel, day), result.change)
    now = session.get_one(Rating, rating.id, populate_existing=True)
    if action not in ("contact", "assign", "reveal_number", "hand_over", "verify", "explain"):  # the to-do stays open
        replace_todo(session, now.id, now.status, now.office_id, code.matter_name, deadline_of(now))
