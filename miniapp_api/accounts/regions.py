"""Regions (行政区划)."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from accounts import queries
from accounts.models import RegionLevel
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.bodies import AtOnceQuery
from miniapp_api.http.gates import public

bp = APIBlueprint("regions", __name__, tag="People")


class RegionQuery(AtOnceQuery):
    """`parent`: the region whose children are listed; without it the provinces."""

    at_once = 500
    parent: str | None = Field(None, pattern=r"^\d{6}$")


class Region(Answer):
    """A region of the country (行政区划)."""

    code: str = Field(pattern=r"^\d{6}$")
    name: str
    level: RegionLevel


class RegionName(Answer):
    """Code and name of a region."""

    code: str
    name: str


@bp.get("/regions")
@public()
@answers(Page[Region])
@bp.input(RegionQuery, location="query", arg_name="query")
def list_regions(session: Any, query: RegionQuery) -> dict[str, Any]:
    """The regions directly below one, by code."""
    return queries.region_children(session, query.parent, query.request()).as_json(queries.region_answer)
