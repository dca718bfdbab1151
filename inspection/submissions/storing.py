"""Storing what was validated: as a new record, or in the place of a draft."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from core import clock
from core.actor import Actor
from core.errors import Problem
from core.workflows.versions import stale
from inspection.models import Inspection
from inspection.records.access import get_writable, refreshed, refuse_submitted
from inspection.records.content import content_digest, subject_of
from inspection.submissions import attachments, sheet_numbers
from inspection.submissions.sent import Sent
from inspection.submissions.validated import Validated
from inspection.submissions.validation import Tools
from inspection.workflows import WORKFLOWS


def store(
    session: Session,
    tools: Tools,
    actor: Actor,
    sent: Sent,
    draft: Inspection | None,
    validated: Validated,
    tally_id: int | None = None,
) -> Inspection:
    """The record as it is stored now; `tally_id` is the tally in which a submitted one counts.

    422 `sheet_taken` when another record of that sampling sheet was submitted at this very moment.
    """
    now = clock.now()
    columns = {
        **validated.columns, "updated_at": now, "submitted_at": now if sent.submit else None, "tally_id": tally_id,
    }  # fmt: skip
    payload = {"content": content_digest(columns, sent.record_id)}
    try:
        if draft is None:
            return _create(session, actor, sent, {**columns, "created_at": now}, payload)
        move_draft(session, actor, draft, sent.action, columns, payload)
    except IntegrityError as error:
        raise sheet_numbers.taken(error) from error
    former = tools.forms.get(draft.form_code, draft.form_version).form
    if attachments.named(former, draft.data) - validated.files:
        attachments.release_dropped(session, subject_of(draft.record_type, draft.id), validated.files)
    return refreshed(session, draft)


def _create(
    session: Session, actor: Actor, sent: Sent, columns: Mapping[str, Any], payload: Mapping[str, Any]
) -> Inspection:
    flow = WORKFLOWS[sent.record_type]
    values = {"id": sent.record_id, "version": 1, **columns}
    if not flow.enter(session, actor, sent.action, values, payload):
        # Someone created it at this very moment, with another content: the first content holds.
        record = get_writable(session, actor, sent.record_type, sent.record_id)
        refuse_submitted(record)
        raise stale(record.version, None)
    # The row just inserted, not read back, and set past the mapper, which would track 33 changes.
    record = Inspection()
    instance_dict(record).update(values, status=flow.step(sent.action, None, actor).target)
    return record


def move_draft(
    session: Session,
    actor: Actor,
    draft: Inspection,
    action: str,
    columns: Mapping[str, Any],
    payload: Mapping[str, Any],
) -> None:
    """Take a step with a draft; submitted, deleted or handed over since it was read, it is refused as `submit` does."""
    try:
        WORKFLOWS[draft.record_type].move(session, actor, draft, action, columns, payload)
    except Problem:
        refuse_submitted(get_writable(session, actor, draft.record_type, draft.id))
        raise
