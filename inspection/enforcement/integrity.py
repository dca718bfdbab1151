"""Whether law enforcement papers still say what their history records (`history verify`)."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.integrity import broken_end, in_chunks, is_last_row, verify_presence
from inspection.enforcement.content import says
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.workflows import PAPER


def verify(session: Session, chunk: int = 500) -> Iterator[Broken]:
    """Each paper that stands elsewhere or says something else than its history, or is gone.

    A paper is read with its last entry by one statement, so that concurrent steps raise no false alarm. What was
    erased by law is skipped.
    """
    statement = (
        select(EnforcementPaper, HistoryEntry, HistoryPayload.payload)
        .select_from(EnforcementPaper)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == EnforcementPaper.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    )
    for rows in in_chunks(session, statement, EnforcementPaper, chunk):
        for paper, entry, payload in rows:
            reason = broken_end(paper.status, paper.version, entry)
            if reason is None and payload is not None and not says(paper, payload.get("content")):
                reason = "content of the paper was changed"
            if reason:
                yield Broken(PAPER.subject_type, paper.id, entry.seq if entry else 0, reason)
    yield from verify_presence(session, PAPER.subject_type, EnforcementPaper)
