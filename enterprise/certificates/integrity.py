"""Whether certificates stand where their history ends, say what it says that they said, and count what was drawn."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from core.models import HistoryEntry
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, recorded_contents, verify_presence
from enterprise.certificates.counting import CONFIRMED, PENDING
from enterprise.certificates.models import Certificate, CertificateCounter, CertificateVersion, CounterDraw
from enterprise.certificates.register import SUBJECT, content_digest

CHUNK = 300


def verify_certificates(session: Session) -> Iterator[Broken]:
    """Each certificate, version and counter that does not fit its history or its draws, or is missing."""
    kept = select(func.count()).where(CertificateVersion.certificate_id == Certificate.id).correlate(Certificate)
    statement = select(Certificate, HistoryEntry, kept.scalar_subquery()).outerjoin(
        HistoryEntry, (HistoryEntry.subject_id == Certificate.id) & is_last_row()
    )
    for rows in in_chunks(session, statement, Certificate, CHUNK):
        for certificate, entry, count in rows:
            reason = broken_end(certificate.status, certificate.version, entry)
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
