"""Work statistics (工作统计)."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection.statistics import progress as statistics
from inspection.statistics import progress_table
from inspection.statistics.progress import StatisticsFilter
from miniapp_api.http.answers import Answer, answers, sends
from miniapp_api.http.downloads import CSV, XLSX, as_csv, as_xlsx
from miniapp_api.http.filters import Days, ProductCode
from miniapp_api.http.gates import gate

bp = APIBlueprint("statistics", __name__, tag="Inspection")


class ProgressQuery(Days):
    """Filters of the figures; `from` and `to` are check dates."""

    product_code: ProductCode | None = None
    region: str | None = Field(None, max_length=6)

    def filters(self) -> StatisticsFilter:
        """The filters as the statistics know them."""
        return StatisticsFilter(**self.model_dump())


class ProgressFigures(Answer):
    """Figures of an area; enterprises are counted once, however many records they have."""

    region_code: str | None = Field(description="null for the whole country, and for an office of several regions")
    region_name: str | None
    planned: int = Field(description="enterprises to be checked (应检查生产企业数)")
    planned_visited: int
    progress: float | None = Field(description="`planned_visited` / `planned`; null where nothing is planned")
    checked: int = Field(description="enterprises with a carried-out production check")
    unable: int = Field(description="enterprises whose production checks could not be carried out")
    sales_checked: int
    sales_unable: int
    problem_enterprises: int
    disposal_done: int
    disposal_in_progress: int
    without_disposal: int
    spot_enterprises: int
    spot_batches: int
    spot_without_sample: int
    failed_batches: int
    failed_rate: float | None = Field(description="`failed_batches` / `spot_batches`; null without batches")


class ProgressRow(ProgressFigures):
    """Figures of a region directly below, or of the own office (本级)."""

    own_office: bool


class Progress(Answer):
    """Progress of checks and spot checks; enterprises count once in the total, though they stand in several rows."""

    rows: list[ProgressRow]
    total: ProgressFigures


@bp.get("/statistics/progress")
@gate(Verb.STATISTICS_READ)
@answers(Progress)
@bp.input(ProgressQuery, location="query", arg_name="query")
def read_progress(session: Session, actor: Actor, query: ProgressQuery) -> dict[str, Any]:
    """Progress of checks and spot checks by sub-region, and in total."""
    return statistics.progress(session, actor, query.filters())


@bp.get("/statistics/progress.csv")
@gate(Verb.STATISTICS_READ)
@sends(CSV)
@bp.input(ProgressQuery, location="query", arg_name="query")
def export_progress_csv(session: Session, actor: Actor, query: ProgressQuery) -> Response:
    """The figures as CSV (UTF-8 with BOM), the total last."""
    figures = statistics.progress(session, actor, query.filters())
    return as_csv("工作统计", progress_table.sheet(figures))


@bp.get("/statistics/progress.xlsx")
@gate(Verb.STATISTICS_READ)
@sends(XLSX)
@bp.input(ProgressQuery, location="query", arg_name="query")
def export_progress_xlsx(session: Session, actor: Actor, query: ProgressQuery) -> Response:
    """The figures as an Excel workbook, the total last; rates are numbers."""
    figures = statistics.progress(session, actor, query.filters())
    return as_xlsx("工作统计", progress_table.sheet(figures))
