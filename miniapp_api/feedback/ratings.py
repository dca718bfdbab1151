"""Ratings (评价): what offices read and do, what the public reads, and their statistics."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal
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
from feedback.models import Rating
from feedback.queries import Filters
from feedback.ratings import exports, numbers, public, publication
from feedback.statistics import queries as statistics
from feedback.statistics.queries import StatisticsFilter
from feedback.workflows import RATING
from miniapp_api.http.answers import sends
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
from miniapp_api.http.gates import public as open_to_all
from miniapp_api.http.passed_over import beyond, passed_over
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("ratings", __name__, tag="Ratings")

Channel = Literal["web_todo", "qr_once", "qr_matter"]


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
    publicity: Literal["pending", "shown", "withheld", "hidden"] | None = None
    code_id: UUID | None = None
    office_id: UUID | None = None

    def filters(self) -> Filters:
        """As the room takes them."""
        return Filters(**self.filters_only())


class PublicQuery(PageQuery, Days):
    """Filters of the published ratings."""

    office_id: UUID | None = None
    region: str | None = Field(None, max_length=6)
    level: int | None = Field(None, ge=1, le=5)
    channel: Channel | None = None


class FiguresQuery(Days):
    """Filters of the statistics; `matter` is the matter's whole name."""

    office_id: UUID | None = None
    region: str | None = Field(None, max_length=6)
    matter: str | None = Field(None, max_length=200)
    channel: Channel | None = None

    def filters(self) -> StatisticsFilter:
        """As the room takes them."""
        return StatisticsFilter(**self.model_dump())


class RatingStepBody(DescribedBody):
    """The version that was read, and what the step asks for; judged by the step."""

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
        reason=text_field(steps.TEXT_LIMIT, "appeal, withhold"),
        evidence={
            "type": "array",
            "minItems": 1,
            "maxItems": steps.EVIDENCE.max_count,
            "items": ID_FIELD,
            "description": "appeal: files uploaded before",
        },
    )


def _show(session: Session, actor: Actor, rating: Rating) -> dict[str, Any]:
    return queries.show(session, actor, rating)


@bp.get("/ratings")
@gate(Verb.RATINGS_READ)
@bp.input(RatingsQuery, location="query", arg_name="query")
def list_ratings(session: Session, actor: Actor, query: RatingsQuery) -> dict[str, Any]:
    """Ratings of the caller's regions, newest first; overdue ones by what is due longest."""
    page = queries.ratings(session, actor, query.filters(), query.request())
    return page.as_json(lambda row: queries.show_row(row, actor))


@bp.get("/ratings/<uuid:rating_id>")
@gate(Verb.RATINGS_READ)
def read_rating(session: Session, actor: Actor, rating_id: UUID) -> dict[str, Any]:
    """One rating with its follow-up."""
    return _show(session, actor, queries.visible(session, actor, rating_id))


@bp.get("/ratings/<uuid:rating_id>/history")
@gate(Verb.RATINGS_READ)
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_rating_history(session: Session, actor: Actor, rating_id: UUID, query: AtOnceQuery) -> dict[str, Any]:
    """The moves of a rating, oldest first."""
    rating = queries.visible(session, actor, rating_id)
    page = queries.history_of(session, rating, query.request())
    return page.as_json(queries.show_move(session, actor, rating))


@bp.post("/ratings/<uuid:rating_id>/actions/<string:action>")
@gate(Verb.RATINGS_HANDLE, Verb.RATINGS_SUPERVISE)
@bp.input(RatingStepBody, arg_name="body")
def act_on_rating(session: Session, actor: Actor, rating_id: UUID, action: str, body: RatingStepBody) -> dict[str, Any]:
    """A step of the follow-up (assign, reveal_number, contact, verify, rectify, explain, reply, close, return, appeal,
    uphold, void), or whether the public may read the text (release, withhold). The whole number is in the answer to
    reveal_number alone."""
    before = _show(session, actor, queries.visible(session, actor, rating_id)) if beyond(body) else {}
    if action in publication.DECISIONS:
        rating = publication.decide(session, actor, rating_id, action, body.root)
    else:
        rating = follow_ups.act(session, actor, rating_id, action, body.root)
    revealed = queries.revealed(session, actor, rating) if action == numbers.REVEAL else {}
    shown = _show(session, actor, rating) | revealed
    return {**shown, "warnings": passed_over(body, before, shown)}


