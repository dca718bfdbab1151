"""Certificates (证书、证明、许可证): lists, one whole, its versions, moves and draws, its print."""

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS
from core.actor import Actor
from core.workflows import history
from enterprise.certificates import answers as certificate_answers
from enterprise.certificates import noted, printing
from enterprise.filings.results import certificate_readers
from enterprise.filings.results.certificate_readers import CertificateFilters
from miniapp_api.enterprise.certificate_answers import (
    CertificateDraw,
    CertificateMove,
    CertificateSaid,
    CertificateWhole,
)
from miniapp_api.enterprise.certificate_rows import CertificateRow
from miniapp_api.http.answers import Page, answers, sends
from miniapp_api.http.bodies import AtOnceQuery, PageQuery
from miniapp_api.http.gates import gate
from miniapp_api.http.papers import PDF, as_pdf
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("certificates", __name__, tag="Filings")


class CertificatesQuery(PageQuery):
    """Filters of the list; `q` is a number, or a fragment of the holder's name. `status`: one of its kind's, or
    `expired`."""

    kind: str | None = Field(None, max_length=40)
    status: str | None = Field(None, max_length=30)
    q: str | None = Field(None, max_length=100)


@bp.get("/certificates")
@gate(*FILING_VERBS, in_system=True)
@answers(Page[CertificateRow])
@bp.input(CertificatesQuery, location="query", arg_name="query")
def list_certificates(session: Session, actor: Actor, query: CertificatesQuery) -> dict[str, Any]:
    """Certificates, newest first: the own ones of an enterprise, those that the caller's posts have to do with."""
    engine = wiring().filings
    filters = CertificateFilters(query.kind, query.status, query.q)
    page = certificate_readers.certificates(session, engine, actor, filters, query.request())
    kinds = engine.kinds.certificates
    offices = certificate_answers.office_names(session, [row.Certificate for row in page.items])
    return page.as_json(
        lambda row: certificate_answers.row_answer(kinds[row.Certificate.kind], row.Certificate, offices)
    )  # fmt: skip


@bp.get("/certificates/<uuid:certificate_id>")
@gate(*FILING_VERBS, in_system=True)
@answers(CertificateWhole)
def read_certificate(session: Session, actor: Actor, certificate_id: UUID) -> dict[str, Any]:
    """What a certificate says now, with the counters of its lines."""
    engine = wiring().filings
    found = certificate_readers.get_certificate(session, engine, actor, certificate_id)
    return certificate_answers.whole_answer(session, engine.forms, engine.kinds.certificates[found.kind], found)


@bp.get("/certificates/<uuid:certificate_id>/versions")
@gate(*FILING_VERBS, in_system=True)
@answers(Page[CertificateSaid])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_certificate_versions(
    session: Session, actor: Actor, certificate_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """What it said, the oldest version first."""
    engine = wiring().filings
    found = certificate_readers.get_certificate(session, engine, actor, certificate_id)
    page = certificate_readers.versions(session, found, query.request())
    return page.as_json(lambda row: certificate_answers.version_answer(engine.forms, row.CertificateVersion))


@bp.get("/certificates/<uuid:certificate_id>/draws")
@gate(*FILING_VERBS, in_system=True)
@answers(Page[CertificateDraw])
@bp.input(PageQuery, location="query", arg_name="query")
def list_certificate_draws(session: Session, actor: Actor, certificate_id: UUID, query: PageQuery) -> dict[str, Any]:
    """What was drawn on its counters (核销记录), newest first."""
    found = certificate_readers.get_certificate(session, wiring().filings, actor, certificate_id)
    page = certificate_readers.draws(session, found, query.request())
    return page.as_json(lambda row: certificate_answers.draw_answer(row.CounterDraw, row.Filing))


@bp.get("/certificates/<uuid:certificate_id>/history")
@gate(*FILING_VERBS, in_system=True)
@answers(Page[CertificateMove])
@bp.input(AtOnceQuery, location="query", arg_name="query")
def list_certificate_history(
    session: Session, actor: Actor, certificate_id: UUID, query: AtOnceQuery
) -> dict[str, Any]:
    """Its moves, oldest first: issued, amended, drawn on, ended."""
    found = certificate_readers.get_certificate(session, wiring().filings, actor, certificate_id)
    return history.page(session, found.id, query.request()).as_json(noted.shown)


@bp.get("/certificates/<uuid:certificate_id>/print.pdf")
@gate(*FILING_VERBS, transaction=False, in_system=True)
@sends(PDF, about="certificate")
def print_certificate(actor: Actor, certificate_id: UUID) -> Response:
    """Its print, with a code that leads to `/v/{code}`; one that has ended or is over says so and has none."""
    services = wiring()
    engine = services.filings
    with services.database.write() as session:
        found = certificate_readers.get_certificate(session, engine, actor, certificate_id)
        kind = engine.kinds.certificates[found.kind]
        paper = printing.prepared(session, engine.forms, kind, found, services.settings.resolved_public_url)
    return as_pdf(paper)
