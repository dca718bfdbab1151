"""Whether submitted records, law enforcement papers and dictionary entries still say what their history records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from core.models import HistoryEntry, HistoryPayload
from core.workflows.contents import Attested, attest, of_earlier_releases
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, verify_presence, verify_said
from inspection.corrections import former_versions
from inspection.dictionaries.keeping import KEEPING
from inspection.dictionaries.keeping import content_of as content_of_entry
from inspection.dictionaries.models import DictionaryEntry
from inspection.enforcement import integrity as enforcement
from inspection.models import CorrectionRequest, Inspection
from inspection.records.content import (
    ASKED,
    CONTENT,
    asked_columns,
    content_digest,
    content_of,
    is_content,
    stored_digest,
    subject_of,
)
from inspection.workflows import REQUEST, SUBMITTED, VOIDED, WORKFLOWS


def verify(session: Session) -> Iterator[Broken]:
    """Each record, request, paper and dictionary entry that does not match its history, or is missing."""
    yield from _verify_contents(session)
    for workflow in WORKFLOWS.values():
        yield from verify_presence(session, workflow.subject_type, Inspection)
    yield from former_versions.verify(session)
    yield from verify_said(session, REQUEST, _changed_request)
    yield from enforcement.verify(session)
    yield from _verify_dictionaries(session)


def _verify_contents(session: Session, chunk: int = 500) -> Iterator[Broken]:
    """Each record whose status, version or content is not that of its last history entry.

    A record is read with that entry by one statement, so that concurrent steps raise no false alarm. Payloads that
    were erased by law are skipped.
    """
    statement = (
        select(Inspection, HistoryEntry, HistoryPayload.payload)
        .select_from(Inspection)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == Inspection.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    )
    for rows in in_chunks(session, statement, Inspection, chunk):
        attested = Attested(session, [payload.get("content") for _, _, payload in rows if payload is not None])
        for record, entry, payload in rows:
            reason = broken_end(record.status, record.version, entry)
            if reason is None and payload is not None and _changed(record, payload, attested):
                reason = "content of the record was changed"
            if reason:
                yield Broken(*subject_of(record.record_type, record.id), entry.seq if entry else 0, reason)


def _changed(record: Inspection, payload: dict[str, object], attested: Attested) -> bool:
    if record.status not in (SUBMITTED, VOIDED):
        return False  # the last history entry of a deleted draft holds no digest
    return not is_content(payload.get("content"), content_of(record), record.id, attested)


def _changed_request(request: CorrectionRequest, payload: Mapping[str, Any]) -> str | None:
    recorded = payload.get(ASKED.name)  # releases up to 0.3 noted none
    fits = recorded is None or ASKED.fits(recorded, asked_columns(request))
    return None if fits else "what was asked or decided was changed"


def attest_contents(connection: Connection, ids: Sequence[UUID]) -> None:
    """Keep the digests of records whose personal data is about to be sealed anew."""
    names = (*CONTENT, "name_differs")
    asked = select(Inspection.id, *(getattr(Inspection, name) for name in names)).where(Inspection.id.in_(ids))
    rows = [dict(row) for row in connection.execute(asked).mappings() if of_earlier_releases(row["data"])]
    attest(connection, [(stored_digest(row), content_digest(row, row["id"])) for row in rows])


def _verify_dictionaries(session: Session, chunk: int = 1000) -> Iterator[Broken]:
    """Each entry that differs from its history, or is missing; an entry that nobody changed has no history."""
    statement = (
        select(DictionaryEntry, HistoryEntry, HistoryPayload.payload)
        .select_from(DictionaryEntry)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == DictionaryEntry.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    )
    for rows in in_chunks(session, statement, DictionaryEntry, chunk):
        for item, last, payload in rows:
            if last is None and item.version == 1:
                continue
            reason = broken_end(item.status, item.version, last)
            if reason is None and payload is not None and payload.get("content") != content_of_entry(item):
                reason = "content of the word was changed"
            if reason:
                yield Broken(KEEPING.subject_type, item.id, last.seq if last else 0, reason)
    yield from verify_presence(session, KEEPING.subject_type, DictionaryEntry)
