"""Offices (机关) in the history: what they see and whom they stand below is changed by a step, or `verify` shows it.

An office has neither status nor version: it is open, or closed since a day, and its rows of the history count up. The
offices of enterprises have no history: all that they say follows from the register (`enterprise/integrity.py`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office, OfficeKind, OfficeRegion
from core.db import Database
from core.models import HistoryEntry
from core.workflows import history
from core.workflows.history import Move
from core.workflows.witnesses import Witness

SUBJECT = "office"
CREATE, WITNESS = "create", "witness"

OFFICE = Witness(
    "office",
    (
        "id", "kind", "name", "level", "parent_id", "region_code", "areas", "arriving", "absorbed", "enterprise_id",
        "hotline", "closed_on", "covers",
    ),
)  # fmt: skip
"""`covers`: codes in `office_regions`, from which `areas` is derived anew at the next reorganisation."""

COLUMNS = [getattr(Office, name) for name in OFFICE.columns if name != "covers"]
WITH_REGIONS = select(*COLUMNS, OfficeRegion.region_code.label("covered")).outerjoin(
    OfficeRegion, OfficeRegion.office_id == Office.id
)
"""Each office once for each region that it covers, or once."""
NOT_OF_ENTERPRISE = Office.kind.not_in((OfficeKind.ENTERPRISE.value, OfficeKind.REGISTRANT.value))


def witnessed(rows: Sequence[Any]) -> dict[str, Any]:
    """What the digest is of: the rows of `WITH_REGIONS` about one office."""
    one = rows[0]._mapping
    covers = sorted(row.covered for row in rows if row.covered is not None)
    return {**{name: one[name] for name in OFFICE.columns if name != "covers"}, "covers": covers}


def standing(session: Session, ids: Collection[UUID] | None = None) -> dict[UUID, dict[str, Any]]:
    """Offices as they stand in the tables: those named, or all but enterprises'."""
    chosen = WITH_REGIONS.where(NOT_OF_ENTERPRISE if ids is None else Office.id.in_(ids))
    rows: dict[UUID, list[Any]] = {}
    for row in session.execute(chosen):
        rows.setdefault(row.id, []).append(row)
    return {office_id: witnessed(of_office) for office_id, of_office in rows.items()}


def created(session: Session, office_id: UUID) -> None:
    """Append the first row of an office that was made in this transaction."""
    _append(session, office_id, CREATE, standing(session, [office_id])[office_id], {})


@contextmanager
def changing(
    session: Session, action: str, payload: Mapping[str, Any], ids: Collection[UUID] | None = None
) -> Iterator[None]:
    """Hold the offices, or all, while some are changed, and append a row to the history of each that was."""
    held = select(Office.id).where(NOT_OF_ENTERPRISE if ids is None else Office.id.in_(ids))
    session.execute(held.order_by(Office.id).with_for_update(key_share=True))
    before = standing(session, ids)
    yield
    session.flush()
    for office_id, after in sorted(standing(session, ids).items()):
        if after == before.get(office_id):
            continue
        recorded = history.last_payload(session, office_id).get(OFFICE.name)
        if office_id not in before and OFFICE.fits(recorded, after):
            continue  # made meanwhile, and its first row says all
        proven = recorded is None or office_id not in before or OFFICE.fits(recorded, before[office_id])
        marked = {} if proven else {history.FOUND_CHANGED: [OFFICE.name]}
        _append(session, office_id, action, after, {**payload, **marked})


def _append(
    session: Session, office_id: UUID, action: str, values: Mapping[str, Any], payload: Mapping[str, Any]
) -> None:
    last = None if action == CREATE else session.execute(
        select(HistoryEntry.seq, HistoryEntry.to_status)
        .where(HistoryEntry.subject_id == office_id)
        .order_by(HistoryEntry.seq.desc())
        .limit(1)
    ).first()  # fmt: skip
    before, version = (None, 1) if last is None else (last.to_status, last.seq + 1)
    now = "open" if values["closed_on"] is None else "closed"
    noted = {**payload, OFFICE.name: OFFICE.digest(values)}
    history.append(session, Move(SUBJECT, office_id, action, before, now, version, None, noted), first=last is None)


def witness_former(database: Database, batch: int = 200) -> int:
    """Note offices of releases up to 0.3, which had no history; how many.

    For the founding of the seals, as users: what stands in the tables then is taken for right. Doing it again changes
    nothing.
    """
    noted = 0
    without = (
        select(Office.id)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Office.id) & (HistoryEntry.seq == 1))
        .where(NOT_OF_ENTERPRISE, HistoryEntry.id.is_(None))
        .order_by(Office.id)
        .limit(batch)
    )
    while True:
        with database.write() as session:
            ids = session.scalars(without.with_for_update(of=Office, key_share=True)).all()
            for office_id, values in standing(session, ids).items():
                _append(session, office_id, WITNESS, values, {})
        noted += len(ids)
        if len(ids) < batch:
            return noted
