"""What changes a submitted record: disposals that move on, and corrections.

Every write is judged in the order of the HTTP contract §1, as in `operations.py`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock, idempotency, todos
from core.actor import Actor
from core.errors import Fault, Problem, invalid
from core.text import demanded
from enterprise.production import publications
from inspection import kinds
from inspection.corrections import rectifications
from inspection.corrections.authority import refuse_to_correct
from inspection.corrections.correction_todos import TODO_RETURNED
from inspection.kinds import CHECK, Counts, counts_of, disposal_state
from inspection.models import Inspection, InspectionVersion
from inspection.record_todos import TODO_DISPOSAL, renew
from inspection.records.access import get_readable
from inspection.records.preconditions import mark_of, reason_of, refuse_stale, refuse_unsubmitted
from inspection.statistics import tallies
from inspection.submissions import dictionary_checks, sheet_numbers
from inspection.submissions.duplicates import find_duplicates, refuse_duplicate
from inspection.submissions.publishing import publish
from inspection.submissions.validation import (
    Tools,
    Validated,
    answering_on,
    content_digest,
    content_of,
    unmasked,
    validate,
)
from inspection.workflows import WORKFLOWS


def move_disposals(
    session: Session, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> Inspection:
    """Move disposals (处置) on from 办理中; by whoever's office covers the record. 是 is final."""
    record = get_readable(session, actor, record_type, record_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"{record_type}.dispose", record_id, body)):
        return get_readable(session, actor, record_type, record_id)
    flow = WORKFLOWS[record_type]
    refuse_unsubmitted(record)
    flow.step("dispose", record.status, actor)
    refuse_stale(record, body)
    reason = reason_of(body)
    old = record.data.get("disposals") or {}
    after, faults = dictionary_checks.moved_disposals(old, body.get("disposals"), reason)
    if faults:
        raise Problem("invalid", errors=faults)
    if after == old:
        return record
    data = {**record.data, "disposals": after}
    state = disposal_state(record.problems_found, after)
    content = content_digest({**content_of(record), "data": data, "disposal_state": state})
    changed = {name: [old[name], value] for name, value in after.items() if old[name] != value}
    assert record.tally_id is not None
    counts = counts_of(record.record_type, record.unable, record.problems_found, state, record.conclusion)
    # The tally before the record, as submission and correction do, so that nobody waits in a circle.
    tallies.change(session, record.tally_id, counts.minus(tallies.counts_of_record(record)))
    flow.move(
        session, actor, record, "dispose",
        {"data": data, "disposal_state": state, "updated_at": clock.now()},
        {"content": content, "disposals": changed, "reason": reason},
    )  # fmt: skip
    record = get_readable(session, actor, record_type, record_id)
    if state != "in_progress":
        todos.close(session, record_id, TODO_DISPOSAL)
    return record


def correct(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> Inspection:
    """Correct (更正) a submitted record, with a reason; the old version stays readable.

    The user name that entered it may do so for 24 hours and when it was returned, a superior office at any time
    (spec §3.4); else it asks (`correction_requests.py`). Raises 409
    `duplicate_check` when it becomes a check that there is already, unless the body says `confirm_duplicate`.
    """
    record = get_readable(session, actor, record_type, record_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"{record_type}.correct", record_id, body)):
        return get_readable(session, actor, record_type, record_id)
    flow = WORKFLOWS[record_type]
    refuse_unsubmitted(record)
    flow.step("correct", record.status, actor)
    refuse_to_correct(session, record, actor)
    refuse_stale(record, body)
    reason = reason_of(body)
    reason = demanded(reason, "/reason", "更正须填写原因")
    validated = validate_correction(session, tools, actor, record, body)
    return store(session, actor, record, validated, reason, mark_of(actor, clock.now()))


