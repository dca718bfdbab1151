"""Whether certificates stand where their history ends, say what it says that they said, and count what was drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, recorded_contents, verify_presence
from enterprise.certificates.counting import CONFIRMED, PENDING
from enterprise.certificates.models import Certificate, CertificateCounter, CertificateVersion, CounterDraw
from enterprise.certificates.noted import STANDING, as_noted, columns_of
from enterprise.certificates.register import SUBJECT, content_digest

CHUNK = 300


def verify_certificates(session: Session) -> Iterator[Broken]:
    """Each certificate, version and counter that does not fit its history or its draws, or is missing."""
    kept = select(func.count()).where(CertificateVersion.certificate_id == Certificate.id).correlate(Certificate)
    statement = select(Certificate, HistoryEntry, kept.scalar_subquery()).outerjoin(
        HistoryEntry, (HistoryEntry.subject_id == Certificate.id) & is_last_row()
    )
    for rows in in_chunks(session, statement, Certificate, CHUNK):
        noted_of = _noted(session, {certificate.id for certificate, *_ in rows})
        yield from _beside(session, noted_of)
        for certificate, entry, count in rows:
            reason = broken_end(certificate.status, certificate.version, entry)
            if reason is None and not noted_of[certificate.id].fits(certificate):
                reason = "its holder, number or validity is not what its history says"
            if reason is None and count != certificate.versions:
                reason = f"{certificate.versions} versions were made, {count} are kept"
            if reason:
                yield Broken(SUBJECT, certificate.id, entry.seq if entry else 0, reason)
    said: Any = select(CertificateVersion, Certificate.number).join(Certificate)
    for rows in in_chunks(session, said, CertificateVersion, CHUNK):
        recorded = recorded_contents(session, {row.certificate_id for row, _ in rows}, "certificate_version", "content")
        for row, number in rows:
            if row.certificate_id not in recorded and recorded.get(row.id) != content_digest(number, row):
                yield Broken(SUBJECT, row.certificate_id, 0, f"version {row.number} is not what was issued")
    yield from _counters(session)
    yield from verify_presence(session, SUBJECT, Certificate)


@dataclass
class _Noted:
    """What the history of a certificate notes last, as far as its payloads were not erased."""

    erased: bool = False
    standing: Any = None
    totals: Any = None
    draws: dict[str, Any] = field(default_factory=dict)

    def fits(self, certificate: Certificate) -> bool:
        """Whether the certificate's columns are those of the last digest. None was noted before there was one."""
        return self.erased or self.standing is None or STANDING.fits(self.standing, columns_of(certificate))


def _noted(session: Session, ids: set[UUID]) -> dict[UUID, _Noted]:
    found = {one: _Noted() for one in ids}
    payloads = (
        select(HistoryEntry.subject_id, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id.in_(ids))
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq)
    )
    for certificate_id, payload in session.execute(payloads):
        one = found[certificate_id]
        if payload is None:
            one.erased = True
            continue
        one.standing = payload.get(STANDING.name, one.standing)
        one.totals = payload.get("totals", one.totals)
        if "draws" in payload:
            one.draws[payload["filing"]] = payload["draws"]
    return found


def _beside(session: Session, noted_of: dict[UUID, _Noted]) -> Iterator[Broken]:
    """Totals of counters that no version gave, and draws that no step made."""
    of_these = CertificateCounter.certificate_id.in_(noted_of)
    totals: dict[UUID, list[list[Any]]] = {}
    for one in session.scalars(select(CertificateCounter).where(of_these)):
        totals.setdefault(one.certificate_id, []).append([one.line, one.name, one.total])
    draws: dict[UUID, dict[str, list[list[Any]]]] = {}
    for draw in session.scalars(select(CounterDraw).where(CounterDraw.certificate_id.in_(noted_of))):
        draws.setdefault(draw.certificate_id, {}).setdefault(str(draw.filing_id), []).append(as_noted(draw))
    for certificate_id, noted in noted_of.items():
        if noted.erased or noted.standing is None:
            continue
        if sorted(totals.get(certificate_id, [])) != sorted(noted.totals or []):
            yield Broken(SUBJECT, certificate_id, 0, "the totals of its counters are not what its version says")
        drawn = draws.get(certificate_id, {})
        for filing_id in sorted({*drawn, *noted.draws}):
            if sorted(drawn.get(filing_id, [])) != sorted(noted.draws.get(filing_id, [])):
                yield Broken(SUBJECT, certificate_id, 0, f"what filing {filing_id} drew is not what its history says")


def _counters(session: Session) -> Iterator[Broken]:
    """Counters whose sums are not those of the draws."""
    drawn: Any = CounterDraw
    same = (
        (drawn.certificate_id == CertificateCounter.certificate_id)
        & (drawn.line == CertificateCounter.line)
        & (drawn.name == CertificateCounter.name)
    )
    pending = func.coalesce(func.sum(case((drawn.status == PENDING, drawn.asked), else_=0)), 0)
    used = func.coalesce(func.sum(case((drawn.status == CONFIRMED, drawn.found), else_=0)), 0)
    counted = (
        select(CertificateCounter.certificate_id, CertificateCounter.line, CertificateCounter.name)
        .outerjoin(drawn, same)
        .group_by(CertificateCounter.id)
        .having(
            or_(
                CertificateCounter.used != used,
                CertificateCounter.pending != pending,
                CertificateCounter.used + CertificateCounter.pending > CertificateCounter.total,
            )
        )
    )
    for row in session.execute(counted):
        yield Broken(SUBJECT, row.certificate_id, 0, f"counter {row.name} of line {row.line} is not what was drawn")
