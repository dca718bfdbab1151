"""Whether the offices that stand for enterprises' own users (企业账号) are what the register makes them.

There is one for each enterprise with an account, and all that gives rights follows from the enterprise: the id from its
credit code (USCC), the region from its region; it covers nothing. So they need no history: what differs was changed.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from accounts.models import Office, OfficeKind, OfficeRegion, Region
from accounts.offices import enterprise_office_id
from core.workflows.history import Broken
from core.workflows.integrity import in_chunks
from enterprise.models import Enterprise

_ENTERPRISE = OfficeKind.ENTERPRISE.value
_REGISTRANT = OfficeKind.REGISTRANT.value
_COLUMNS: list[Any] = [Office, Enterprise.uscc, Enterprise.region_code]
_OFFICES = (
    select(*_COLUMNS, exists().where(OfficeRegion.office_id == Office.id))
    .select_from(Office)
    .outerjoin(Enterprise, Enterprise.id == Office.enterprise_id)
    # Those of registrants are verified with their registrations (`registrations/integrity.py`).
    .where(or_(Office.kind == _ENTERPRISE, Office.enterprise_id.is_not(None)), Office.kind != _REGISTRANT)
)


def verify(session: Session, chunk: int = 1000) -> Iterator[Broken]:
    """Each office of an enterprise that acts for another one, lies elsewhere, or covers regions."""
    for rows in in_chunks(session, _OFFICES, Office, chunk):
        # After the rows: regions may be replaced meanwhile, and both sides then mean the new one.
        replaced = select(Region.code, Region.successor_code).where(Region.successor_code.is_not(None))
        successors: dict[str, str | None] = {row[0]: row[1] for row in session.execute(replaced)}
        for office, uscc, region_code, covers in rows:
            reason = _reason(office, uscc, covers=covers)
            if reason is None and _now(office.region_code, successors) != _now(region_code, successors):
                reason = "it lies elsewhere than its enterprise"
            if reason:
                yield Broken("office", office.id, 0, reason)


def _reason(office: Office, uscc: str | None, *, covers: bool) -> str | None:
    if uscc is None or office.id != enterprise_office_id(uscc):
        return "it is not the office of its enterprise"
    plain: tuple[Any, ...] = (_ENTERPRISE, _ENTERPRISE, None, [], [], [])
    found = (office.kind, office.level, office.parent_id, office.areas, office.arriving, office.absorbed)
    return "it has rights that no enterprise has" if covers or found != plain else None


def _now(code: str | None, successors: dict[str, str | None]) -> str | None:
    seen: set[str] = set()
    while code in successors and code not in seen:
        seen.add(code)
        code = successors[code]
    return code
