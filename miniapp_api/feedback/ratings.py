"""Ratings (评价): what offices read and do."""

from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import AfterValidator, Field, Strict, WithJsonSchema
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.tables.writing import Sheet
from core.actor import Actor
from feedback import queries
from feedback.follow_ups import operations as follow_ups
from feedback.follow_ups import steps
from feedback.queries import Filters
from feedback.ratings import exports, numbers, publication
from feedback.workflows import RATING
from miniapp_api.feedback import rating_answers
from miniapp_api.feedback.rating_answers import Channel, MovedRating, Publicity, RatingMove, RatingRow, Released
from miniapp_api.http.answers import Page, answers, sends
from miniapp_api.http.bodies import (
    ID_FIELD,
    VERSION_FIELD,
    AtOnceQuery,
    Body,
    DescribedBody,
    PageQuery,
    choice_field,
    described,
    text_field,
)
from miniapp_api.http.downloads import CSV, XLSX, as_csv, as_xlsx
from miniapp_api.http.filters import Days
from miniapp_api.http.gates import gate
from miniapp_api.http.read_only_fields import other_fields, read_only_warnings
from miniapp_api.http.readings import reading
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("ratings", __name__, tag="Ratings")


def _known_status(status: str) -> str:
    if status not in RATING.statuses:
        raise ValueError(f"没有这个状态，可选：{'、'.join(RATING.statuses)}")
    return status


RatingStatus = Annotated[
    str, AfterValidator(_known_status), WithJsonSchema({"type": "string", "enum": list(RATING.statuses)})
]


class RatingsQuery(PageQuery, Days):
    """Filters of the list; `q` is a fragment of the matter's name, `mobile_tail` the last four digits."""

    level: int | None = Field(None, ge=1, le=5)
    channel: Channel | None = None
    q: str | None = Field(None, max_length=100)
    status: RatingStatus | None = None
    mobile_tail: str | None = Field(None, pattern=r"^[0-9]{4}$")
    overdue: bool | None = None
    bad: bool | None = None
    publicity: Publicity | None = None
    code_id: UUID | None = None
    office_id: UUID | None = None

    def filters(self) -> Filters:
        """The filters without the page."""
        return Filters(**self.filters_only())


class RatingStepBody(DescribedBody):
    """The version that was read, and what the step asks for; the step validates it."""

    model_config = described(
        ("version",),
        version=VERSION_FIELD,
        handler_id={**ID_FIELD, "description": "assign: a handler of the office that is rated"},
        channel=choice_field(steps.CONTACT_CHANNELS, "contact"),
        result=choice_field(steps.CONTACT_RESULTS, "contact"),
        note=text_field(steps.TEXT_LIMIT, "contact; optional"),
        verify_result=choice_field(steps.VERIFY_RESULTS, "verify"),
        classification=choice_field(steps.CLASSES, "verify; rectify, where nothing was verified"),
        measures=text_field(steps.TEXT_LIMIT, "rectify"),
        extension_reason=text_field(steps.TEXT_LIMIT, "rectify, where `deadline` makes the five days longer"),
        explanation=text_field(steps.TEXT_LIMIT, "explain"),
        feedback_text=text_field(steps.TEXT_LIMIT, "reply"),
        feedback_channel=choice_field(steps.FEEDBACK_CHANNELS, "reply"),
        satisfied_after=choice_field(steps.SATISFIED, "close"),
        opinion=text_field(steps.TEXT_LIMIT, "return, uphold, void; close: optional"),
        reason=text_field(steps.TEXT_LIMIT, "appeal, withhold; reveal_number, once the rater was answered"),
        evidence={
            "type": "array",
            "minItems": 1,
            "maxItems": steps.EVIDENCE.max_count,
            "items": ID_FIELD,
            "description": "appeal: ids of uploaded files",
        },
    )


@bp.get("/ratings")
@gate(Verb.RATINGS_READ)
@answers(Page[RatingRow])
@bp.input(RatingsQuery, location="query", arg_name="query")
def list_ratings(session: Session, actor: Actor, query: RatingsQuery) -> dict[str, Any]:
    """Ratings of the caller's regions, newest first; with `overdue` those that are overdue longest first."""
    page = queries.ratings(session, actor, query.filters(), query.request())
    return page.as_json(lambda row: queries.rating_as_json(row, actor))


