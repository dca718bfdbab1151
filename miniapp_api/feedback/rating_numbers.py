"""Freeing a phone number from the rating window (同一手机号5天内只能填报一次) at its owner's request."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from feedback.ratings import freed_numbers
from miniapp_api.http.answers import Answer, Page, Warning, answers
from miniapp_api.http.bodies import ID_FIELD, DescribedBody, PageQuery, described, text_field
from miniapp_api.http.gates import gate
from miniapp_api.http.read_only_fields import read_only_warnings

bp = APIBlueprint("rating_numbers", __name__, tag="Ratings")


class FreedNumberBody(DescribedBody):
    """The number to free and why; `feedback.ratings.freed_numbers` validates it."""

    model_config = described(
        ("mobile", "reason"),
        id={**ID_FIELD, "description": "made by the caller, so that a repetition makes no second row; optional"},
        mobile=text_field(40, "the number (手机号); its owner is asked for it"),
        reason=text_field(freed_numbers.LONGEST_REASON, "why, for example that another used the number (被他人冒用)"),
    )


class FreedNumber(Answer):
    """A number that was freed; nothing says whether it had rated."""

    about = "freed_number"

    id: UUID
    mobile: str = Field(description="masked")
    reason: str
    office_name: str
    freed_by: str = Field(description="user name")
    operator_name: str | None
    freed_at: datetime


class NewlyFreedNumber(FreedNumber):
    """The number that a call freed."""

    warnings: list[Warning]


@bp.post("/rating-numbers/free")
@gate(Verb.RATINGS_SUPERVISE)
@answers(NewlyFreedNumber, 200, 201)
@bp.input(FreedNumberBody, arg_name="body")
def free_rating_number(session: Session, actor: Actor, body: FreedNumberBody) -> tuple[dict[str, Any], int]:
    """解除限制: the number may rate again at once. The answer is the same whether or not it had rated.

    With an `id` the same call again answers the same row.
    """
    row, new = freed_numbers.free(session, actor, body.root)
    answer = freed_numbers.freed_number_as_json(row)
    return {**answer, "warnings": read_only_warnings(body, {}, answer)}, 201 if new else 200


@bp.get("/rating-numbers/freed")
@gate(Verb.RATINGS_SUPERVISE)
@answers(Page[FreedNumber])
@bp.input(PageQuery, location="query", arg_name="query")
def list_freed_numbers(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """Numbers that offices of the caller's regions freed, with reason, user and time; numbers are masked."""
    return freed_numbers.freed(session, actor, query.request()).as_json(freed_numbers.freed_number_as_json)
