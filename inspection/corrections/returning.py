"""Sending a record back for correction (退回更正): a superior says what is wrong, and its owner corrects it.

So nobody rewrites the record of somebody else. A returned record stays submitted and counts on; its owner may correct
it once, however long ago it was entered.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Problem
from core.text import demanded
from core.workflows import todos
from core.workflows.versions import refuse_stale
from inspection.corrections import requests as correction_requests
from inspection.corrections.authority import refuse_to_decide
from inspection.corrections.changes import claim_change, mark_of, text_of
from inspection.corrections.correction_todos import TODO_RETURNED, open_todo_for_owner
from inspection.models import Inspection
from inspection.records.access import get_readable, refreshed
from inspection.records.content import content_of, stated, subject_of
from inspection.workflows import WORKFLOWS


def send_back(session: Session, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]) -> Inspection:
    """Return a record with an opinion, which opens a to-do for its owner; returned again, the newer opinion holds.

    409 `already_open` while its owner waits for an answer to an application: that is answered first.
    """
    record = get_readable(session, actor, record_type, record_id)
    # The call need not carry a version: the same opinion after a correction is another call.
    call = {**body, "corrections": (record.corrected or {}).get("count", 0)}
    if not claim_change(session, actor, record, "return", call):
        return refreshed(session, record)
    refuse_to_decide(session, record, actor)
    if body.get("version") is not None:
        refuse_stale(record.version, body)
    opinion = demanded(text_of(body, "opinion"), "/opinion", "请填写退回意见，说明需要更正的内容")
    now = clock.now()
    values = {"returned": {**mark_of(actor, now), "opinion": opinion}, "updated_at": now}
    payload = {**stated(session, record, content_of(record)), "opinion": opinion}
    WORKFLOWS[record_type].move(session, actor, record, "return", values, payload)
    if correction_requests.pending_of(session, record_id) is not None:
        raise Problem("already_open", "该记录有待审核的更正申请，请先采纳或驳回该申请")
    todos.close(session, record_id, TODO_RETURNED)
    correction_requests.forget_refusals(session, record)
    open_todo_for_owner(
        session, record, TODO_RETURNED, f"退回更正：{record.org_name}（{opinion}）", subject_of(record_type, record_id)
    )
    return refreshed(session, record)
