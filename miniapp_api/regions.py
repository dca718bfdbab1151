"""Regions (行政区划)."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from accounts import queries
from core.paging import whole
from miniapp_api.bodies import Query
from miniapp_api.gates import public

bp = APIBlueprint("regions", __name__, tag="People")


class RegionQuery(Query):
    """`parent`: the region whose children are wanted; without it the provinces."""

    parent: str | None = Field(None, pattern=r"^\d{6}$")


@bp.get("/regions")
@public()
@bp.input(RegionQuery, location="query", arg_name="query")
def list_regions(session: Any, query: RegionQuery) -> dict[str, Any]:
    """The regions directly below one."""
    return whole(queries.region_children(session, query.parent), queries.REGIONS_SHOWN)
