"""Voiding (作废): a record that should not be there, doubled, of the wrong kind or a test, counts nowhere any more.

It keeps what it said and stays readable, marked; its sampling sheet can be entered anew. What was published of it is
withdrawn, what was asked for because of it is closed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock, idempotency, todos
from core.actor import Actor
from core.text import demanded
from enterprise.production import publications
from inspection import record_todos
from inspection.corrections import rectifications
from inspection.corrections import requests as correction_requests
from inspection.corrections.authority import refuse_to_void
from inspection.kinds import CHECK, Counts
from inspection.models import Inspection
from inspection.records.access import get_readable
from inspection.records.preconditions import mark_of, reason_of, refuse_stale, refuse_unsubmitted
from inspection.statistics import tallies
from inspection.submissions.validation import content_digest, content_of
from inspection.workflows import WORKFLOWS


def void(session: Session, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]) -> Inspection:
    """Void a submitted record, with a reason; by its user name for a day, by whoever stands above it at any time."""
    record = get_readable(session, actor, record_type, record_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"{record_type}.void", record_id, body)):
        return get_readable(session, actor, record_type, record_id)
    flow = WORKFLOWS[record_type]
    refuse_unsubmitted(record)
    flow.step("void", record.status, actor)
    refuse_to_void(session, record, actor)
    refuse_stale(record, body)
    reason = demanded(reason_of(body), "/reason", "请填写作废原因")
    now = clock.now()
    assert record.tally_id is not None
    # The tally before the record, as submission and correction do, so that nobody waits in a circle.
    tallies.change(session, record.tally_id, Counts().minus(tallies.counts_of_record(record)))
    values = {
        "voided": {**mark_of(actor, now), "reason": reason}, "returned": None, "sheet_key": None, "sheet_twin": 0,
        "updated_at": now,
    }  # fmt: skip
    flow.move(session, actor, record, "void", values, {"content": content_digest(content_of(record)), "reason": reason})
    if record_type == CHECK:
        # After the move, which waits for an order that is being given at this moment.
        rectifications.refuse_while_open(session, record_id)
        publications.withdraw(session, record_id)
    correction_requests.lapse(session, record)
    todos.close_all(session, record_id)
    record_todos.settle(session, tallies.key_of(record))
    return get_readable(session, actor, record_type, record_id)