class ReleaseBody(Body):
    """Ratings whose texts are released."""

    # An id in JSON is a text, whatever Python makes of it.
    ids: list[Annotated[UUID, Strict(False)]] = Field(min_length=1, max_length=publication.MOST_AT_ONCE)


@bp.post("/ratings/actions/release")
@gate(Verb.RATINGS_SUPERVISE)
@bp.input(ReleaseBody, arg_name="body")
def release_ratings(session: Session, actor: Actor, body: ReleaseBody) -> dict[str, Any]:
    """Release the texts of several ratings; those that cannot be are named with the reason."""
    return publication.release_several(session, actor, body.ids)


@bp.get("/ratings/public")
@open_to_all()
@bp.input(PublicQuery, location="query", arg_name="query")
def list_public_ratings(session: Session, query: PublicQuery) -> dict[str, Any]:
    """Published ratings with their replies; no names, no numbers."""
    filters = public.PublicFilters(**query.filters_only())
    return public.public(session, filters, query.request()).as_json(public.show_public)


@bp.get("/ratings/answer/<string:query_code>")
@open_to_all()
def read_answer(session: Session, query_code: str) -> dict[str, Any]:
    """What has become of a rating, for whoever holds its query code."""
    return public.answer(session, query_code)


@bp.get("/statistics/ratings")
@gate(Verb.RATINGS_READ)
@bp.input(FiguresQuery, location="query", arg_name="query")
def read_rating_statistics(session: Session, actor: Actor, query: FiguresQuery) -> dict[str, Any]:
    """The figures of ratings in total, by office and by tag; a rate over nothing is null."""
    return statistics.figures(session, actor, query.filters())


@bp.get("/ratings.csv")
@gate(Verb.RATINGS_READ, transaction=False)
@sends(CSV)
@bp.input(RatingsQuery, location="query", arg_name="query")
def export_ratings_csv(actor: Actor, query: RatingsQuery) -> Response:
    """The list as CSV (UTF-8 with BOM), with the same filters."""
    return as_csv("好差评", exports.LIST_COLUMNS, _cells(actor, query))


@bp.get("/ratings.xlsx")
@gate(Verb.RATINGS_READ, transaction=False)
@sends(XLSX)
@bp.input(RatingsQuery, location="query", arg_name="query")
def export_ratings_xlsx(actor: Actor, query: RatingsQuery) -> Response:
    """The list as an Excel workbook, with the same filters; numbers masked."""
    return as_xlsx("好差评", Sheet("评价明细", exports.LIST_COLUMNS, _cells(actor, query)))


def _cells(actor: Actor, query: RatingsQuery) -> Iterator[list[Any]]:
    rows = exports.export_rows(wiring().database, actor, query.filters())
    # The first row is fetched here, so that a refusal is still an answer of its own.
    first = next(rows, None)
    return (exports.list_cells(row, actor) for row in (() if first is None else chain((first,), rows)))


@bp.get("/statistics/ratings.xlsx")
@gate(Verb.RATINGS_READ)
@sends(XLSX)
@bp.input(FiguresQuery, location="query", arg_name="query")
def export_rating_statistics(session: Session, actor: Actor, query: FiguresQuery) -> Response:
    """The figures as an Excel workbook: by office, and by tag."""
    figures = statistics.figures(session, actor, query.filters())
    return as_xlsx(
        "好差评统计",
        Sheet("评价统计", exports.SUMMARY_COLUMNS, exports.summary_cells(figures)),
        Sheet("标签分布", exports.TAG_COLUMNS, exports.tag_cells(figures)),
    )
