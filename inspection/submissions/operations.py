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

from core import clock, receipts
from core.actor import Actor, Reach
from core.database.prepared import Prepared
from core.errors import Problem, not_found
from core.versions import sent_version, stale
from inspection.handing_over import refuse_handed_over
from inspection.kinds import CHECK
from inspection.models import Inspection
from inspection.records.waiting import begin
from inspection.statistics import tallies
from inspection.submissions import evidence, neighbours, sheets
from inspection.submissions.entry import (
    Entry,
    Tools,
    answering_on,
    content_digest,
    form_meant,
    judge,
    subject_of,
)
from inspection.submissions.judging import find, find_living, refuse_stale, refuse_submitted
from inspection.submissions.owners import actor_columns
from inspection.submissions.publishing import publish
from inspection.workflows import DELETED, WORKFLOWS

_DELETED_MEANWHILE = (
    "这条暂存记录已被删除（可能是在您的另一部手机上）；如需保留本机所填内容，请另存为新的记录（使用新的编号）后再提交"
)
_RECORDS = cast(Table, Inspection.__table__)
# Most records are new: asking for the id, along with the receipt, saves looking for a record in vain.
_THERE = select(_RECORDS.c.id).where(_RECORDS.c.id == bindparam("record")).scalar_subquery()
_TAKE_AND_LOOK = receipts.taking(there=_THERE)


@functools.lru_cache(maxsize=1024)
def _take_and_look_around(reach: Reach) -> Prepared:
    return receipts.taking(there=_THERE, **neighbours.questions(reach))


def save_draft(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save a draft (暂存); returns the record and whether it is new."""
    return _write(session, tools, actor, book, record_id, body, "save")


def submit(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save and submit (提交) in one step; returns the record and whether it is new.

    Raises 409 `name_differs` when the register knows the enterprise under another name, unless the body says
    `confirm_name`; 409 `duplicate_check` when the same enterprise has such a check of that day, unless it says
    `confirm_duplicate`.
    """
    return _write(session, tools, actor, book, record_id, body, "submit")


def _write(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any], action: str
) -> tuple[Inspection, bool]:
    key = receipts.key(actor.user_id, f"{book}.{action}", record_id, body)
    given: dict[str, Any] = {"key": key, "at": clock.now(), "record": record_id}
    ahead = _judged_ahead(session, tools, actor, book, record_id, body, action)
    checked = isinstance(ahead, Entry) and action == "submit" and ahead.kind.book == CHECK
    if isinstance(ahead, Entry) and checked:
        taken = _take_and_look_around(actor.reach).first(session, given | neighbours.asked(record_id, ahead))
    else:
        taken = _TAKE_AND_LOOK.first(session, given)
    if taken is None:
        return _own(session, actor, book, record_id), False
    existing = None if taken.there is None else _own(session, actor, book, record_id)
    if existing is None:
        sent_version(body)
    else:
        refuse_submitted(existing)
        refuse_stale(existing, body)
        if body.get("form_version") is None:
            body, ahead = answering_on(tools, existing, body), None
    if isinstance(ahead, Problem):
        raise ahead
    entry = ahead or judge(session, tools, actor, book, record_id, body, submit=action == "submit")
    now, found = clock.now(), None
    columns = {**entry.columns, "updated_at": now}
    if action == "submit" and entry.kind.book == CHECK:
        found = taken if ahead and checked else neighbours.look_around(session, actor.reach, record_id, entry)
        neighbours.refuse_duplicate(session, actor.reach, record_id, entry, body, found)
    sheets.Sheet.stored(columns).refuse_taken(session, record_id)
    if action == "submit":
        assert entry.tally is not None
        tally = tallies.add(session, entry.tally, entry.counts)
        if found is not None and tally.records != (found.tallied or 0) + entry.counts.records:
            # Another check of this enterprise was submitted between the look and this moment, when the tally is ours.
            found = neighbours.look_around(session, actor.reach, record_id, entry)
            neighbours.refuse_duplicate(session, actor.reach, record_id, entry, body, found)
        columns |= {"submitted_at": now, "tally_id": tally.id}
    payload = {"content": content_digest(columns)}
    try:
        if existing is None:
            record = _create(session, actor, book, record_id, action, columns, payload, now)
        else:
            # Of the office at which the user sits now, which need not be the one where the draft was begun.
            _move_draft(session, actor, existing, action, {**columns, **actor_columns(actor)}, payload)
            former = tools.forms.get(existing.form_code, existing.form_version).form
            if evidence.named(former, existing.data) - entry.files:
                evidence.release_dropped(session, subject_of(book, record_id), entry.files)
    except IntegrityError as error:
        raise sheets.taken(error) from error
    if entry.told:
        # After the record, as a correction does, so that nobody waits in a circle.
        publish(session, record_id, entry, actor.office_name)
    if existing is None:
        return record, True
    record = find_living(session, actor, book, record_id)
    if action == "submit":
        begin(session, record)
    return record, False


