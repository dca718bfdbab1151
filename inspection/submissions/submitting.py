"""What changes field records: drafts, submission, deletion. What changes a submitted one: `amendments.py`.

Every write is judged in the order of the HTTP contract §1: may not see it → 404; a repetition → the
record as it is now; submitted already → 409; stale → 409; faulty → 422.
"""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from core import clock, idempotency
from core.actor import Actor, Scope
from core.database.prepared import Prepared
from core.errors import Problem, not_found
from core.versions import sent_version, stale
from inspection.kinds import CHECK
from inspection.models import Inspection
from inspection.record_todos import begin
from inspection.records.access import find_readable, get_readable, refuse_handed_over
from inspection.records.preconditions import refuse_stale, refuse_submitted
from inspection.statistics import tallies
from inspection.submissions import attachments, duplicates, sheet_numbers
from inspection.submissions.authors import actor_columns
from inspection.submissions.publishing import publish
from inspection.submissions.validation import (
    Tools,
    Validated,
    answering_on,
    content_digest,
    form_meant,
    subject_of,
    validate,
)
from inspection.workflows import DELETED, WORKFLOWS

_DELETED_MEANWHILE = (
    "这条暂存记录已被删除（可能是在您的另一部手机上）；如需保留本机所填内容，请另存为新的记录（使用新的编号）后再提交"
)
_RECORDS = cast(Table, Inspection.__table__)
# Most records are new: asking for the id, along with the idempotency key, saves looking for a record in vain.
_THERE = select(_RECORDS.c.id).where(_RECORDS.c.id == bindparam("record")).scalar_subquery()
_TAKE_AND_LOOK = idempotency.claiming(there=_THERE)


@functools.lru_cache(maxsize=1024)
def _CLAIM_AND_FIND(scope: Scope) -> Prepared:
    return idempotency.claiming(there=_THERE, **duplicates.questions(scope))


