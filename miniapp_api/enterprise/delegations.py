"""Standing delegation (委托) of a post's work to another office."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS
from core.actor import Actor
from core.database.paging import whole
from enterprise.filings.sides import delegation_answers, delegation_offers, delegations
from miniapp_api.http.answers import Answer, Page, answers, refuses
from miniapp_api.http.bodies import AsSent, PageQuery
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("delegations", __name__, tag="Filings")


class DelegationBody(AsSent):
    """Which post of the own office, to which office, for which business types."""

    post: str = Field(max_length=40)
    to_office_id: UUID = Field(strict=False)
    matters: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default=[], max_length=delegations.MOST_MATTERS, description="business types; none: all of them"
    )


class RevokeBody(AsSent):
    """The version that was read."""

    version: int = Field(ge=1)


class Delegation(Answer):
    """A delegation."""

    id: UUID
    post: str
    post_label: str
    from_office: str
    to_office: str
    matters: list[str] = Field(description="business types; none: all of them")
    matter_labels: list[str]
    status: Literal["standing", "revoked"]
    status_label: str
    version: int
    begun_at: datetime
    ended_at: datetime | None
    actions: list[str] = Field(description="what the caller may do now")


class DelegationOffice(Answer):
    """An office that can take a post's work."""

    id: UUID
    name: str


class DelegationMatter(Answer):
    """A business type (业务类型)."""

    code: str
    label: str


class DelegationOffer(Answer):
    """A post of the caller that may be delegated."""

    post: str
    label: str
    offices: list[DelegationOffice]
    matters: list[DelegationMatter] = Field(description="none: the post is delegated as a whole")
    delegated: bool = Field(description="it stands delegated: revoked first, before it can be again")


@bp.get("/delegations/offers")
@gate(*FILING_VERBS)
@answers(Page[DelegationOffer])
def list_delegation_offers(session: Session, actor: Actor) -> dict[str, Any]:
    """What the caller may delegate, as the kinds of filings declare it; nothing for most."""
    return whole(delegation_offers.offers(session, wiring().filings, actor))


@bp.get("/delegations")
@gate(*FILING_VERBS)
@answers(Page[Delegation])
@bp.input(PageQuery, location="query", arg_name="query")
def list_delegations(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """What the own office has delegated, and what was delegated to it, newest first; revoked ones too."""
    page = delegations.listed(session, actor, query.request())
    return delegation_answers.page_answer(session, wiring().filings, actor, page)


@bp.put("/delegations/<uuid:delegation_id>")
@gate(*FILING_VERBS)
@answers(Delegation)
@refuses(409)
@bp.input(DelegationBody, arg_name="body")
def delegate(session: Session, actor: Actor, delegation_id: UUID, body: DelegationBody) -> dict[str, Any]:
    """Delegate a post that the caller holds, to an office of the same level; each post once at a time."""
    engine = wiring().filings
    found = delegations.delegate(session, engine, actor, delegation_id, body.post, body.to_office_id, body.matters)
    return delegation_answers.answer(session, engine, actor, found)


@bp.post("/delegations/<uuid:delegation_id>/revoke")
@gate(*FILING_VERBS)
@answers(Delegation)
@refuses(409)
@bp.input(RevokeBody, arg_name="body")
def revoke_delegation(session: Session, actor: Actor, delegation_id: UUID, body: RevokeBody) -> dict[str, Any]:
    """Take it back; what was done stands."""
    engine = wiring().filings
    found = delegations.revoke(session, engine, actor, delegation_id, body.model_dump())
    return delegation_answers.answer(session, engine, actor, found)
