"""Voiding (作废): a record that should not exist (a duplicate, of the wrong kind, a test) counts nowhere any more.

It keeps what it says and stays readable, marked; the number of its sampling sheet is free again. What was published of
it is withdrawn, and the to-dos and applications about it are closed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.text import demanded
from core.workflows import todos
from core.workflows.versions import refuse_stale
from enterprise import register_changes
from enterprise.production import publications
from inspection import record_todos
from inspection.corrections import rectifications
from inspection.corrections import requests as correction_requests
from inspection.corrections.authority import refuse_to_void
from inspection.corrections.changes import claim_change, mark_of, text_of
from inspection.kinds import CHECK, Counts
from inspection.models import Inspection
from inspection.records.access import get_readable, refreshed
from inspection.records.content import content_of, stated
from inspection.statistics import tallies
from inspection.workflows import WORKFLOWS


def void(session: Session, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]) -> Inspection:
    """Void a submitted record, with a reason; by its user name for a day, by a superior at any time."""
    record = get_readable(session, actor, record_type, record_id)
    if not claim_change(session, actor, record, "void", body):
        return refreshed(session, record)
    refuse_to_void(session, record, actor)
    refuse_stale(record.version, body)
    reason = demanded(text_of(body), "/reason", "请填写作废原因")
    now = clock.now()
    assert record.tally_id is not None
    # The tally before the record, as submissions and corrections do, so that no two of them wait for each other.
    tallies.change(session, record.tally_id, Counts().minus(tallies.counts_of_record(record)))
    values = {
        "voided": {**mark_of(actor, now), "reason": reason}, "returned": None, "sheet_key": None, "sheet_twin": 0,
        "updated_at": now,
    }  # fmt: skip
    payload = {**stated(session, record, content_of(record)), "reason": reason}
    WORKFLOWS[record_type].move(session, actor, record, "void", values, payload)
    if record_type == CHECK:
        # After the move, which waits for a rectification that is being ordered at this moment.
        rectifications.refuse_while_open(session, record_id)
        publications.withdraw(session, record_id)
    correction_requests.lapse(session, record)
    todos.close_all(session, record_id)
    record_todos.update_follow_ups(session, tallies.key_of(record))
    register_changes.note(session, record.uscc)
    return refreshed(session, record)
