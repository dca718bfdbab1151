"""The row of a follow-up (差评整改) and its to-dos, one for each status."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.deadlines.clocks import Deadline
from core.workflows import todos
from feedback.models import RatingFollowUp
from feedback.workflows import (
    APPEALING,
    EXPLAINED,
    FED_BACK,
    HANDLE,
    RECTIFYING,
    SUPERVISE,
    TO_VERIFY,
    VERIFIED,
)

NEW: dict[str, Any] = {"extended": False, "contacts": 0, "appeal_evidence": []}
"""The columns of a follow-up before its first step."""

FOLLOW_UP, REVIEW, APPEAL = "rating_follow_up", "rating_review", "rating_appeal"
_TODOS = {
    **dict.fromkeys((TO_VERIFY, VERIFIED, RECTIFYING, EXPLAINED), (FOLLOW_UP, HANDLE, "差评待整改")),
    FED_BACK: (REVIEW, SUPERVISE, "差评整改待审核"),
    APPEALING: (APPEAL, SUPERVISE, "差评申诉待复核"),
}


def open_follow_up(session: Session, rating_id: UUID, office_id: UUID, matter_name: str, due: Deadline) -> None:
    """Open the follow-up of a new bad rating, with a to-do for the handlers of the office that is rated."""
    session.execute(insert(RatingFollowUp).values(rating_id=rating_id, **NEW))
    _open(session, rating_id, TO_VERIFY, office_id, matter_name, due)


def replace_todo(
    session: Session, rating_id: UUID, status: str, office_id: UUID, matter_name: str, due: Deadline | None
) -> None:
    """Close the to-dos of a follow-up and open that of the status, if it has one."""
    for kind in (FOLLOW_UP, REVIEW, APPEAL):
        todos.close(session, rating_id, kind)
    if status in _TODOS:
        _open(session, rating_id, status, office_id, matter_name, due)


def _open(
    session: Session, rating_id: UUID, status: str, office_id: UUID, matter_name: str, due: Deadline | None
) -> None:
    kind, verb, title = _TODOS[status]
    todos.open_for_office(
        session, kind, f"{title}：{matter_name}", ("rating", rating_id),
        verb=verb, office_id=office_id, due_on=due.day if due else None,
        provisional=due is not None and due.provisional, before_outage=due.before_outage if due else None,
        outage_reason=due.outage_reason if due else None,
    )  # fmt: skip
