"""Catalogues (目录词典) that forms search: HS codes, product features, indicators."""

from datetime import date
from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS
from core import clock
from core.actor import Actor
from core.errors import not_found
from enterprise.catalogues import queries
from enterprise.catalogues.declared import CATALOGUES
from enterprise.catalogues.models import CatalogueEntry
from miniapp_api.http.answers import Answer, answers, one_of
from miniapp_api.http.bodies import Query
from miniapp_api.http.gates import gate

bp = APIBlueprint("catalogues", __name__, tag="Forms")

Code = Annotated[str, one_of(CATALOGUES)]


class CatalogueQuery(Query):
    """What is searched; without `q` all entries, 20 at a time."""

    q: str = Field("", max_length=100, description="the beginning of a code, or two characters of a name or more")
    of: str = Field("", max_length=64, description="below which entry")
    after: str | None = Field(None, max_length=64, description="`next_after` of the page before")


class RowsQuery(Query):
    """Below which entry."""

    of: str = Field("", max_length=64)


class CodesQuery(Query):
    """Which entries, by their codes."""

    codes: str = Field(max_length=4000, description="at most 50 codes, separated by commas")


class CatalogueEntryAnswer(Answer):
    """An entry."""

    code: str
    name: str
    detail: dict[str, str | bool | list[str]] = Field(description="what else it says, by key")
    valid_to: date | None = Field(description="the last day on which it may be chosen")


class CatalogueEntries(Answer):
    """Entries in their order."""

    items: list[CatalogueEntryAnswer]
    next_after: str | None = Field(description="`after` of the next page; null at the end")


@bp.get("/catalogues/<string:catalogue>")
@gate(*FILING_VERBS, by_query=True)
@answers(CatalogueEntries)
@bp.input(CatalogueQuery, location="query", arg_name="query")
def search_catalogue(session: Session, actor: Actor, catalogue: str, query: CatalogueQuery) -> dict[str, Any]:
    """Entries that may be chosen today, by code: at most 20."""
    _demand(catalogue)
    found, next_after = queries.search(
        session, catalogue, query.q, clock.today(), parent=query.of, after=query.after
    )  # fmt: skip
    return _answer(found, next_after)


@bp.get("/catalogues/<string:catalogue>/rows")
@gate(*FILING_VERBS, by_query=True)
@answers(CatalogueEntries)
@bp.input(RowsQuery, location="query", arg_name="query")
def catalogue_rows(session: Session, actor: Actor, catalogue: str, query: RowsQuery) -> dict[str, Any]:
    """All entries below one, in their order, for a group whose rows they are: at most 2 000."""
    _demand(catalogue)
    return _answer(queries.below(session, catalogue, [query.of], clock.today()), None)


@bp.get("/catalogues/<string:catalogue>/entries")
@gate(*FILING_VERBS, by_query=True)
@answers(CatalogueEntries)
@bp.input(CodesQuery, location="query", arg_name="query")
def catalogue_entries(session: Session, actor: Actor, catalogue: str, query: CodesQuery) -> dict[str, Any]:
    """Those of the codes that may be chosen today."""
    _demand(catalogue)
    codes = [code for part in query.codes.split(",")[:_MOST_CODES] if (code := part.strip())]
    return _answer(queries.by_codes(session, catalogue, codes, clock.today()), None)


_MOST_CODES = 50


def _demand(catalogue: str) -> None:
    if catalogue not in CATALOGUES:
        raise not_found()


def _answer(found: list[CatalogueEntry], next_after: str | None) -> dict[str, Any]:
    items = [
        {
            "code": one.code,
            "name": one.name,
            "detail": one.detail,
            "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        }
        for one in found
    ]
    return {"items": items, "next_after": next_after}
