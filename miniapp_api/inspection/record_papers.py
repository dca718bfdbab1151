"""The papers of checks and spot checks (打印): PDF, and the page behind the code on each of them."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files.models import File
from assets.paper.fonts import CharactersMissing, FontMissing
from core.actor import Actor
from core.errors import Problem, invalid
from core.prints import operations as prints
from inspection.models import Inspection
from inspection.printing import record_paper
from inspection.records import access
from miniapp_api.http.answers import RECORD, refuses, sends
from miniapp_api.http.gates import gate, public
from miniapp_api.http.limits import per_origin
from miniapp_api.http.pages import page
from miniapp_api.http.wiring import wiring
from miniapp_api.inspection.record_addresses import OF_CHECKS, OF_SPOT_CHECKS

bp = APIBlueprint("record_papers", __name__, tag="Inspection")
pages = APIBlueprint("print_pages", __name__, enable_openapi=False, template_folder="../templates")

PDF = "application/pdf"
MOST_LOOKS = "120 per minute"
"""Openings of `/v/{code}` from one line; somebody who guesses needs 2^127."""


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
        paper = record_paper.prepared(
            session, services.forms, record, services.settings.resolved_public_url, _signatures(session, record)
        )
    # Compiling takes long: the transaction is over before.
    try:
        content = paper.pdf(lambda key: b"".join(services.uploads.storage.chunks(key)[1]))
    except FontMissing as error:
        raise Problem("font_missing", str(error)) from error
    except CharactersMissing as error:
        raise invalid("/data", "character_missing", str(error)) from error
    response = Response(content, mimetype=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{paper.number}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _signatures(session: Session, record: Inspection) -> list[File]:
    """The drawn signatures of the record, in the order in which it names them."""
    named = [UUID(one) for one in record.data.get("signatures") or []]
    files = {file.id: file for file in session.scalars(select(File).where(File.id.in_(named)))}
    return [files[one] for one in named if one in files]


@pages.get("/v/<string:code>")
@public(transaction=False)
@per_origin(MOST_LOOKS)
def show_print(code: str) -> Response:
    """Whether a print is genuine and the newest (打印件核验): number, date, enterprise and digest, and no more."""
    services = wiring()
    with services.database.read() as session:
        found = prints.verify(session, record_paper.looks(services.forms), code[:64])
    response = page("print/verification.html", 200 if found else 404, found=found)
    response.headers["Cache-Control"] = "no-store"
    return response
