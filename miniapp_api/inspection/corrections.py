"""What changes a submitted check or spot check: corrections, applications for them, returning, voiding."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection.corrections import correcting, request_queries, returning, voiding
from inspection.corrections import requests as correction_requests
from inspection.submissions import read_only
from miniapp_api.http.answers import answers
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.correction_requests import CorrectionRequest
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS
from miniapp_api.inspection.record_answers import Record, record_answer, written_answer
from miniapp_api.inspection.record_bodies import CorrectionBody, CorrectionRequestBody, ReturnBody, VoidBody

bp = APIBlueprint("corrections", __name__, tag="Inspection")


@bp.put("/inspections/<uuid:record_id>/correction", endpoint="inspections_correct", defaults=OF_CHECKS)
@bp.put("/spot-checks/<uuid:record_id>/correction", endpoint="spot_checks_correct", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(Record)
@bp.input(CorrectionBody, arg_name="body")
def correct(session: Session, actor: Actor, record_type: str, record_id: UUID, body: CorrectionBody) -> dict[str, Any]:
    """Correct (更正) a submitted record, with a reason; the old version stays readable."""
    before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
    record = correcting.correct(session, wiring().tools, actor, record_type, record_id, body.root)
    return written_answer(record, actor, body.root, before)


@bp.post("/inspections/<uuid:record_id>/correction-requests", endpoint="inspections_ask_correction", defaults=OF_CHECKS)
@bp.post(
    "/spot-checks/<uuid:record_id>/correction-requests", endpoint="spot_checks_ask_correction", defaults=OF_SPOT_CHECKS
)
@gate(Verb.INSPECTION_WRITE)
@answers(CorrectionRequest, 200, 201)
@bp.input(CorrectionRequestBody, arg_name="body")
def ask_correction(
    session: Session, actor: Actor, record_type: str, record_id: UUID, body: CorrectionRequestBody
) -> tuple[dict[str, Any], int]:
    """Apply for a correction (更正申请) when the time in which the owner may correct is over."""
    request, new = correction_requests.apply_for_correction(
        session, wiring().tools, actor, record_type, record_id, body.root
    )
    return request_queries.request_answer(session, request, actor, wiring().forms), 201 if new else 200


@bp.post("/inspections/<uuid:record_id>/return", endpoint="inspections_return", defaults=OF_CHECKS)
@bp.post("/spot-checks/<uuid:record_id>/return", endpoint="spot_checks_return", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(Record)
@bp.input(ReturnBody, arg_name="body")
def send_back(session: Session, actor: Actor, record_type: str, record_id: UUID, body: ReturnBody) -> dict[str, Any]:
    """Send a record back for correction (退回更正): a to-do for its owner, who may then correct it once."""
    sent = body.model_dump(exclude_none=True)
    return record_answer(returning.send_back(session, actor, record_type, record_id, sent), actor)


@bp.post("/inspections/<uuid:record_id>/void", endpoint="inspections_void", defaults=OF_CHECKS)
@bp.post("/spot-checks/<uuid:record_id>/void", endpoint="spot_checks_void", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(Record)
@bp.input(VoidBody, arg_name="body")
def void(session: Session, actor: Actor, record_type: str, record_id: UUID, body: VoidBody) -> dict[str, Any]:
    """Void (作废) a submitted record, with a reason: it stays readable, marked, and counts nowhere any more."""
    sent = body.model_dump(exclude_none=True)
    return record_answer(voiding.void(session, actor, record_type, record_id, sent), actor)
