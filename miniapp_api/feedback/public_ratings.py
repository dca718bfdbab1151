"""What the public reads of ratings: those that are published, and what became of the own one."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from feedback.ratings import public
from miniapp_api.feedback.rating_answers import Channel, Level, Status, Tag
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.bodies import PageQuery
from miniapp_api.http.filters import Days
from miniapp_api.http.gates import public as open_to_all

bp = APIBlueprint("public_ratings", __name__, tag="Ratings")


class PublicQuery(PageQuery, Days):
    """Filters of the published ratings."""

    office_id: UUID | None = None
    region: str | None = Field(None, max_length=6)
    level: int | None = Field(None, ge=1, le=5)
    channel: Channel | None = None


class PublicRating(Answer):
    """A published rating: level and tags at once, texts once a person has released them; no names, no numbers."""

    matter_name: str
    org_name: str
    level: Level
    level_label: str
    tags: list[Tag]
    comment: str | None = Field(description="null until it is released")
    rated_on: date
    reply: str | None = Field(description="null until it is released")
    replied_on: date | None


class RatingOutcome(Answer):
    """What has become of a rating, for whoever holds its query code."""

    matter_name: str
    org_name: str
    channel_label: str
    level: Level
    level_label: str
    tags: list[Tag]
    comment: str | None = Field(description="as the rater wrote it")
    submitted_at: datetime
    status: Status
    status_label: str
    next_step: str | None = Field(description="what the rater may expect, and until when; bad ratings under way only")
    due_on: date | None
    due_on_provisional: bool = Field(description="counted on working days that are not announced yet")
    due_on_note: str | None
    reply: str | None = Field(description="null until a supervisor has read it")
    replied_at: datetime | None


@bp.get("/ratings/public")
@open_to_all()
@answers(Page[PublicRating])
@bp.input(PublicQuery, location="query", arg_name="query")
def list_public_ratings(session: Session, query: PublicQuery) -> dict[str, Any]:
    """Published ratings with their replies; no names, no numbers."""
    filters = public.PublicFilters(**query.filters_only())
    return public.public(session, filters, query.request()).as_json(public.public_as_json)


@bp.get("/ratings/answer/<string:query_code>")
@open_to_all()
@answers(RatingOutcome)
def read_answer(session: Session, query_code: str) -> dict[str, Any]:
    """What has become of a rating, for whoever holds its query code."""
    return public.answer(session, query_code)
