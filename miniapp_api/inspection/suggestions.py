"""Suggestions while typing: texts and sellers of earlier records."""

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.database.paging import whole
from inspection.records import suggestions
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.bodies import Query
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_answers import RecordKind

bp = APIBlueprint("suggestions", __name__, tag="Inspection")


class SuggestionsQuery(Query):
    """A field of the form of a kind, and the beginning of the text."""

    kind: RecordKind
    field: str = Field(min_length=1, max_length=30, description="one that the form marks with `suggest`")
    q: str | None = Field(None, max_length=100, description="its beginning")


class SellersQuery(Query):
    """A part of the name."""

    q: str | None = Field(
        None, min_length=1, max_length=100,
        description="a part of the name; without it those of the own office's newest 300 records, for a phone to keep",
    )  # fmt: skip


class Suggestion(Answer):
    """A text that was typed before: in some fields the name of a person."""

    about = "inspection"

    value: str
    times: int = Field(description="how often, in the records that were looked at")
    last_used_on: date | None


class Seller(Answer):
    """A seller without a code (无照), as it was written last."""

    about = "inspection"

    org_name: str | None
    org_address: str | None
    business_address: str | None
    market_name: str | None
    last_checked_on: date


class Colleague(Answer):
    """A person of the own office."""

    name: str
    times: int = Field(description="how often the newest records of the office name them")
    last_used_on: date | None


@bp.get("/suggestions/colleagues")
@gate(Verb.INSPECTION_WRITE)
@answers(Page[Colleague])
def list_colleagues(session: Session, actor: Actor) -> dict[str, Any]:
    """People of the own office to choose inspectors (检查人员) from, those named most often first; at most 50."""
    return whole(suggestions.colleagues(session, actor))


@bp.get("/suggestions")
@gate(Verb.INSPECTION_WRITE)
@answers(Page[Suggestion])
@bp.input(SuggestionsQuery, location="query", arg_name="query")
def list_suggestions(session: Session, actor: Actor, query: SuggestionsQuery) -> dict[str, Any]:
    """Texts of a field in the newest 300 records of the own office, the most frequent first; at most 20."""
    return whole(suggestions.suggest(session, wiring().forms, actor, query.kind, query.field, query.q))


@bp.get("/suggestions/sellers")
@gate(Verb.INSPECTION_WRITE)
@answers(Page[Seller])
@bp.input(SellersQuery, location="query", arg_name="query")
def list_sellers(session: Session, actor: Actor, query: SellersQuery) -> dict[str, Any]:
    """Sellers without a code that were checked in the caller's regions, each as it was written last; at most 20."""
    found = suggestions.own_sellers(session, actor) if query.q is None else suggestions.sellers(session, actor, query.q)
    return whole(found)