@bp.get("/ratings/<uuid:rating_id>")
@gate(Verb.RATINGS_READ)
@answers(rating_answers.Rating)
def read_rating(session: Session, actor: Actor, rating_id: UUID) -> dict[str, Any]:
    """One rating with its follow-up."""
    return queries.rating_answer(session, actor, queries.get_readable(session, actor, rating_id))


@bp.get("/ratings/<uuid:rating_id>/history")
@gate(Verb.RATINGS_READ)
@answers(Page[RatingMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_rating_history(session: Session, actor: Actor, rating_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
    """The moves of a rating, oldest first."""
    rating = queries.get_readable(session, actor, rating_id)
    page = queries.history_of(session, rating, query.request())
    return page.as_json(queries.move_as_json(session, actor, rating))


@bp.post("/ratings/<uuid:rating_id>/actions/<string:action>")
@gate(Verb.RATINGS_HANDLE, Verb.RATINGS_SUPERVISE)
@answers(MovedRating)
@bp.input(RatingStepBody, arg_name="body")
def act_on_rating(session: Session, actor: Actor, rating_id: UUID, action: str, body: RatingStepBody) -> dict[str, Any]:
    """Take a step of the follow-up, or decide whether the public may read the text.

    Steps: assign, reveal_number, contact, verify, rectify, explain, reply, close, return, appeal, uphold, void;
    decisions: release, withhold. Only the answer to reveal_number holds the whole number.
    """
    before: dict[str, Any] = {}
    if other_fields(body):
        before = queries.rating_answer(session, actor, queries.get_readable(session, actor, rating_id))
    if action in publication.DECISIONS:
        rating = publication.decide(session, actor, rating_id, action, body.root)
    else:
        rating = follow_ups.act(session, actor, rating_id, action, body.root)
    revealed = queries.revealed(session, actor, rating) if action == numbers.REVEAL else {}
    answer = queries.rating_answer(session, actor, rating) | revealed
    return {**answer, "warnings": read_only_warnings(body, before, answer)}


class ReleaseBody(Body):
    """Ratings whose texts are released."""

    # `strict` would refuse a text, and JSON has no other way to write an id.
    ids: list[Annotated[UUID, Strict(False)]] = Field(min_length=1, max_length=publication.MOST_AT_ONCE)


@bp.post("/ratings/actions/release")
@gate(Verb.RATINGS_SUPERVISE)
@answers(Released)
@bp.input(ReleaseBody, arg_name="body")
def release_ratings(session: Session, actor: Actor, body: ReleaseBody) -> dict[str, Any]:
    """Release the texts of several ratings; those that cannot be released are named with the reason."""
    return publication.release_several(session, actor, body.ids)


@bp.get("/ratings.csv")
@gate(Verb.RATINGS_READ, transaction=False)
@sends(CSV, about="rating")
@bp.input(RatingsQuery, location="query", arg_name="query")
def export_ratings_csv(actor: Actor, query: RatingsQuery) -> Response:
    """The list as CSV (UTF-8 with BOM), with the same filters."""
    return as_csv("好差评", _sheet(actor, query))


@bp.get("/ratings.xlsx")
@gate(Verb.RATINGS_READ, transaction=False)
@sends(XLSX, about="rating")
@bp.input(RatingsQuery, location="query", arg_name="query")
def export_ratings_xlsx(actor: Actor, query: RatingsQuery) -> Response:
    """The list as an Excel workbook, with the same filters; numbers masked."""
    return as_xlsx("好差评", _sheet(actor, query))


def _sheet(actor: Actor, query: RatingsQuery) -> Sheet:
    """The list as a table; its rows are read, and noted as read, while it is written."""
    rows = exports.export_rows(wiring().database, actor, query.filters())
    return exports.list_sheet(reading().counting(rows, lambda row: row.Rating.id), actor)
