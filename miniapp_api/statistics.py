"""Work statistics (工作统计)."""

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection import statistics
from inspection.statistics import StatisticsFilter
from miniapp_api.bodies import Query
from miniapp_api.gates import gate

bp = APIBlueprint("statistics", __name__, tag="Inspection")


class ProgressQuery(Query):
    """`from` and `to` are check dates."""

    product_code: str | None = Field(None, max_length=2)
    region: str | None = Field(None, max_length=6)
    day_from: date | None = Field(None, alias="from")
    day_to: date | None = Field(None, alias="to")


@bp.get("/statistics/progress")
@gate(Verb.STATISTICS_READ)
@bp.input(ProgressQuery, location="query", arg_name="query")
def read_progress(session: Session, actor: Actor, query: ProgressQuery) -> dict[str, Any]:
    """Progress of checks and spot checks by sub-region, and in total."""
    return statistics.progress(session, actor, StatisticsFilter(**query.model_dump()))
