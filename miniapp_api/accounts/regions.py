"""Regions (行政区划)."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field, ValidationInfo, field_validator

from accounts import queries
from accounts.models import RegionLevel
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.bodies import AtOnceQuery
from miniapp_api.http.gates import public

bp = APIBlueprint("regions", __name__, tag="People")


class RegionQuery(AtOnceQuery):
    """`parent`: the region whose children are listed; without it the provinces. `code`: that region alone."""

    at_once = 500
    parent: str | None = Field(None, pattern=r"^[0-9]{6}$")
    code: str | None = Field(None, pattern=r"^[0-9]{6}$", description="that region alone, in the place of a list")

    @field_validator("code")
    @classmethod
    def _one_of_them(cls, code: str | None, others: ValidationInfo) -> str | None:
        if code is not None and others.data.get("parent") is not None:
            raise ValueError("parent（下级列表）和 code（单个地区）只能填写其中一个")
        return code


class Region(Answer):
    """A region of the country (行政区划)."""

    code: str = Field(pattern=r"^[0-9]{6}$")
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
    """The regions directly below one, by code; or one region, so that a code has a name."""
    if query.code is not None:
        return queries.region_named(session, query.code, query.request()).as_json(queries.region_answer)
    return queries.region_children(session, query.parent, query.request()).as_json(queries.region_answer)
