"""What the history of a certificate notes of the tables beside it, so that `integrity.py` can compare them.

Each move notes a digest of the certificate's columns; a version the totals of its counters; a draw what the filing has
drawn then.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.workflows import history
from core.workflows.witnesses import Witness
from enterprise.certificates.models import Certificate, CertificateCounter, CounterDraw

STANDING = Witness(
    "standing",
    (
        "id", "kind", "number", "filing_id", "enterprise_id", "uscc", "org_name", "office_id", "issued_on",
        "valid_from", "valid_to", "status", "version", "versions",
    ),
)  # fmt: skip
"""Who holds and who issued it, until when: nobody gets one, or a longer one, by writing into the table."""


_UNSHOWN = (STANDING.name, "totals", "draws")


def columns_of(certificate: Certificate) -> dict[str, Any]:
    """The witnessed columns, as they stand."""
    return {name: getattr(certificate, name) for name in STANDING.columns}


def standing(certificate: Certificate) -> dict[str, str]:
    """For the payload of a move."""
    return {STANDING.name: STANDING.digest(columns_of(certificate))}


def totals(session: Session, certificate_id: UUID) -> list[list[Any]]:
    """Line, name and total of each counter."""
    counter = CertificateCounter
    asked = select(counter.line, counter.name, counter.total).where(counter.certificate_id == certificate_id)
    return [list(row) for row in session.execute(asked.order_by(counter.line, counter.name))]


def drawn(session: Session, certificate_id: UUID, filing_id: UUID) -> list[list[Any]]:
    """What a filing has drawn: line, name, asked, found and status of each draw."""
    of_filing = (CounterDraw.certificate_id == certificate_id, CounterDraw.filing_id == filing_id)
    return sorted(as_noted(one) for one in session.scalars(select(CounterDraw).where(*of_filing)))


def as_noted(draw: CounterDraw) -> list[Any]:
    """A draw as the history notes it."""
    return [draw.line, draw.name, draw.asked, -1 if draw.found is None else draw.found, draw.status]


def shown(row: Any) -> dict[str, Any]:
    """A row of the history as it is answered, without what is noted for `integrity.py` alone."""
    return {name: value for name, value in history.as_json(row).items() if name not in _UNSHOWN}
