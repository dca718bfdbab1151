"""Of whom a filing is (申请人): an enterprise of the register, or who registered: an organisation or a person."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enterprise.filings.declaring.kinds import ApplicantKind
from enterprise.filings.models import Filing
from enterprise.models import REGISTRATION, Enterprise


@dataclass(frozen=True, slots=True)
class Applicant:
    """What a filing says of its applicant: the code that it was registered with, none of a person."""

    kind: ApplicantKind
    uscc: str


def applicant_of(session: Session, enterprise: Enterprise) -> Applicant:
    """The applicant that a row of `enterprises` stands for; of who registered itself the first filing says it."""
    if enterprise.source != REGISTRATION:
        return Applicant("organisation", enterprise.uscc)
    first = select(Filing.uscc).where(Filing.enterprise_id == enterprise.id).order_by(Filing.created_at, Filing.id)
    uscc = session.scalar(first.limit(1)) or ""
    return Applicant("organisation" if uscc else "person", uscc)
