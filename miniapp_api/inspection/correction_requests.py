"""Applications for corrections (更正申请): seen by whoever sent them, decided by those who stand above the record."""

from functools import partial
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.workflows import history
from inspection.corrections import request_queries
from inspection.corrections import requests as correction_requests
from inspection.models import CorrectionRequest
from miniapp_api.http.bodies import AsSent, AtOnceQuery, EmptyBody, PageQuery
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("correction_requests", __name__, tag="Inspection")


class RequestsQuery(PageQuery):
    """Filters of the list."""

    status: Literal["pending", "approved", "rejected", "withdrawn"] | None = None


class ApprovalBody(AsSent):
    """Questions that have come up since it was asked, answered with yes."""

    confirm_duplicate: bool | None = None
    confirm_name: bool | None = None


class RejectionBody(AsSent):
    """Why the record stays as it is."""

    opinion: str | None = Field(None, description="required; at most 500 characters")


def _answer(session: Session, asked: CorrectionRequest, actor: Actor) -> dict[str, Any]:
    return request_queries.request_answer(session, asked, actor, wiring().forms)


@bp.get("/correction-requests")
@gate(Verb.INSPECTION_READ)
@bp.input(RequestsQuery, location="query", arg_name="query")
def list_correction_requests(session: Session, actor: Actor, query: RequestsQuery) -> dict[str, Any]:
    """Applications that the caller sent, took over from a colleague who left, or may decide, newest first."""
    page = request_queries.requests(session, actor, query.status, query.request())
    return page.as_json(partial(request_queries.row_as_json, session=session, actor=actor))


@bp.get("/correction-requests/<uuid:request_id>")
@gate(Verb.INSPECTION_READ)
def read_correction_request(session: Session, actor: Actor, request_id: UUID) -> dict[str, Any]:
    """Both versions beside each other (`before`, `after`), and the places at which they differ."""
    return _answer(session, request_queries.get_readable(session, actor, request_id), actor)


@bp.get("/correction-requests/<uuid:request_id>/history")
@gate(Verb.INSPECTION_READ)
@bp.input(AtOnceQuery, location="query", arg_name="query")
def history_of_correction_request(
    session: Session, actor: Actor, request_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """Its moves, oldest first."""
    asked = request_queries.get_readable(session, actor, request_id)
    return history.page(session, asked.id, query.request()).as_json(history.show_row)


@bp.post("/correction-requests/<uuid:request_id>/approve")
@gate(Verb.INSPECTION_WRITE)
@bp.input(ApprovalBody, arg_name="body")
def approve_correction_request(session: Session, actor: Actor, request_id: UUID, body: ApprovalBody) -> dict[str, Any]:
    """Accept it: the record says just what was asked for; 409 `stale_version` where the record changed meanwhile."""
    sent = body.model_dump(exclude_none=True)
    return _answer(session, correction_requests.approve(session, wiring().tools, actor, request_id, sent), actor)


@bp.post("/correction-requests/<uuid:request_id>/reject")
@gate(Verb.INSPECTION_WRITE)
@bp.input(RejectionBody, arg_name="body")
def reject_correction_request(session: Session, actor: Actor, request_id: UUID, body: RejectionBody) -> dict[str, Any]:
    """Refuse it with an opinion, of which whoever asked is told."""
    sent = body.model_dump(exclude_none=True)
    return _answer(session, correction_requests.reject(session, actor, request_id, sent), actor)


@bp.post("/correction-requests/<uuid:request_id>/withdraw")
@gate(Verb.INSPECTION_WRITE)
@bp.input(EmptyBody, arg_name="body")
def withdraw_correction_request(session: Session, actor: Actor, request_id: UUID, body: EmptyBody) -> dict[str, Any]:
    """Take an own application back before it was decided."""
    return _answer(session, correction_requests.withdraw(session, actor, request_id), actor)


@bp.post("/correction-requests/<uuid:request_id>/read")
@gate(Verb.INSPECTION_WRITE)
@bp.input(EmptyBody, arg_name="body")
def read_refusal_of_correction_request(
    session: Session, actor: Actor, request_id: UUID, body: EmptyBody
) -> dict[str, Any]:
    """Say that one has read why an own application was refused: closes its to-do."""
    return _answer(session, correction_requests.read(session, actor, request_id), actor)
