"""Applications for corrections (更正申请): read by their senders, decided by superiors of the record's office."""

from datetime import date, datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.workflows import history
from inspection import models
from inspection.corrections import request_queries
from inspection.corrections import requests as correction_requests
from miniapp_api.accounts.users import OfficeName
from miniapp_api.http.answers import Answer, AnswerValue, HistoryRow, Page, absent, answers
from miniapp_api.http.bodies import AsSent, AtOnceQuery, EmptyBody, PageQuery
from miniapp_api.http.filters import ProductCode
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_answers import FilledForm, Mark, RecordKind, RecordStatus

bp = APIBlueprint("correction_requests", __name__, tag="Inspection")

RequestStatus = Literal["pending", "approved", "rejected", "withdrawn"]


class RequestedRecord(Answer):
    """The record that an application is about, as it is now."""

    id: UUID
    type: Literal["inspection", "spot_check"]
    kind: RecordKind
    product_code: ProductCode
    product_name: str
    org_name: str | None
    check_date: date | None
    office: OfficeName
    status: RecordStatus
    version: int


class Decision(Mark):
    """How an application was decided, and by whom."""

    opinion: str | None = Field(description="null where it was accepted")


class CorrectionRequestRow(Answer):
    """An application for a correction (更正申请) in a list."""

    about = "correction_request"

    id: UUID
    status: RequestStatus
    version: int
    record: RequestedRecord
    base_version: int = Field(description="of the record, when the application was sent")
    outdated: bool = Field(description="whether the record changed since, so that it cannot be accepted any more")
    reason: str
    requested: Mark
    decided: Decision | None
    actions: list[Literal["approve", "reject", "withdraw", "read"]] = Field(description="what the caller may do now")
    created_at: datetime
    updated_at: datetime


class Difference(Answer):
    """A place at which both versions differ."""

    path: str = Field(description="JSON Pointer into the record")
    label: str = Field(description="as the form calls it")
    before: AnswerValue | None = Field(description="null: nothing")
    after: AnswerValue | None = Field(description="null: nothing")


class CorrectionRequest(CorrectionRequestRow):
    """An application for a correction, with both versions beside each other."""

    confirmed: list[Literal["confirm_duplicate", "confirm_name"]] = Field(
        description="questions that whoever applied answered with yes"
    )
    before: FilledForm
    after: FilledForm
    differences: list[Difference] = Field(description="in the order of the form")


class CorrectionRequestMove(HistoryRow):
    """A move of an application for a correction."""

    about = "correction_request"

    model_config = ConfigDict(extra="forbid")

    reason: str = absent("why the record has to be corrected")
    record: UUID = absent("the record that it is about")
    opinion: str = absent("why it was refused")
    asked: str = absent("digest of what is asked, and how it was decided")


class RequestsQuery(PageQuery):
    """Filters of the list."""

    status: RequestStatus | None = None


class ApprovalBody(AsSent):
    """Confirmations that became necessary after the application was sent."""

    confirm_duplicate: bool | None = None
    confirm_name: bool | None = None


class RejectionBody(AsSent):
    """Why the application is refused."""

    opinion: str | None = Field(None, description="required; at most 500 characters")


def _answer(session: Session, request: models.CorrectionRequest, actor: Actor) -> dict[str, Any]:
    return request_queries.request_answer(session, request, actor, wiring().forms)


@bp.get("/correction-requests")
@gate(Verb.INSPECTION_READ)
@answers(Page[CorrectionRequestRow])
@bp.input(RequestsQuery, location="query", arg_name="query")
def list_correction_requests(session: Session, actor: Actor, query: RequestsQuery) -> dict[str, Any]:
    """Applications that the caller sent, took over from a colleague who left, or may decide; newest first."""
    page = request_queries.requests(session, actor, query.status, query.request())
    return page.as_json(partial(request_queries.row_as_json, session=session, actor=actor))


@bp.get("/correction-requests/<uuid:request_id>")
@gate(Verb.INSPECTION_READ)
@answers(CorrectionRequest)
def read_correction_request(session: Session, actor: Actor, request_id: UUID) -> dict[str, Any]:
    """One application with both versions (`before`, `after`) and the places at which they differ."""
    return _answer(session, request_queries.get_readable(session, actor, request_id), actor)


@bp.get("/correction-requests/<uuid:request_id>/history")
@gate(Verb.INSPECTION_READ)
@answers(Page[CorrectionRequestMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def history_of_correction_request(
    session: Session, actor: Actor, request_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """The moves of an application, oldest first."""
    request = request_queries.get_readable(session, actor, request_id)
    return history.page(session, request.id, query.request()).as_json(history.as_json)


@bp.post("/correction-requests/<uuid:request_id>/approve")
@gate(Verb.INSPECTION_WRITE)
@answers(CorrectionRequest)
@bp.input(ApprovalBody, arg_name="body")
def approve_correction_request(session: Session, actor: Actor, request_id: UUID, body: ApprovalBody) -> dict[str, Any]:
    """Accept it: the record becomes what was applied for; 409 `stale_version` where the record changed meanwhile."""
    sent = body.model_dump(exclude_none=True)
    return _answer(session, correction_requests.approve(session, wiring().tools, actor, request_id, sent), actor)


@bp.post("/correction-requests/<uuid:request_id>/reject")
@gate(Verb.INSPECTION_WRITE)
@answers(CorrectionRequest)
@bp.input(RejectionBody, arg_name="body")
def reject_correction_request(session: Session, actor: Actor, request_id: UUID, body: RejectionBody) -> dict[str, Any]:
    """Refuse it with an opinion; whoever applied gets a to-do."""
    sent = body.model_dump(exclude_none=True)
    return _answer(session, correction_requests.reject(session, actor, request_id, sent), actor)


@bp.post("/correction-requests/<uuid:request_id>/withdraw")
@gate(Verb.INSPECTION_WRITE)
@answers(CorrectionRequest)
@bp.input(EmptyBody, arg_name="body")
def withdraw_correction_request(session: Session, actor: Actor, request_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Withdraw an own application before it is decided."""
    return _answer(session, correction_requests.withdraw(session, actor, request_id), actor)


@bp.post("/correction-requests/<uuid:request_id>/read")
@gate(Verb.INSPECTION_WRITE)
@answers(CorrectionRequest)
@bp.input(EmptyBody, arg_name="body")
def read_refusal_of_correction_request(
    session: Session, actor: Actor, request_id: UUID, body: EmptyBody
) -> dict[str, Any]:
    """Mark the refusal of an own application as read: closes its to-do."""
    return _answer(session, correction_requests.read(session, actor, request_id), actor)
