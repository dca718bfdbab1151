"""The papers of checks and spot checks (打印): PDF, and editable Word."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from accounts.verbs import Verb
from core.actor import Actor
from inspection.printing import record_paper
from inspection.records import access
from miniapp_api.http.answers import RECORD, refuses, sends
from miniapp_api.http.gates import gate
from miniapp_api.http.papers import PDF, WORD, as_pdf, as_word
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS

bp = APIBlueprint("record_papers", __name__, tag="Inspection")


@bp.get("/inspections/<uuid:record_id>/record.pdf", endpoint="inspections_paper", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/record.pdf", endpoint="spot_checks_paper", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ, transaction=False)
@sends(PDF, about=RECORD)
@refuses(409)
def read_paper(actor: Actor, record_type: str, record_id: UUID) -> Response:
    """The paper of a record, as it stands now; a draft says 草稿 across and has no code."""
    services = wiring()
    with services.database.write() as session:
        record = access.get_readable(session, actor, record_type, record_id)
        paper = record_paper.prepared(session, services.forms, actor, record, services.settings.resolved_public_url)
    return as_pdf(paper)


@bp.get("/inspections/<uuid:record_id>/record.docx", endpoint="inspections_word", defaults=OF_CHECKS)
@bp.get("/spot-checks/<uuid:record_id>/record.docx", endpoint="spot_checks_word", defaults=OF_SPOT_CHECKS)
@gate(Verb.INSPECTION_READ, transaction=False)
@sends(WORD, about=RECORD)
def read_word(actor: Actor, record_type: str, record_id: UUID) -> Response:
    """The same paper as editable Word, without a code."""
    services = wiring()
    with services.database.read() as session:
        record = access.get_readable(session, actor, record_type, record_id)
        paper = record_paper.prepared(session, services.forms, actor, record, None)
    return as_word(paper)
