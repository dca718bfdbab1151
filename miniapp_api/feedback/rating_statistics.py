"""Statistics of ratings (评价统计)."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from feedback.ratings import exports
from feedback.statistics import breakdowns
from feedback.statistics import queries as statistics
from feedback.statistics.queries import StatisticsFilter
from miniapp_api.feedback.rating_answers import Channel, Level
from miniapp_api.http.answers import Answer, answers, sends
from miniapp_api.http.downloads import XLSX, as_xlsx
from miniapp_api.http.filters import Days
from miniapp_api.http.gates import gate

bp = APIBlueprint("rating_statistics", __name__, tag="Ratings")


class FiguresQuery(Days):
    """Filters of the statistics; `matter` is the matter's whole name."""

    office_id: UUID | None = None
    region: str | None = Field(None, max_length=6)
    matter: str | None = Field(None, max_length=200)
    channel: Channel | None = None

    def filters(self) -> StatisticsFilter:
        """The filters as the statistics know them."""
        return StatisticsFilter(**self.model_dump())


class OfficeFigures(Answer):
    """Figures of an office, or of all in the total, as spec/b_rating §8 defines them; a rate over nothing is null."""

    office_id: UUID | None = Field(description="null in the total")
    office_name: str
    ratings: int
    level_5: int
    level_4: int
    level_3: int
    level_2: int
    level_1: int
    good: int
    good_rate: float | None
    neutral: int
    bad: int
    bad_rate: float | None
    satisfaction: float | None = Field(description="0 to 100")
    average_stars: float | None = Field(description="1 to 5")
    matters: int
    rated_matters: int
    active_rate: float | None
    real_bad: int = Field(description="bad ratings under a real name")
    called_back: int
    call_back_rate: float | None
    due_or_closed: int
    closed_in_time: int
    in_time_rate: float | None
    overdue: int
    from_staff_addresses: int


class TagFigures(Answer):
    """How often a tag was chosen."""

    code: int
    text: str
    level: Level
    count: int


class RatingFigures(Answer):
    """The figures in total, by office and by tag."""

    total: OfficeFigures
    rows: list[OfficeFigures]
    tags: list[TagFigures]
    from_staff_note: str = Field(description="how little `from_staff_addresses` says")


class BreakdownQuery(FiguresQuery):
    """The same filters, and by what the figures are cut; by window they are those of one office."""

    by: breakdowns.By

    def filters(self) -> StatisticsFilter:
        return StatisticsFilter(**self.model_dump(exclude={"by"}))


class CutFigures(Answer):
    """Figures of a matter, a window or a month; a rate over nothing is null."""

    name: str
    ratings: int
    level_5: int
    level_4: int
    level_3: int
    level_2: int
    level_1: int
    good: int
    good_rate: float | None
    bad: int
    bad_rate: float | None
    satisfaction: float | None = Field(description="0 to 100")
    average_stars: float | None = Field(description="1 to 5")


class Breakdown(Answer):
    """The figures cut by matter, window or month: those with the most ratings, months by their order."""

    rows: list[CutFigures]


@bp.get("/statistics/ratings/breakdown")
@gate(Verb.RATINGS_READ)
@answers(Breakdown)
@bp.input(BreakdownQuery, location="query", arg_name="query")
def read_rating_breakdown(session: Session, actor: Actor, query: BreakdownQuery) -> dict[str, Any]:
    """The figures by matter, window or month; without days those of the last twelve months."""
    return {"rows": breakdowns.rows(session, actor, query.filters(), query.by)}


@bp.get("/statistics/ratings/breakdown.xlsx")
@gate(Verb.RATINGS_READ)
@sends(XLSX)
@bp.input(BreakdownQuery, location="query", arg_name="query")
def export_rating_breakdown(session: Session, actor: Actor, query: BreakdownQuery) -> Response:
    """The same as an Excel workbook."""
    rows = breakdowns.rows(session, actor, query.filters(), query.by)
    return as_xlsx("好差评统计", exports.breakdown_sheet(breakdowns.LABELS[query.by], rows))


@bp.get("/statistics/ratings")
@gate(Verb.RATINGS_READ)
@answers(RatingFigures)
@bp.input(FiguresQuery, location="query", arg_name="query")
def read_rating_statistics(session: Session, actor: Actor, query: FiguresQuery) -> dict[str, Any]:
    """The figures of ratings in total, by office and by tag; a rate over nothing is null."""
    return statistics.figures(session, actor, query.filters())


@bp.get("/statistics/ratings.xlsx")
@gate(Verb.RATINGS_READ)
@sends(XLSX)
@bp.input(FiguresQuery, location="query", arg_name="query")
def export_rating_statistics(session: Session, actor: Actor, query: FiguresQuery) -> Response:
    """The figures as an Excel workbook: by office, and by tag."""
    figures = statistics.figures(session, actor, query.filters())
    return as_xlsx("好差评统计", exports.summary_sheet(figures), exports.tag_sheet(figures))
