"""What records said before corrections (更正) replaced it; each correction notes in the history the digest of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from core.forms.sealing import moved, opened
from core.models import HistoryEntry, HistoryPayload
from core.workflows.contents import keyed_digest
from core.workflows.history import ERASE, Broken
from inspection.models import Inspection, InspectionVersion
from inspection.records.content import answers_place, subject_of, version_place
from inspection.workflows import WORKFLOWS

CORRECT = "correct"
_CONTENT = ("inspection_id", "version", "form_code", "form_version", "product_code", "reason", "data")
_VERSION, _DIGEST = "replaced_version", "replaced_content"

Stated = Mapping[tuple[UUID, int], str | None]
"""Digests by record and version; None where releases up to 0.3 noted none, or the payload was erased by law."""


def replaced(record: Inspection, reason: str) -> dict[str, Any]:
    """What a record says before a correction, as `InspectionVersion` keeps it."""
    return {
        "inspection_id": record.id, "version": record.version, "form_code": record.form_code,
        "form_version": record.form_version, "product_code": record.product_code, "reason": reason,
        "data": moved(record.data, answers_place(record.id), version_place(record.id, record.version)),
    }  # fmt: skip


def stated(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a version: its number and the keyed digest of what it says in clear."""
    clear = opened(columns["data"], version_place(columns["inspection_id"], columns["version"]))
    said = {**{name: columns[name] for name in _CONTENT}, "data": clear}
    return {_VERSION: columns["version"], _DIGEST: keyed_digest("inspection version", said)}


def stated_anew(session: Session, record_id: UUID) -> list[Mapping[str, Any]]:
    """The same of all versions of a record, for an erasure by law."""
    return [stated(_columns(row)) for row in _of(session, record_id)]


def unlike(session: Session, record_id: UUID) -> bool:
    """Whether a version of a record is not what its correction noted."""
    return bool(_changed(_recorded(session, [record_id]), _of(session, record_id)))


def verify(session: Session, chunk: int = 300) -> Iterator[Broken]:
    """Versions that are not what a correction noted, that none left, and that are gone.

    They never change and are committed with their history, so their history may be read afterwards.
    """
    statement = (
        select(InspectionVersion, Inspection.record_type)
        .join(Inspection, Inspection.id == InspectionVersion.inspection_id)
        .order_by(InspectionVersion.inspection_id, InspectionVersion.version)
        .limit(chunk)
    )
    after: ColumnElement[bool] = true()
    while True:
        rows = session.execute(statement.where(after)).all()
        recorded = _recorded(session, {row.InspectionVersion.inspection_id for row in rows})
        for version, record_type in rows:
            if _changed(recorded, [version]):
                reason = f"version {version.version}, which a correction replaced, was changed"
                yield Broken(*subject_of(record_type, version.inspection_id), version.version, reason)
        if len(rows) < chunk:
            break
        last = rows[-1].InspectionVersion
        same = InspectionVersion.inspection_id == last.inspection_id
        after = or_(
            InspectionVersion.inspection_id > last.inspection_id, same & (InspectionVersion.version > last.version)
        )
        session.expunge_all()
    yield from _gone(session)


def _gone(session: Session) -> Iterator[Broken]:
    there = exists().where(
        InspectionVersion.inspection_id == HistoryEntry.subject_id,
        InspectionVersion.version == HistoryEntry.version - 1,
    )
    types = [workflow.subject_type for workflow in WORKFLOWS.values()]
    of_records = HistoryEntry.subject_type.in_(types) & (HistoryEntry.action == CORRECT)
    for entry in session.scalars(select(HistoryEntry).where(of_records, ~there)):
        reason = f"version {entry.version - 1}, which this correction replaced, is gone"
        yield Broken(entry.subject_type, entry.subject_id, entry.seq, reason)


def _of(session: Session, record_id: UUID) -> list[InspectionVersion]:
    kept = select(InspectionVersion).where(InspectionVersion.inspection_id == record_id)
    return list(session.scalars(kept.execution_options(populate_existing=True)))


def _columns(row: InspectionVersion) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CONTENT}


def _recorded(session: Session, records: Collection[UUID]) -> Stated:
    rows = session.execute(
        select(HistoryEntry.subject_id, HistoryEntry.version, HistoryEntry.action, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id.in_(records), HistoryEntry.action.in_((CORRECT, ERASE)))
        # An erasure by law states the digests anew.
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq)
    )
    found: dict[tuple[UUID, int], str | None] = {}
    for subject_id, version, action, payload in rows:
        if payload is not None and _DIGEST in payload:
            found[subject_id, payload[_VERSION]] = payload[_DIGEST]
        elif action == CORRECT:
            found[subject_id, version - 1] = None
    return found


def _changed(recorded: Stated, rows: Iterable[InspectionVersion]) -> list[int]:
    """The numbers of those that no correction left so."""
    changed = []
    for row in rows:
        digest = recorded.get((row.inspection_id, row.version), "")
        if digest is not None and digest != stated(_columns(row))[_DIGEST]:
            changed.append(row.version)
    return changed
