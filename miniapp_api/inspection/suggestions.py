"""What was typed by hand before, offered again."""

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from inspection.records import suggestions
from miniapp_api.http.bodies import Query
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("suggestions", __name__, tag="Inspection")


class SuggestionsQuery(Query):
    """The field, by its name in the form of a kind, and the beginning of what is typed."""

    kind: Literal["production", "sales", "spot_check"]
    field: str = Field(min_length=1, max_length=30, description="one that the form marks with `suggest`")
    q: str | None = Field(None, max_length=100, description="its beginning")


class SellersQuery(Query):
    """A part of the name."""

    q: str = Field(min_length=1, max_length=100, description="a part of the name")


@bp.get("/suggestions")
@gate(Verb.INSPECTION_WRITE)
@bp.input(SuggestionsQuery, location="query", arg_name="query")
def list_suggestions(session: Session, actor: Actor, query: SuggestionsQuery) -> dict[str, Any]:
    """What the own office typed into a field of its newest 300 records, the most frequent first; 20 at the most."""
    return whole(suggestions.suggest(session, wiring().forms, actor, query.kind, query.field, query.q))


@bp.get("/suggestions/sellers")
@gate(Verb.INSPECTION_WRITE)
@bp.input(SellersQuery, location="query", arg_name="query")
def list_sellers(session: Session, actor: Actor, query: SellersQuery) -> dict[str, Any]:
    """Sellers without a code that were checked in the caller's regions before, as written last; 20 at the most."""
    return whole(suggestions.sellers(session, actor, query.q))
