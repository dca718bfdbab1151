"""Drafts (暂存): saved under the phone's id, saved again, deleted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.workflows import idempotency
from inspection.models import Inspection
from inspection.records.access import get_own, get_writable, refreshed, refuse_submitted, refuse_written
from inspection.records.content import subject_of
from inspection.submissions import attachments
from inspection.submissions.authors import Author
from inspection.submissions.claiming import claim
from inspection.submissions.sent import Sent
from inspection.submissions.storing import move_draft, store
from inspection.submissions.validation import Tools, validate_early, validate_in_turn
from inspection.workflows import DELETED


def save_draft(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save a draft; returns the record and whether it is new. Steps and refusals are the first ones of `submit`."""
    sent = Sent(Author.of(actor), record_type, record_id, body, submit=False)
    early = validate_early(session, tools, sent)
    claimed = claim(session, sent, None)
    draft = get_writable(session, actor, record_type, record_id) if claimed.exists else None
    if draft is not None and claimed.repeated:
        return draft, False
    refuse_written(draft, body)
    validated = validate_in_turn(session, tools, sent, draft, early)
    return store(session, tools, actor, sent, draft, validated), draft is None


def delete_draft(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """Delete an own draft (删除); it stays in the database and is seen no more. Deleting it again is answered alike."""
    record = get_own(session, actor, record_type, record_id)
    if record.status != DELETED:
        refuse_submitted(record)
        # Of several who delete it at this moment one goes on; the others wait for it here.
        if idempotency.claim(session, idempotency.key(actor.user_id, f"{record_type}.delete", record_id, {})):
            move_draft(session, actor, record, "delete", {"updated_at": clock.now()}, {})
        attachments.release_dropped(session, subject_of(record_type, record_id), frozenset())
        record = refreshed(session, record)
    return record
