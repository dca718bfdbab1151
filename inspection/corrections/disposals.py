"""Disposals (处置) that move on from 办理中."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Fault, Problem
from core.text import MEANINGLESS, has_words
from core.workflows import todos
from core.workflows.versions import refuse_stale
from enterprise import register_changes
from inspection.corrections.changes import claim_change, text_of
from inspection.kinds import counts_of, disposal_state
from inspection.models import Inspection
from inspection.record_todos import TODO_DISPOSAL
from inspection.records.access import get_readable, refreshed
from inspection.records.content import content_of, stated
from inspection.statistics import tallies
from inspection.workflows import WORKFLOWS


def move_disposals(
    session: Session, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> Inspection:
    """Move disposals on, which everybody whose office covers the record may do. 是 is final."""
    record = get_readable(session, actor, record_type, record_id)
    if not claim_change(session, actor, record, "dispose", body):
        return refreshed(session, record)
    refuse_stale(record.version, body)
    reason = text_of(body)
    before = record.data.get("disposals") or {}
    after, faults = moved_disposals(before, body.get("disposals"), reason)
    if faults:
        raise Problem("invalid", errors=faults)
    if after == before:
        return record
    state = disposal_state(record.problems_found, after)
    columns: dict[str, Any] = {"data": {**record.data, "disposals": after}, "disposal_state": state}
    payload = {
        **stated(session, record, {**content_of(record), **columns}),
        "disposals": {name: [before[name], value] for name, value in after.items() if before[name] != value},
        "reason": reason,
    }
    counts = counts_of(record_type, record.unable, record.problems_found, state, record.conclusion)
    assert record.tally_id is not None
    # The tally before the record, as submissions and corrections do, so that no two of them wait for each other.
    tallies.change(session, record.tally_id, counts.minus(tallies.counts_of_record(record)))
    columns["updated_at"] = clock.now()
    WORKFLOWS[record_type].move(session, actor, record, "dispose", columns, payload)
    if state != "in_progress":
        todos.close(session, record_id, TODO_DISPOSAL)
    register_changes.note(session, record.uscc)
    return refreshed(session, record)


def moved_disposals(old: Mapping[str, Any], sent: Any, reason: str | None) -> tuple[dict[str, str], list[Fault]]:
    """The disposals after a move, and its faults.

    办理中 may become 是, or 不适用 with a reason; 是 is final (seed 001, annex 7; spec §3.4).
    """
    if not isinstance(sent, dict) or not sent:
        return {}, [Fault("/disposals", "required", "请填写要变更的处置项")]
    after, faults = dict(old), []
    for name, value in sent.items():
        path = f"/disposals/{str(name).replace('~', '~0').replace('/', '~1')}"
        before = old.get(name)
        if before is None:
            faults.append(Fault(path, "unknown_item", "这张表没有这个处置项，请刷新后重新选择"))
        elif value not in ("done", "in_progress", "na"):
            faults.append(Fault(path, "unknown_option", "处置情况只能是“是”“办理中”或“不适用”，请重新选择"))
        elif value == before:
            continue
        elif before == "done":
            faults.append(
                Fault(
                    path,
                    "disposal_final",
                    "该处置项已为“是”，不能再变更；如当时没有这个问题，请更正相应检查项，其他情况请由上级局作废后重新填报",
                )
            )
        elif before != "in_progress":
            faults.append(Fault(path, "disposal_not_in_progress", "只有“办理中”的处置项可以变更，其他请使用更正"))
        elif value == "na" and not reason:
            faults.append(Fault("/reason", "required", "由“办理中”改为“不适用”，请填写变更原因"))
        elif value == "na" and not has_words(reason or ""):
            faults.append(Fault("/reason", "meaningless", f"变更原因{MEANINGLESS}"))
        else:
            after[name] = value
    return after, faults
