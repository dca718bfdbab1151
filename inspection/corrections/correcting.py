"""Corrections (更正): a submitted record says something else, and its former version stays readable."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Fault, Problem, invalid
from core.forms.sealing import unmasked
from core.text import demanded
from core.workflows import todos
from core.workflows.versions import refuse_stale
from enterprise import register_changes
from enterprise.production import publications
from inspection import kinds, record_todos
from inspection.corrections import former_versions, rectifications
from inspection.corrections.authority import refuse_to_correct
from inspection.corrections.changes import claim_change, mark_of, text_of
from inspection.corrections.correction_todos import TODO_RETURNED
from inspection.kinds import CHECK, Counts
from inspection.models import Inspection, InspectionVersion
from inspection.records.access import get_readable, refreshed
from inspection.records.content import answers_place, stated
from inspection.statistics import tallies
from inspection.submissions import sheet_numbers
from inspection.submissions.authors import Author
from inspection.submissions.duplicates import find_duplicates, refuse_duplicates
from inspection.submissions.publishing import publish
from inspection.submissions.sent import Sent
from inspection.submissions.validated import Validated
from inspection.submissions.validation import Tools, validate
from inspection.workflows import WORKFLOWS


def correct(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> Inspection:
    """Correct a submitted record, with a reason.

    The user name that entered it may do so for 24 hours and when it was returned, a superior office at any time
    (spec §3.4); otherwise its owner applies for a correction (`requests.py`). Raises 409 `duplicate_check` when it
    becomes a check that there is already, unless the body says `confirm_duplicate`.
    """
    record = get_readable(session, actor, record_type, record_id)
    if not claim_change(session, actor, record, "correct", body):
        return refreshed(session, record)
    refuse_to_correct(session, record, actor)
    refuse_stale(record.version, body)
    reason = demanded(text_of(body), "/reason", "更正须填写原因")
    validated = validate_correction(session, tools, actor, record, body)
    return store_correction(session, actor, record, validated, reason, mark_of(actor, clock.now()))


def validate_correction(
    session: Session, tools: Tools, actor: Actor, record: Inspection, body: Mapping[str, Any]
) -> Validated:
    """Validate what a record is to say after a correction, as a submission is validated, and against what it said."""
    if kinds.resolve(tools.forms, record.record_type, body.get("kind") or record.kind)[0].name != record.kind:
        # Refused at once: to the form of another kind all answers would be unknown items.
        raise invalid("/kind", "kind_changed", "更正不能改变检查类型；类型选错的，请作废后重新填报")
    form = tools.forms.get(record.form_code, record.form_version).form
    body = unmasked(form, record.data, answers_place(record.id), {"kind": record.kind, **body})
    author = Author.of_correction(actor, record)
    sent = Sent(author, record.record_type, record.id, body, submit=True, corrected=record)
    validated = validate(session, tools, sent.continuing(tools.forms, record))
    _refuse_undone_disposals(session, record, validated)
    columns = validated.columns
    enterprise_changed = (record.uscc, record.name_differs) != (columns["uscc"], columns["name_differs"])
    if record.record_type == CHECK and enterprise_changed:
        columns["kept_warnings"] += rectifications.warnings_of_other_enterprise(session, record.id)
    search = validated.duplicate_search
    if search is not None and _is_of_another_day_or_enterprise(record, validated):
        refuse_duplicates(session, search, find_duplicates(session, search), body)
    return validated


def _is_of_another_day_or_enterprise(record: Inspection, validated: Validated) -> bool:
    """Whether it may be a duplicate only now; if it was one before, that was confirmed."""
    before, after = tallies.key_of(record), validated.tally
    same = (before.org_key, before.product_code) == (after.org_key, after.product_code)
    return not same or record.check_date != validated.columns["check_date"]


def _refuse_undone_disposals(session: Session, record: Inspection, validated: Validated) -> None:
    """422 where a disposal that any version called 是 is no longer 是, unless no problem is left at all."""
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


def store_correction(
    session: Session,
    actor: Actor,
    record: Inspection,
    validated: Validated,
    reason: str,
    mark: Mapping[str, Any],
    payload: Mapping[str, Any] | None = None,
) -> Inspection:
    """Store what was validated, and keep the version before.

    `mark` says whose correction it is, `payload` what the history keeps of it besides.
    """
    tally_before, uscc_before, now = tallies.key_of(record), record.uscc, clock.now()
    tally_id = _change_tallies(session, record, validated)
    columns = {
        **validated.columns,
        "campaign_id": record.campaign_id,
        "tally_id": tally_id,
        "updated_at": now,
        "corrected": {
            "approved_by": None, "approved_office": None, **mark,
            "count": (record.corrected or {}).get("count", 0) + 1,
        },
        "returned": None,
    }  # fmt: skip
    if columns["sheet_key"] != record.sheet_key:
        validated.sheet_number.refuse_taken(session, record.id)
        columns["sheet_twin"] = 0
    replaced = former_versions.replaced(record, reason)
    payload = {
        **stated(session, record, columns), **former_versions.stated(replaced), "reason": reason, **(payload or {}),
    }  # fmt: skip
    try:
        WORKFLOWS[record.record_type].move(session, actor, record, "correct", columns, payload)
    except IntegrityError as error:
        raise sheet_numbers.taken(error) from error
    # After the move, so that of two corrections at once the second learns that it is stale.
    session.execute(insert(InspectionVersion).values(**replaced, replaced_at=now))
    if not validated.is_published and record.record_type == CHECK:
        publications.withdraw(session, record.id)
    record = refreshed(session, record)
    publish(session, record, validated)
    todos.close(session, record.id, TODO_RETURNED)
    record_todos.update_after_correction(session, record, tally_before)
    for uscc in sorted({uscc for uscc in (uscc_before, record.uscc) if uscc}):
        register_changes.note(session, uscc)
    return record


def _change_tallies(session: Session, record: Inspection, validated: Validated) -> int:
    """Count the record where it belongs now, and no longer where it was; the id of its tally."""
    assert record.tally_id is not None
    before, after = tallies.key_of(record), validated.tally
    counted = tallies.counts_of_record(record)
    if after == before:
        tallies.change(session, record.tally_id, validated.counts.minus(counted))
        return record.tally_id
    # Always in one order, so that two corrections that exchange tallies do not wait for each other.
    comes_first = after.in_order() < before.in_order()
    if not comes_first:
        tallies.change(session, record.tally_id, Counts().minus(counted))
    tally_id: int = tallies.add(session, after, validated.counts).id
    if comes_first:
        tallies.change(session, record.tally_id, Counts().minus(counted))
    return tally_id
