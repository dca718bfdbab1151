"""Submitting a record (提交), step by step: find → repeated? → version → validate → duplicates → store → notify."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from enterprise import register_changes
from inspection import record_todos
from inspection.models import Inspection
from inspection.records.access import get_writable, refuse_written
from inspection.statistics import tallies
from inspection.submissions.authors import Author
from inspection.submissions.claiming import claim
from inspection.submissions.duplicates import find_duplicates, refuse_duplicates
from inspection.submissions.publishing import publish
from inspection.submissions.sent import Sent
from inspection.submissions.storing import store
from inspection.submissions.validation import Tools, validate_early, validate_in_turn


def submit(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Submit a record, with or without a draft before; returns it, and whether it is new.

    Refuses in the order of the HTTP contract §1: 404; 409 `handed_over`; a repetition is answered with the record as it
    is now; 409 `already_submitted`, `stale_version`; 422 with all faults of the body; 409 `name_differs` when the
    register knows the enterprise under another name, unless the body says `confirm_name`; 422 `sheet_taken` when
    another record has the number of the sampling sheet; 409 `duplicate_check` when the enterprise has such a check of
    that day, unless the body says `confirm_duplicate`.
    """
    sent = Sent(Author.of(actor), record_type, record_id, body, submit=True)
    # Most of the work is done before anything is locked, because on SQLite one transaction at a time writes.
    early = validate_early(session, tools, sent)
    # Claiming only collects answers; they are acted on in the order below.
    claimed = claim(session, sent, early.duplicate_search)

    # find → repeated? → version
    draft = get_writable(session, actor, record_type, record_id) if claimed.exists else None
    if draft is not None and claimed.repeated:
        return draft, False
    refuse_written(draft, body)

    # validate
    validated = validate_in_turn(session, tools, sent, draft, early)
    validated.sheet_number.refuse_taken(session, record_id)

    # duplicates
    search, found = validated.duplicate_search, claimed.duplicates
    if search is not None:
        if validated is not early.validated:
            found = find_duplicates(session, search)
        refuse_duplicates(session, search, found, body)
    tally = tallies.add(session, validated.tally, validated.counts)
    if search is not None and tally.records != (found.tally_records or 0) + validated.counts.records:
        # Another check of this enterprise was submitted since they were looked for; from here on the tally is locked.
        refuse_duplicates(session, search, find_duplicates(session, search), body)

    # store
    record = store(session, tools, actor, sent, draft, validated, tally.id)

    # notify
    publish(session, record, validated)
    record_todos.open_and_close(session, record)
    register_changes.note(session, record.uscc)
    return record, draft is None
