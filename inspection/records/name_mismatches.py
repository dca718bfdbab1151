"""Submitted records under whose code the register has another name (`./manage inspections other-names`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.workflows.integrity import in_chunks
from enterprise.models import Enterprise
from enterprise.production.models import SupervisionCheck
from inspection.kinds import SPOT_CHECK
from inspection.models import Inspection
from inspection.submissions.register_checks import CHECKED, PRODUCER, Registered
from inspection.workflows import SUBMITTED

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NameMismatch:
    """A record, the name beside a code, and the one in the register; `published`: that enterprise reads the record."""

    record: Inspection
    field: str
    sent: str
    registered: str
    published: bool


def name_mismatches(session: Session) -> Iterator[NameMismatch]:
    """Each of them, by the register as it is now: the enterprises checked first, then nominal producers."""
    submitted = Inspection.status == SUBMITTED
    checked: Any = (
        select(Inspection, SupervisionCheck.id)
        .join(Enterprise, Enterprise.uscc == Inspection.uscc)
        .outerjoin(SupervisionCheck, SupervisionCheck.id == Inspection.id)
        .where(submitted, Inspection.org_name != Enterprise.name)
    )
    for rows in in_chunks(session, checked, Inspection, _AT_ONCE):
        for record, published in rows:
            named = dict(zip(CHECKED, (record.uscc, record.org_name), strict=True))
            found = Registered.find(session, named, CHECKED)
            if found is not None and found.differs_from(named):
                yield NameMismatch(record, CHECKED[1], record.org_name, found.name, published is not None)
    sampled = select(Inspection).where(submitted, Inspection.record_type == SPOT_CHECK)
    for rows in in_chunks(session, sampled, Inspection, _AT_ONCE):
        for (record,) in rows:
            found = Registered.find(session, record.data, PRODUCER)
            if found is not None and found.differs_from(record.data):
                yield NameMismatch(record, PRODUCER[1], record.data[PRODUCER[1]], found.name, False)
