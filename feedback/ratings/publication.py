"""Publication (评价公开): level and tags at once, the text when a person has released it (spec/b_rating §7)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Problem, invalid, not_found
from core.text import demanded
from core.workflows import idempotency
from core.workflows.versions import refuse_stale
from feedback import integrity
from feedback.codes.catalogue import is_bad
from feedback.codes.kinds import PENDING, SHOWN, WITHHELD
from feedback.models import Rating, RatingFollowUp
from feedback.queries import get_readable
from feedback.ratings import word_list
from feedback.ratings.fields import COMMENT_LIMIT
from feedback.ratings.rating_window import RatingRules
from feedback.workflows import RATING

DECISIONS = {"release": SHOWN, "withhold": WITHHELD}
MOST_AT_ONCE = 100


def first_publicity(rules: RatingRules, level: int, comment: str | None) -> str:
    """The publicity of a new rating: shown without a text, or with a harmless one where the rules publish those."""
    if is_bad(level):
        return PENDING  # the reply to it is a text too
    if comment is None or (rules.shows_harmless_texts and word_list.is_harmless(comment)):
        return SHOWN
    return PENDING


def decide(session: Session, actor: Actor, rating_id: UUID, decision: str, body: dict[str, Any]) -> Rating:
    """`release` or `withhold` the text of a closed rating; a repetition changes nothing.

    `body` carries the `version` that was read and, to withhold, the `reason`.
    Raises 404, 403, 409 `wrong_status` or `stale_version`, 422 without a version or a reason.
    """
    rating = get_readable(session, actor, rating_id)
    if decision not in DECISIONS:
        raise not_found()
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"ratings.{decision}", rating_id, body)):
        return session.get_one(Rating, rating_id, populate_existing=True)
    RATING.step(decision, rating.status, actor)
    refuse_stale(rating.version, body, required=True)
    return _move(session, actor, rating, decision, _reason(decision, body.get("reason")))


def release_several(session: Session, actor: Actor, ids: Sequence[UUID]) -> dict[str, Any]:
    """Release the texts of ratings as they are now; returns which were released, and why others could not be.

    One that is released already counts as released, so that the call can be repeated.
    """
    released, refused = [], []
    for rating_id in dict.fromkeys(ids):
        try:
            rating = get_readable(session, actor, rating_id)
            if rating.publicity != SHOWN:
                RATING.step("release", rating.status, actor)
                _move(session, actor, rating, "release", {})
            released.append(str(rating_id))
        except Problem as problem:
            refused.append({"id": str(rating_id), "code": problem.code, "message": problem.detail or problem.title})
    return {"released": released, "refused": refused}


def _reason(decision: str, value: Any) -> dict[str, str]:
    if decision == "release":
        return {}
    reason = demanded(value if isinstance(value, str) else None, "/reason", "请填写不公开该评价文字的原因")
    if len(reason) > COMMENT_LIMIT:
        raise invalid("/reason", "too_long", f"不公开的原因不能超过{COMMENT_LIMIT}个字，请缩短后重试")
    return {"reason": reason}


def _move(session: Session, actor: Actor, rating: Rating, decision: str, reason: dict[str, str]) -> Rating:
    follow_up = session.get(RatingFollowUp, rating.id, populate_existing=True)
    handled = None if follow_up is None else integrity.columns_of(follow_up)
    changes = {"publicity": DECISIONS[decision]}
    payload = {**reason, **integrity.stated(session, rating, follow_up, actor, decision, changes, handled)}
    RATING.move(session, actor, rating, decision, changes, payload)
    return session.get_one(Rating, rating.id, populate_existing=True)
