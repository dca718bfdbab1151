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
class OtherName:
    """A record, the name it has beside a code, and the register's; `told` whether that enterprise was told of it."""

    record: Inspection
    field: str
    sent: str
    registered: str
    told: bool


def contradicting(session: Session) -> Iterator[OtherName]:
    """Each of them, by the register as it is now: the enterprises checked first, then nominal producers."""
    submitted = Inspection.status == SUBMITTED
    checked: Any = (
        select(Inspection, SupervisionCheck.id)
        .join(Enterprise, Enterprise.uscc == Inspection.uscc)
        .outerjoin(SupervisionCheck, SupervisionCheck.id == Inspection.id)
        .where(submitted, Inspection.org_name != Enterprise.name)
    )
    for rows in in_chunks(session, checked, Inspection, _AT_ONCE):
        for record, told in rows:
            named = dict(zip(CHECKED, (record.uscc, record.org_name), strict=True))
            found = Registered.find(session, named, CHECKED)
            if found is not None and found.differs_from(named):
                yield OtherName(record, CHECKED[1], record.org_name, found.name, told is not None)
    sampled = select(Inspection).where(submitted, Inspection.record_type == SPOT_CHECK)
    for rows in in_chunks(session, sampled, Inspection, _AT_ONCE):
        for (record,) in rows:
            found = Registered.find(session, record.data, PRODUCER)
            if found is not None and found.differs_from(record.data):
                yield OtherName(record, PRODUCER[1], record.data[PRODUCER[1]], found.name, False)
