"""Whether submitted records say what their history says they say."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.history import Broken
from core.integrity import broken_end, in_chunks, is_last_row, verify_presence
from core.models import HistoryEntry, HistoryPayload
from inspection.entry import content_digest, content_of, subject_of
from inspection.models import Inspection
from inspection.workflows import SUBMITTED, VOIDED, WORKFLOWS


def verify(session: Session) -> Iterator[Broken]:
    """Each record that does not fit its history, or is gone."""
    yield from _verify_contents(session)
    for workflow in WORKFLOWS.values():
        yield from verify_presence(session, workflow.subject_type, Inspection)


def _verify_contents(session: Session, chunk: int = 500) -> Iterator[Broken]:
    """Each record that is not at the version its history ends with, or was changed past the history.

    Record and last row are read by one statement, so that a record that moves meanwhile is no false
    alarm. A payload that was erased by law is passed over.
    """
    statement = (
        select(Inspection, HistoryEntry, HistoryPayload.payload)
        .select_from(Inspection)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Inspection.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    )
    for rows in in_chunks(session, statement, Inspection, chunk):
        for record, entry, payload in rows:
            reason = broken_end(record.status, record.version, entry)
            if reason is None and payload is not None and _changed(record, payload):
                reason = "content of the record was changed"
            if reason:
                yield Broken(*subject_of(record.book, record.id), entry.seq if entry else 0, reason)


def _changed(record: Inspection, payload: dict[str, object]) -> bool:
    if record.status not in (SUBMITTED, VOIDED):
        return False  # a deleted draft ends with a row that names no content
    return payload.get("content") != content_digest(content_of(record))