def validate_correction(
    session: Session, tools: Tools, actor: Actor, record: Inspection, body: Mapping[str, Any]
) -> Validated:
    """What a record is to say after a correction, judged as a submission is: the form, what is final, what is asked."""
    if kinds.resolve(tools.forms, record.record_type, body.get("kind") or record.kind)[0].name != record.kind:
        # Said alone: the answers of one kind are nothing but unknown to the form of another.
        raise invalid("/kind", "kind_changed", "更正不能改变检查类型；类型选错的，请作废后重新填报")
    answered = tools.forms.get(record.form_code, record.form_version).form
    body = answering_on(tools, record, unmasked(answered, record.data, {"kind": record.kind, **body}))
    validated = validate(session, tools, actor, record.record_type, record.id, body, submit=True, corrected=record)
    _refuse_undone(session, record, validated)
    if record.record_type == CHECK and (record.uscc, record.name_differs) != (
        validated.columns["uscc"],
        validated.columns["name_differs"],
    ):
        validated.columns["kept_warnings"] += rectifications.left_behind(session, record.id)
    if _is_of_another_day_or_enterprise(record, validated):
        found = find_duplicates(session, actor.scope, record.id, validated)
        refuse_duplicate(session, actor.scope, record.id, validated, body, found)
    return validated


def _is_of_another_day_or_enterprise(record: Inspection, validated: Validated) -> bool:
    """Whether it may repeat another check now; where it did so before, that was confirmed."""
    assert validated.tally is not None
    before, after = tallies.key_of(record), validated.tally
    same = (before.org_key, before.product_code) == (after.org_key, after.product_code)
    return not same or record.check_date != validated.columns["check_date"]


def store(
    session: Session,
    actor: Actor,
    record: Inspection,
    validated: Validated,
    reason: str,
    mark: dict[str, Any],
    said: Mapping[str, Any] | None = None,
) -> Inspection:
    """Let a record say what was judged; `mark` is whose correction it is, `said` what its history says besides."""
    record_type, record_id, flow = record.record_type, record.id, WORKFLOWS[record.record_type]
    assert validated.tally is not None
    assert record.tally_id is not None
    old_key, before, new_key = tallies.key_of(record), tallies.counts_of_record(record), validated.tally
    if new_key == old_key:
        tally_id = record.tally_id
        tallies.change(session, tally_id, validated.counts.minus(before))
    elif new_key.in_order() < old_key.in_order():
        tally_id = tallies.add(session, new_key, validated.counts).id
        tallies.change(session, record.tally_id, Counts().minus(before))
    else:
        tallies.change(session, record.tally_id, Counts().minus(before))
        tally_id = tallies.add(session, new_key, validated.counts).id
    now = clock.now()
    count = (record.corrected or {}).get("count", 0) + 1
    corrected = {"approved_by": None, "approved_office": None, **mark, "count": count}
    kept = {
        "campaign_id": record.campaign_id,
        "tally_id": tally_id,
        "updated_at": now,
        "corrected": corrected,
        "returned": None,
    }
    columns = {**validated.columns, **kept}
    if columns["sheet_key"] != record.sheet_key:
        sheet_numbers.Sheet.stored(columns).refuse_taken(session, record_id)
        columns["sheet_twin"] = 0
    try:
        told = {"content": content_digest(columns), "reason": reason, **(said or {})}
        flow.move(session, actor, record, "correct", columns, told)
    except IntegrityError as error:
        raise sheet_numbers.taken(error) from error
    # After the move, so that of two corrections at once the second learns that it is stale.
    session.execute(
        insert(InspectionVersion).values(
            inspection_id=record.id, version=record.version, form_code=record.form_code,
            form_version=record.form_version, product_code=record.product_code, data=record.data,
            reason=reason, replaced_at=now,
        )
    )  # fmt: skip
    if validated.told:
        publish(session, record_id, validated, record.office_name)
    elif record_type == CHECK:
        publications.withdraw(session, record_id)
    record = get_readable(session, actor, record_type, record_id)
    todos.close(session, record_id, TODO_RETURNED)
    renew(session, record, old_key)
    return record


def _refuse_undone(session: Session, record: Inspection, validated: Validated) -> None:
    """是 stays 是 in a correction too, whichever version said so, as long as a problem is found at all."""
    if not validated.columns["problems_found"]:
        return
    versions = session.scalars(select(InspectionVersion.data).where(InspectionVersion.inspection_id == record.id))
    done = {
        name
        for data in (*versions, record.data)
        for name, value in (data.get("disposals") or {}).items()
        if value == "done"
    }
    new = validated.data.get("disposals") or {}
    message = "处置状态曾为“是”，不能再变更，请改回“是”后重新提交"
    faults = [
        Fault(f"/disposals/{name}", "disposal_final", message)
        for name in sorted(done)
        if new.get(name, "done") != "done"
    ]
    if faults:
        raise Problem("invalid", errors=faults)
