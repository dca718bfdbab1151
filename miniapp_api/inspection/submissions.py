"""Drafts (暂存) and submissions (提交) of checks and spot checks."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from inspection.submissions import drafts, read_only, submitting
from miniapp_api.http.answers import answers, refuses
from miniapp_api.http.gates import AfterCommit, gate
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS
from miniapp_api.inspection.record_answers import DeletedDraft, Record, written_answer
from miniapp_api.inspection.record_bodies import RecordBody, SubmissionBody

bp = APIBlueprint("submissions", __name__, tag="Inspection")


@bp.put("/inspections/<uuid:record_id>", endpoint="inspections_save_draft", defaults=OF_CHECKS)
@bp.put("/spot-checks/<uuid:record_id>", endpoint="spot_checks_save_draft", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(Record, 200, 201)
@bp.input(RecordBody, arg_name="body")
def save_draft(
    session: Session, actor: Actor, record_type: str, record_id: UUID, body: RecordBody
) -> tuple[dict[str, Any], int]:
    """Save a draft (暂存) under the phone's id."""
    before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
    record, new = drafts.save_draft(session, wiring().tools, actor, record_type, record_id, body.root)
    return written_answer(record, actor, body.root, before), 201 if new else 200


@bp.put("/inspections/<uuid:record_id>/submission", endpoint="inspections_submit", defaults=OF_CHECKS)
@bp.put("/spot-checks/<uuid:record_id>/submission", endpoint="spot_checks_submit", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(Record, 200, 201)
@bp.input(SubmissionBody, arg_name="body")
def submit(session: Session, actor: Actor, record_type: str, record_id: UUID, body: SubmissionBody) -> AfterCommit:
    """Save and submit (提交) in one step, with or without a draft before."""
    before = read_only.read_before(session, actor, record_type, record_id, wiring().forms, body.root)
    record, new = submitting.submit(session, wiring().tools, actor, record_type, record_id, body.root)
    return AfterCommit(lambda: (written_answer(record, actor, body.root, before), 201 if new else 200))


@bp.delete("/inspections/<uuid:record_id>", endpoint="inspections_delete_draft", defaults=OF_CHECKS)
@bp.delete("/spot-checks/<uuid:record_id>", endpoint="spot_checks_delete_draft", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_WRITE)
@answers(DeletedDraft)
@refuses(409)
def delete_draft(session: Session, actor: Actor, record_type: str, record_id: UUID) -> dict[str, Any]:
    """Delete an own draft."""
    record = drafts.delete_draft(session, actor, record_type, record_id)
    return {"id": str(record.id), "status": record.status}
