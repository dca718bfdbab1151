"""Outages (系统故障) as an administrator enters them; they move deadlines (`core/deadlines/outages.py`)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.administration.operations import region_of
from accounts.verbs import Verb
from core.actor import Actor
from core.deadlines import outages
from core.deadlines.outages import LONGEST_REASON, OUTAGE, SYSTEMS
from miniapp_api.http.answers import Answer, HistoryRow, Page, absent, answers, one_of, refuses
from miniapp_api.http.bodies import AwareMoment, Body, PageQuery
from miniapp_api.http.gates import gate

bp = APIBlueprint("outages", __name__, tag="Deadlines")

System = Annotated[str, one_of(SYSTEMS)]


class OutageBody(Body):
    """An outage to enter, or to correct with the `version` that was read."""

    system: str = Field(max_length=20, description="what was out of order: " + "、".join(map("`{}`".format, SYSTEMS)))
    region: str | None = Field(None, max_length=6, description="where it was; left out: everywhere")
    starts_at: AwareMoment = Field(strict=False)
    ends_at: AwareMoment = Field(strict=False)
    reason: str = Field(max_length=LONGEST_REASON, description="people read it beside the deadline that was moved")
    version: int | None = Field(None, ge=1)


class WithdrawBody(Body):
    """Why an outage is taken back, and the version that was read."""

    reason: str = Field(max_length=LONGEST_REASON)
    version: int = Field(ge=1)


class Outage(Answer):
    """An outage, and how far open deadlines have been counted anew."""

    id: UUID
    system: System
    system_label: str
    region: str | None = Field(description="code of the region; null: the whole country")
    starts_at: datetime
    ends_at: datetime
    reason: str
    status: Annotated[str, one_of(OUTAGE.statuses)]
    status_label: str
    version: int
    looked_at: int = Field(description="deadlines that were counted anew so far")
    moved: int = Field(description="deadlines of these that changed")
    recounted_at: datetime | None = Field(description="null while deadlines are still being counted anew")
    actions: list[Literal["correct", "withdraw"]] = Field(description="what the caller may do now")


class OutageMove(HistoryRow):
    """A move of an outage: what was entered, or why it was withdrawn."""

    system: System = absent()
    starts_at: datetime = absent()
    ends_at: datetime = absent()
    reason: str = absent()
    area1: str | None = absent("where it was")
    area2: str | None = absent()
    area3: str | None = absent()
    former: dict[str, str | None] = absent("`correct`: the same before")
    comment: str = absent("`withdraw`: why")


class OutageWithHistory(Outage):
    """An outage with its moves."""

    history: list[OutageMove]


@bp.get("/outages")
@gate(Verb.SYSTEM_CONFIGURE)
@answers(Page[Outage])
@bp.input(PageQuery, location="query", arg_name="query")
def list_outages(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """Outages of the own region and of the whole country, the latest first."""
    page = outages.listed(session, actor, query.request())
    return page.as_json(lambda row: outages.as_json(actor, row.Outage))


@bp.get("/outages/<uuid:outage_id>")
@gate(Verb.SYSTEM_CONFIGURE)
@answers(OutageWithHistory)
def read_outage(session: Session, actor: Actor, outage_id: UUID) -> dict[str, Any]:
    """One outage with its history."""
    found = outages.get_readable(session, actor, outage_id)
    return {**outages.as_json(actor, found), "history": outages.history_of(session, found)}


@bp.put("/outages/<uuid:outage_id>")
@gate(Verb.SYSTEM_CONFIGURE)
@answers(Outage)
@refuses(409)
@bp.input(OutageBody, arg_name="body")
def enter_outage(session: Session, actor: Actor, outage_id: UUID, body: OutageBody) -> dict[str, Any]:
    """Enter an outage (系统故障), or correct it; within minutes the server moves the deadlines that fell into it."""
    region = region_of(session, body.region) if body.region is not None else None
    place = (region.area1, region.area2, region.area3) if region is not None else ()
    found = outages.enter(session, actor, outage_id, place, body.model_dump(exclude={"region"}))
    return outages.as_json(actor, found)


@bp.post("/outages/<uuid:outage_id>/actions/withdraw")
@gate(Verb.SYSTEM_CONFIGURE)
@answers(Outage)
@refuses(409)
@bp.input(WithdrawBody, arg_name="body")
def withdraw_outage(session: Session, actor: Actor, outage_id: UUID, body: WithdrawBody) -> dict[str, Any]:
    """Take back an outage; deadlines go back to their own day, unless that is over already."""
    found = outages.withdraw(session, actor, outage_id, body.model_dump())
    return outages.as_json(actor, found)
