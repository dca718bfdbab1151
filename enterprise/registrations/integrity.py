"""Whether registrations lead where their history says: whoever has a query code must not reach another filing by it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from accounts.models import Office, OfficeKind, OfficeRegion, User
from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, verify_presence
from enterprise.filings.models import Filing
from enterprise.models import REGISTRATION, Enterprise
from enterprise.registrations.models import Registered
from enterprise.registrations.workflows import LEADS, REGISTERED

_KIND = OfficeKind.REGISTRANT.value
_OF_FILING = aliased(Enterprise)
_ROWS = (
    select(
        Registered, HistoryEntry, HistoryPayload.payload, Filing.enterprise_id, _OF_FILING.uscc, _OF_FILING.source,
        Office, exists().where(OfficeRegion.office_id == Office.id),
    )
    .select_from(Registered)
    .join(Filing, Filing.id == Registered.filing_id)
    .join(_OF_FILING, _OF_FILING.id == Filing.enterprise_id)
    .join(User, User.id == Registered.user_id)
    .join(Office, Office.id == User.office_id)
    .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Registered.id) & is_last_row())
    .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
)  # fmt: skip
"""Each registration with its last step, its filing's applicant, and the office of its user."""


def verify(session: Session, chunk: int = 1000) -> Iterator[Broken]:
    """Each registration that leads to another filing or user, and each office of a registrant that is not as made."""
    for rows in in_chunks(session, _ROWS, Registered, chunk):
        for registered, entry, payload, *there in rows:
            reason = broken_end(registered.status, registered.version, entry)
            recorded = (payload or {}).get(LEADS.name)
            if reason is None and not LEADS.fits(recorded, _columns(registered)):
                reason = "where its query code leads was changed"
            applicant_id, uscc, source, office, covers = there
            reason = reason or _applicant_fault(registered, applicant_id, uscc, source)
            reason = reason or _office_fault(office, covers, applicant_id)
            if reason:
                yield Broken(REGISTERED.subject_type, registered.id, entry.seq if entry else 0, reason)
    yield from verify_presence(session, REGISTERED.subject_type, Registered)
    of_one = exists().where(User.office_id == Office.id, Registered.user_id == User.id)
    for office_id in session.scalars(select(Office.id).where(Office.kind == _KIND, ~of_one)):
        yield Broken("office", office_id, 0, "it is the office of no registration")


def _columns(registered: Registered) -> dict[str, Any]:
    return {name: getattr(registered, name) for name in LEADS.columns}


def _applicant_fault(registered: Registered, applicant_id: Any, uscc: str, source: str) -> str | None:
    if registered.status == "joined":
        joined = source != REGISTRATION and uscc == registered.code
        return None if joined else "its filing is not one of the organisation that joined it"
    return None if applicant_id == registered.applicant_id else "its filing has another applicant"


def _office_fault(office: Office, covers: bool, applicant_id: Any) -> str | None:
    plain: tuple[Any, ...] = (_KIND, _KIND, applicant_id, None, [], [], [])
    found = (
        office.kind, office.level, office.enterprise_id, office.parent_id, office.areas, office.arriving,
        office.absorbed,
    )  # fmt: skip
    return "its user has rights that no registrant has" if covers or found != plain else None
