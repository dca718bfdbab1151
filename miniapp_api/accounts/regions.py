"""Regions (行政区划)."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from accounts import queries
from miniapp_api.http.bodies import AtOnceQuery
from miniapp_api.http.gates import public

bp = APIBlueprint("regions", __name__, tag="People")


class RegionQuery(AtOnceQuery):
    """`parent`: the region whose children are wanted; without it the provinces."""

    at_once = 500
    parent: str | None = Field(None, pattern=r"^\d{6}$")


@bp.get("/regions")
@public()
@bp.input(RegionQuery, location="query", arg_name="query")
def list_regions(session: Any, query: RegionQuery) -> dict[str, Any]:
    """The regions directly below one, by code."""
    return queries.region_children(session, query.parent, query.request()).as_json(queries.show_region)