def save_draft(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save a draft (暂存); returns the record and whether it is new."""
    return _write(session, tools, actor, record_type, record_id, body, "save")


def submit(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save and submit (提交) in one step; returns the record and whether it is new.

    Raises 409 `name_differs` when the register knows the enterprise under another name, unless the body says
    `confirm_name`; 409 `duplicate_check` when the same enterprise has such a check of that day, unless it says
    `confirm_duplicate`.
    """
    return _write(session, tools, actor, record_type, record_id, body, "submit")


def _write(
    session: Session,
    tools: Tools,
    actor: Actor,
    record_type: str,
    record_id: UUID,
    body: Mapping[str, Any],
    action: str,
) -> tuple[Inspection, bool]:
    key = idempotency.key(actor.user_id, f"{record_type}.{action}", record_id, body)
    given: dict[str, Any] = {"key": key, "at": clock.now(), "record": record_id}
    ahead = _validate_early(session, tools, actor, record_type, record_id, body, action)
    checked = isinstance(ahead, Validated) and action == "submit" and ahead.kind.record_type == CHECK
    if isinstance(ahead, Validated) and checked:
        taken = _CLAIM_AND_FIND(actor.scope).first(session, given | duplicates.asked(record_id, ahead))
    else:
        taken = _TAKE_AND_LOOK.first(session, given)
    if taken is None:
        return _own(session, actor, record_type, record_id), False
    existing = None if taken.there is None else _own(session, actor, record_type, record_id)
    if existing is None:
        sent_version(body)
    else:
        refuse_submitted(existing)
        refuse_stale(existing, body)
        if body.get("form_version") is None:
            body, ahead = answering_on(tools, existing, body), None
    if isinstance(ahead, Problem):
        raise ahead
    validated = ahead or validate(session, tools, actor, record_type, record_id, body, submit=action == "submit")
    now, found = clock.now(), None
    columns = {**validated.columns, "updated_at": now}
    if action == "submit" and validated.kind.record_type == CHECK:
        found = taken if ahead and checked else duplicates.find_duplicates(session, actor.scope, record_id, validated)
        duplicates.refuse_duplicate(session, actor.scope, record_id, validated, body, found)
    sheet_numbers.Sheet.stored(columns).refuse_taken(session, record_id)
    if action == "submit":
        assert validated.tally is not None
        tally = tallies.add(session, validated.tally, validated.counts)
        if found is not None and tally.records != (found.tallied or 0) + validated.counts.records:
            # Another check of this enterprise was submitted between the look and this moment, when the tally is ours.
            found = duplicates.find_duplicates(session, actor.scope, record_id, validated)
            duplicates.refuse_duplicate(session, actor.scope, record_id, validated, body, found)
        columns |= {"submitted_at": now, "tally_id": tally.id}
    payload = {"content": content_digest(columns)}
    try:
        if existing is None:
            record = _create(session, actor, record_type, record_id, action, columns, payload, now)
        else:
            # Of the office at which the user sits now, which need not be the one where the draft was begun.
            _move_draft(session, actor, existing, action, {**columns, **actor_columns(actor)}, payload)
            former = tools.forms.get(existing.form_code, existing.form_version).form
            if attachments.named(former, existing.data) - validated.files:
                attachments.release_dropped(session, subject_of(record_type, record_id), validated.files)
    except IntegrityError as error:
        raise sheet_numbers.taken(error) from error
    if validated.told:
        # After the record, as a correction does, so that nobody waits in a circle.
        publish(session, record_id, validated, actor.office_name)
    if existing is None:
        return record, True
    record = get_readable(session, actor, record_type, record_id)
    if action == "submit":
        begin(session, record)
    return record, False


def _own(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """The living record to write to; 409 `handed_over` for one that somebody else goes on with."""
    record = _own_or_deleted(session, actor, record_type, record_id)
    if record is None:
        raise not_found()
    if record.status == DELETED:
        raise Problem("not_found", _DELETED_MEANWHILE)
    return record


def _own_or_deleted(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection | None:
    try:
        record = find_readable(session, actor, record_type, record_id)
    except Problem:
        refuse_handed_over(session, actor, record_type, record_id)
        raise
    if record is not None and record.begun_by is not None:
        refuse_handed_over(session, actor, record_type, record_id)
    return record


def _validate_early(
    session: Session,
    tools: Tools,
    actor: Actor,
    record_type: str,
    record_id: UUID,
    body: Mapping[str, Any],
    action: str,
) -> Validated | Problem | None:
    """The body judged before anything is locked, since on SQLite one transaction at a time writes.

    What is wrong with it is kept until its turn comes in the order of judgement. None: it names files,
    which can only be judged by claiming them.
    """
    try:
        if attachments.is_named(form_meant(tools, record_type, body), body):
            return None
        return validate(session, tools, actor, record_type, record_id, body, submit=action == "submit")
    except Problem as problem:
        return problem


def _move_draft(
    session: Session, actor: Actor, draft: Inspection, action: str, columns: dict[str, Any], payload: dict[str, Any]
) -> None:
    try:
        WORKFLOWS[draft.record_type].move(session, actor, draft, action, columns, payload)
    except Problem:
        # Submitted, deleted or handed over since it was read: answered as to whoever comes a moment later.
        refuse_submitted(_own(session, actor, draft.record_type, draft.id))
        raise


def _create(
    session: Session,
    actor: Actor,
    record_type: str,
    record_id: UUID,
    action: str,
    columns: dict[str, Any],
    payload: dict[str, Any],
    now: datetime,
) -> Inspection:
    flow = WORKFLOWS[record_type]
    values = {
        "id": record_id, "version": 1, "created_at": now, "submitted_at": None, "tally_id": None,
        **actor_columns(actor), **columns,
    }  # fmt: skip
    if not flow.enter(session, actor, action, values, payload):
        # Someone created it at this very moment, with another content: the first content holds.
        record = get_readable(session, actor, record_type, record_id)
        refuse_submitted(record)
        raise stale(record.version, None)
    # What was just inserted, without reading it back, and without telling the mapper of 33 changes.
    record = Inspection()
    instance_dict(record).update(values, status=flow.step(action, None, actor).target)
    if action == "submit":
        begin(session, record)
    return record


def delete_draft(session: Session, actor: Actor, record_type: str, record_id: UUID) -> Inspection:
    """Delete an own draft (删除); it stays in the database and is seen no more. Deleting it again is answered alike."""
    record = _own_or_deleted(session, actor, record_type, record_id)
    if record is None:
        raise not_found()
    if record.status != DELETED:
        refuse_submitted(record)
        # Of several who delete it at this moment one goes on; the others wait for it here.
        if idempotency.claim(session, idempotency.key(actor.user_id, f"{record_type}.delete", record_id, {})):
            _move_draft(session, actor, record, "delete", {"updated_at": clock.now()}, {})
        attachments.release_dropped(session, subject_of(record_type, record_id), frozenset())
        record = session.get_one(Inspection, record_id, populate_existing=True)
    return record
