"""The papers of filings (办件打印): PDF and editable Word of what a kind declares one for."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from accounts.verbs import FILING_VERBS
from core.actor import Actor
from enterprise.filings.reading import papers
from miniapp_api.http.answers import refuses, sends
from miniapp_api.http.gates import gate
from miniapp_api.http.papers import PDF, WORD, as_pdf, as_word
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("filing_papers", __name__, tag="Filings")


@bp.get("/filings/<uuid:filing_id>/record.pdf")
@gate(*FILING_VERBS, transaction=False, by_query=True)
@sends(PDF, about="filing")
@refuses(409)
def read_filing_paper(actor: Actor, filing_id: UUID) -> Response:
    """The paper of a filing: complete and unsent it says 待签章 and has a code; incomplete, 草稿 and none."""
    services = wiring()
    with services.database.write() as session:
        paper = papers.prepared(session, services.filings, actor, filing_id, services.settings.resolved_public_url)
    return as_pdf(paper)


@bp.get("/filings/<uuid:filing_id>/record.docx")
@gate(*FILING_VERBS, transaction=False, by_query=True)
@sends(WORD, about="filing")
@refuses(409)
def read_filing_word(actor: Actor, filing_id: UUID) -> Response:
    """The same paper as editable Word, without a code."""
    services = wiring()
    with services.database.read() as session:
        paper = papers.prepared(session, services.filings, actor, filing_id, None)
    return as_word(paper)
