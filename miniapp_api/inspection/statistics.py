"""Work statistics (工作统计)."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.tables.writing import Sheet
from core.actor import Actor
from inspection.statistics import progress as statistics
from inspection.statistics import progress_table
from inspection.statistics.progress import StatisticsFilter
from miniapp_api.http.answers import sends
from miniapp_api.http.downloads import CSV, XLSX, as_csv, as_xlsx
from miniapp_api.http.filters import Days, ProductCode
from miniapp_api.http.gates import gate

bp = APIBlueprint("statistics", __name__, tag="Inspection")


class ProgressQuery(Days):
    """`from` and `to` are check dates."""

    product_code: ProductCode | None = None
    region: str | None = Field(None, max_length=6)

    def filters(self) -> StatisticsFilter:
        """As the room takes them."""
        return StatisticsFilter(**self.model_dump())


@bp.get("/statistics/progress")
@gate(Verb.STATISTICS_READ)
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
    return as_csv("工作统计", progress_table.COLUMNS, progress_table.cells(figures))


@bp.get("/statistics/progress.xlsx")
@gate(Verb.STATISTICS_READ)
@sends(XLSX)
@bp.input(ProgressQuery, location="query", arg_name="query")
def export_progress_xlsx(session: Session, actor: Actor, query: ProgressQuery) -> Response:
    """The figures as an Excel workbook, the total last; rates are numbers."""
    figures = statistics.progress(session, actor, query.filters())
    return as_xlsx("工作统计", Sheet("工作统计", progress_table.COLUMNS, progress_table.cells(figures)))
