"""To-dos (待办) of field records: disposals under way, enterprises that refused, corrections wanted and asked for."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from accounts.verbs import Verb
from core import todos
from inspection.authority import is_still_there
from inspection.entry import subject_of
from inspection.models import Inspection

TODO_DISPOSAL, TODO_REFUSED, TODO_RETURNED = "disposal_in_progress", "inspection_refused", "correction_returned"
TODO_ASKED, TODO_REJECTED = "correction_requested", "correction_rejected"


def open_todos(session: Session, record: Inspection) -> None:
    """Open what a submitted record asks for; what is open already stays."""
    subject = subject_of(record.book, record.id)
    if record.disposal_state == "in_progress":
        todos.open_for_office(
            session, TODO_DISPOSAL, f"待完成处置：{record.org_name}", subject,
            verb=Verb.INSPECTION_WRITE, office_id=record.office_id,
        )  # fmt: skip
    if was_refused(record):
        todos.open_for_office(
            session, TODO_REFUSED, f"企业拒绝检查：{record.org_name}", subject,
            verb=Verb.INSPECTION_WRITE, office_id=record.office_id, urgent=True,
        )  # fmt: skip


def was_refused(record: Inspection) -> bool:
    """Whether the enterprise would not be checked (企业拒绝检查)."""
    return record.unable and record.data.get("unable_reason") == "refused"


def tell_owner(session: Session, record: Inspection, kind: str, title: str, subject: tuple[str, UUID]) -> None:
    """Open a to-do for the user name that entered a record, or for its office where that one has left."""
    if is_still_there(session, record):
        todos.open_for_user(session, kind, title, subject, user_id=record.created_by)
    else:
        todos.open_for_office(
            session, kind, title, subject, verb=Verb.INSPECTION_WRITE, office_id=record.office_id
        )  # fmt: skip


def tell_superior(session: Session, record: Inspection, kind: str, title: str, subject: tuple[str, UUID]) -> None:
    """Open a to-do for the office above the one that entered a record; for its own where none stands above."""
    parent_id = session.scalar(select(Office.parent_id).where(Office.id == record.office_id))
    todos.open_for_office(
        session, kind, title, subject, verb=Verb.INSPECTION_WRITE, office_id=parent_id or record.office_id
    )  # fmt: skip