def _own(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    """The living record to write to; 409 `handed_over` for one that somebody else goes on with."""
    record = _own_or_deleted(session, actor, book, record_id)
    if record is None:
        raise not_found()
    if record.status == DELETED:
        raise Problem("not_found", _DELETED_MEANWHILE)
    return record


def _own_or_deleted(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection | None:
    try:
        record = find(session, actor, book, record_id)
    except Problem:
        refuse_handed_over(session, actor, book, record_id)
        raise
    if record is not None and record.begun_by is not None:
        refuse_handed_over(session, actor, book, record_id)
    return record


def _judged_ahead(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any], action: str
) -> Entry | Problem | None:
    """The body judged before anything is locked, since on SQLite one transaction at a time writes.

    What is wrong with it is kept until its turn comes in the order of judgement. None: it names files,
    which can only be judged by claiming them.
    """
    try:
        if evidence.is_named(form_meant(tools, book, body), body):
            return None
        return judge(session, tools, actor, book, record_id, body, submit=action == "submit")
    except Problem as problem:
        return problem


def _move_draft(
    session: Session, actor: Actor, draft: Inspection, action: str, columns: dict[str, Any], payload: dict[str, Any]
) -> None:
    try:
        WORKFLOWS[draft.book].move(session, actor, draft, action, columns, payload)
    except Problem:
        # Submitted, deleted or handed over since it was read: answered as to whoever comes a moment later.
        refuse_submitted(_own(session, actor, draft.book, draft.id))
        raise


def _create(
    session: Session,
    actor: Actor,
    book: str,
    record_id: UUID,
    action: str,
    columns: dict[str, Any],
    payload: dict[str, Any],
    now: datetime,
) -> Inspection:
    flow = WORKFLOWS[book]
    values = {
        "id": record_id, "version": 1, "created_at": now, "submitted_at": None, "tally_id": None,
        **actor_columns(actor), **columns,
    }  # fmt: skip
    if not flow.enter(session, actor, action, values, payload):
        # Someone created it at this very moment, with another content: the first content holds.
        record = find_living(session, actor, book, record_id)
        refuse_submitted(record)
        raise stale(record.version, None)
    # What was just inserted, without reading it back, and without telling the mapper of 33 changes.
    record = Inspection()
    instance_dict(record).update(values, status=flow.step(action, None, actor).target)
    if action == "submit":
        begin(session, record)
    return record


def delete_draft(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    """Delete an own draft (删除); it stays in the database and is seen no more. Deleting it again is answered alike."""
    record = _own_or_deleted(session, actor, book, record_id)
    if record is None:
        raise not_found()
    if record.status != DELETED:
        refuse_submitted(record)
        # Of several who delete it at this moment one goes on; the others wait for it here.
        if receipts.take(session, receipts.key(actor.user_id, f"{book}.delete", record_id, {})):
            _move_draft(session, actor, record, "delete", {"updated_at": clock.now()}, {})
        evidence.release_dropped(session, subject_of(book, record_id), frozenset())
        record = session.get_one(Inspection, record_id, populate_existing=True)
    return record
