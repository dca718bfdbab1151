"""What changes field records: drafts, submission, disposal, correction.

Every write is judged in the order of the HTTP contract §1: may not see it → 404; a repetition → the
record as it is now; submitted already → 409; stale → 409; faulty → 422.
"""

import functools
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from accounts.verbs import Verb
from core import clock, receipts, todos
from core.actor import Actor, Reach
from core.errors import Problem, invalid, not_found
from core.prepared import Prepared
from inspection import evidence, rules, tallies
from inspection.entry import (
    Entry,
    Tools,
    actor_columns,
    content_digest,
    judge,
    sent_version,
    subject_of,
    unmasked,
)
from inspection.kinds import Counts, counts_of, disposal_state
from inspection.models import EnterpriseTally, Inspection, InspectionVersion
from inspection.workflows import DELETED, SUBMITTED, WORKFLOWS

TODO_DISPOSAL, TODO_REFUSED = "disposal_in_progress", "inspection_refused"
OWNER_MAY_CORRECT_FOR = timedelta(hours=24)


_RECORDS = cast(Table, Inspection.__table__)
_IS_THERE = Prepared(select(_RECORDS.c.id).where(_RECORDS.c.id == bindparam("id")))


def find(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection | None:
    """The record if it is there; 404 if the actor may not see it.

    A draft is seen by the user name that saved it, a submitted record by whoever's office covers it.
    """
    record = session.get(Inspection, record_id, populate_existing=True)
    if record is None:
        return None
    if record.status == SUBMITTED:
        visible = actor.reach.covers(record.area1, record.area2, record.area3)
    else:
        visible = record.created_by == actor.user_id
    if record.book != book or not visible:
        raise not_found()
    return record


def _existing(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    record = find(session, actor, book, record_id)
    if record is None or record.status == DELETED:
        raise not_found()
    return record


def _refuse_submitted(record: Inspection) -> None:
    if record.status == SUBMITTED:
        raise Problem("already_submitted", current_version=record.version)


def _refuse_stale(record: Inspection, body: Mapping[str, Any]) -> None:
    if sent_version(body) != record.version:
        raise Problem("stale_version", current_version=record.version)


def save_draft(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save a draft (暂存); returns the record and whether it is new."""
    return _write(session, tools, actor, book, record_id, body, "save")


def submit(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[Inspection, bool]:
    """Save and submit (提交) in one step; returns the record and whether it is new.

    Raises 409 `duplicate_check` when the same enterprise has such a check of that day, unless the
    body says `confirm_duplicate`.
    """
    return _write(session, tools, actor, book, record_id, body, "submit")


def _write(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any], action: str
) -> tuple[Inspection, bool]:
    # Most records are new: asking for the id alone costs a fifth of looking for the whole record in vain.
    is_there = _IS_THERE.rows(session, {"id": record_id})
    existing = find(session, actor, book, record_id) if is_there else None
    if existing is not None and existing.status == DELETED:
        raise not_found()
    if not receipts.take(session, receipts.key(actor.user_id, f"{book}.{action}", record_id, body)):
        return _existing(session, actor, book, record_id), False
    if existing is None:
        sent_version(body)
    else:
        _refuse_submitted(existing)
        _refuse_stale(existing, body)
    entry = judge(session, tools, actor, book, record_id, body, submit=action == "submit")
    if action == "submit" and entry.kind.duplicate_warning and body.get("confirm_duplicate") is not True:
        _refuse_duplicate(session, actor, record_id, entry)
    now = clock.now()
    columns = {**entry.columns, "updated_at": now}
    if action == "submit":
        assert entry.tally is not None
        tally_id = tallies.add(session, entry.tally, entry.counts)
        columns |= {"submitted_at": now, "tally_id": tally_id}
    payload = {"content": content_digest(columns)}
    flow = WORKFLOWS[book]
    try:
        if existing is None:
            return _create(session, actor, book, record_id, action, columns, payload, now), True
        flow.move(session, actor, existing, action, {**columns, "operator_name": actor.operator_name}, payload)
        evidence.release_dropped(session, subject_of(book, record_id), existing.data, entry.data)
    except IntegrityError as error:
        raise _sheet_taken(error) from error
    record = _existing(session, actor, book, record_id)
    if action == "submit":
        _open_todos(session, record)
    return record, False


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
        record = _existing(session, actor, book, record_id)
        _refuse_submitted(record)
        raise Problem("stale_version", current_version=record.version)
    # What was just inserted, without reading it back, and without telling the mapper of 33 changes.
    record = Inspection()
    instance_dict(record).update(values, status=flow.step(action, None, actor).target)
    if action == "submit":
        _open_todos(session, record)
    return record


def _sheet_taken(error: IntegrityError) -> Exception:
    if "sheet_key" not in str(error.orig):
        return error
    return invalid("/sheet_no", "sheet_taken", "该抽样单编号已被使用，请核对后重新填写")


def _refuse_duplicate(session: Session, actor: Actor, record_id: UUID, entry: Entry) -> None:
    """Same enterprise, kind, product and day within the actor's reach (spec §3.4)."""
    day = entry.columns["check_date"]
    assert entry.tally is not None
    # A check is never submitted before its day, so the index on (tally_id, submitted_at) narrows it.
    earliest = datetime(day.year, day.month, day.day, tzinfo=clock.LOCAL)
    wanted = {
        "org_key": entry.tally.org_key, "kind": entry.kind.name, "product_code": entry.tally.product_code,
        "earliest": earliest, "day": day, "record_id": record_id,
    }  # fmt: skip
    found = _same_check(actor.reach).rows(session, wanted)
    if found:
        raise Problem("duplicate_check", duplicates=[str(row.id) for row in found])


@functools.lru_cache(maxsize=1024)
def _same_check(reach: Reach) -> Prepared:
    """Kept for each reach: building the statement costs ten times as much as running it."""
    tallies_, records = cast(Table, EnterpriseTally.__table__).c, _RECORDS.c
    return Prepared(
        select(records.id)
        .where(
            tallies_.id == records.tally_id,
            tallies_.org_key == bindparam("org_key"),
            tallies_.kind == bindparam("kind"),
            tallies_.product_code == bindparam("product_code"),
            reach.condition(tallies_),
            records.submitted_at >= bindparam("earliest"),
            records.check_date == bindparam("day"),
            records.id != bindparam("record_id"),
        )
        .limit(5)
    )


def _open_todos(session: Session, record: Inspection) -> None:
    subject = subject_of(record.book, record.id)
    if record.disposal_state == "in_progress":
        todos.open_for_office(
            session, TODO_DISPOSAL, f"待完成处置：{record.org_name}", subject,
            verb=Verb.INSPECTION_WRITE, office_id=record.office_id,
        )  # fmt: skip
    if _was_refused(record):
        todos.open_for_office(
            session, TODO_REFUSED, f"企业拒绝检查：{record.org_name}", subject,
            verb=Verb.INSPECTION_WRITE, office_id=record.office_id, urgent=True,
        )  # fmt: skip


def _was_refused(record: Inspection) -> bool:
    """Whether the enterprise would not be checked (企业拒绝检查)."""
    return record.unable and record.data.get("unable_reason") == "refused"


def delete_draft(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    """Delete an own draft (删除); it stays in the database and is seen no more. Deleting it again is answered alike."""
    record = find(session, actor, book, record_id)
    if record is None:
        raise not_found()
    if record.status != DELETED:
        _refuse_submitted(record)
        # Of several who delete it at this moment one goes on; the others wait for it here.
        if receipts.take(session, receipts.key(actor.user_id, f"{book}.delete", record_id, {})):
            WORKFLOWS[book].move(session, actor, record, "delete", {"updated_at": clock.now()})
        evidence.release_dropped(session, subject_of(book, record_id), record.data, {})
        record = session.get_one(Inspection, record_id, populate_existing=True)
    return record


def _counts(record: Inspection) -> Counts:
    return counts_of(record.book, record.unable, record.problems_found, record.disposal_state, record.conclusion)


def move_disposals(session: Session, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]) -> Inspection:
    """Move disposals (处置) on from 办理中; by whoever's office covers the record. 是 is final."""
    record = _existing(session, actor, book, record_id)
    if not receipts.take(session, receipts.key(actor.user_id, f"{book}.dispose", record_id, body)):
        return _existing(session, actor, book, record_id)
    flow = WORKFLOWS[book]
    flow.step("dispose", record.status, actor)
    _refuse_stale(record, body)
    reason = _reason(body)
    old = record.data.get("disposals") or {}
    after, faults = rules.moved_disposals(old, body.get("disposals"), reason)
    if faults:
        raise Problem("invalid", errors=faults)
    if after == old:
        return record
    data = {**record.data, "disposals": after}
    state = disposal_state(record.problems_found, after)
    content = content_digest(
        {"form_code": record.form_code, "form_version": record.form_version,
         "product_code": record.product_code, "data": data}
    )  # fmt: skip
    changed = {name: [old[name], value] for name, value in after.items() if old[name] != value}
    assert record.tally_id is not None
    counts = counts_of(record.book, record.unable, record.problems_found, state, record.conclusion)
    # The tally before the record, as submission and correction do, so that nobody waits in a circle.
    tallies.change(session, record.tally_id, counts.minus(_counts(record)))
    flow.move(
        session, actor, record, "dispose",
        {"data": data, "disposal_state": state, "updated_at": clock.now()},
        {"content": content, "disposals": changed, "reason": reason},
    )  # fmt: skip
    record = _existing(session, actor, book, record_id)
    if state != "in_progress":
        todos.close(session, record_id, TODO_DISPOSAL)
    return record


def correct(
    session: Session, tools: Tools, actor: Actor, book: str, record_id: UUID, body: Mapping[str, Any]
) -> Inspection:
    """Correct (更正) a submitted record, with a reason; the old version stays readable.

    The user name that entered it may do so for 24 hours, a superior office at any time (spec §3.4).
    """
    record = _existing(session, actor, book, record_id)
    if not receipts.take(session, receipts.key(actor.user_id, f"{book}.correct", record_id, body)):
        return _existing(session, actor, book, record_id)
    flow = WORKFLOWS[book]
    flow.step("correct", record.status, actor)
    _refuse_stranger(record, actor)
    _refuse_stale(record, body)
    reason = _reason(body)
    if reason is None:
        raise invalid("/reason", "required", "更正须填写原因")
    answered = tools.forms.get(record.form_code, record.form_version).form
    body = unmasked(answered, record.data, {"kind": record.kind, **body})
    entry = judge(session, tools, actor, book, record_id, body, submit=True)
    if entry.kind.name != record.kind:
        raise invalid("/kind", "kind_changed", "更正不能改变检查类型")
    _refuse_undone(record, entry)
    assert entry.tally is not None
    assert record.tally_id is not None
    # The record stays with the office that entered it, whoever corrects it.
    owner = {"office_id": record.office_id, "area1": record.area1, "area2": record.area2, "area3": record.area3}
    old_key, before = tallies.key_of(record), _counts(record)
    new_key = tallies.TallyKey(**{**asdict(entry.tally), **owner})
    if new_key == old_key:
        tally_id = record.tally_id
        tallies.change(session, tally_id, entry.counts.minus(before))
    elif new_key.in_order() < old_key.in_order():
        tally_id = tallies.add(session, new_key, entry.counts)
        tallies.change(session, record.tally_id, Counts().minus(before))
    else:
        tallies.change(session, record.tally_id, Counts().minus(before))
        tally_id = tallies.add(session, new_key, entry.counts)
    now = clock.now()
    kept = {"campaign_id": record.campaign_id, "tally_id": tally_id, "updated_at": now}
    columns = {**entry.columns, **kept}
    if columns["sheet_key"] is not None:
        year = entry.columns["check_date"].year
        columns["sheet_key"] = f"{record.area1}:{record.level}:{year}:{entry.data['sheet_no']}"
    try:
        flow.move(session, actor, record, "correct", columns, {"content": content_digest(columns), "reason": reason})
    except IntegrityError as error:
        raise _sheet_taken(error) from error
    # After the move, so that of two corrections at once the second learns that it is stale.
    session.execute(
        insert(InspectionVersion).values(
            inspection_id=record.id, version=record.version, form_code=record.form_code,
            form_version=record.form_version, product_code=record.product_code, data=record.data,
            reason=reason, replaced_at=now,
        )
    )  # fmt: skip
    record = _existing(session, actor, book, record_id)
    _open_todos(session, record)
    if record.disposal_state != "in_progress":
        todos.close(session, record_id, TODO_DISPOSAL)
    if not _was_refused(record):
        todos.close(session, record_id, TODO_REFUSED)
    return record


def _refuse_stranger(record: Inspection, actor: Actor) -> None:
    if actor.reach.strictly_above(record.area1, record.area2, record.area3):
        return
    if record.created_by != actor.user_id:
        raise Problem("forbidden", "只有填报用户和上级单位可以更正")
    assert record.submitted_at is not None
    if clock.now() - record.submitted_at > OWNER_MAY_CORRECT_FOR:
        raise Problem("forbidden", "提交已超过 24 小时，请由上级单位更正")


def _refuse_undone(record: Inspection, entry: Entry) -> None:
    """是 stays 是 in a correction too, as long as a problem is found at all."""
    if not entry.columns["problems_found"]:
        return
    old, new = record.data.get("disposals") or {}, entry.data.get("disposals") or {}
    for name, value in old.items():
        if value == "done" and new.get(name) != "done":
            raise invalid(f"/disposals/{name}", "disposal_final", "处置状态已为“是”，不能再变更")


def _reason(body: Mapping[str, Any]) -> str | None:
    reason = body.get("reason")
    if reason is None:
        return None
    if not isinstance(reason, str):
        raise invalid("/reason", "wrong_type", "原因应为文本")
    if len(reason) > 500:
        raise invalid("/reason", "too_long", "原因不能超过 500 个字符")
    return reason.strip() or None
