"""To-dos (待办) of corrections: for the owner of a record, who is to correct it, and for the superior who decides."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office
from accounts.verbs import Verb
from core.workflows import todos
from inspection.corrections.authority import is_still_there
from inspection.models import Inspection

TODO_RETURNED = "correction_returned"
TODO_ASKED, TODO_REJECTED = "correction_requested", "correction_rejected"


def open_todo_for_owner(session: Session, record: Inspection, kind: str, title: str, subject: tuple[str, UUID]) -> None:
    """Open a to-do for the user name that entered a record, or for its office when that user has left."""
    if is_still_there(session, record):
        todos.open_for_user(session, kind, title, subject, user_id=record.created_by)
    else:
        todos.open_for_office(
            session, kind, title, subject, verb=Verb.INSPECTION_WRITE, office_id=record.office_id
        )  # fmt: skip


def open_todo_for_superior(
    session: Session, record: Inspection, kind: str, title: str, subject: tuple[str, UUID]
) -> None:
    """Open a to-do for the office above the one that entered a record; for its own where there is none above."""
    parent_id = session.scalar(select(Office.parent_id).where(Office.id == record.office_id))
    todos.open_for_office(
        session, kind, title, subject, verb=Verb.INSPECTION_WRITE, office_id=parent_id or record.office_id
    )  # fmt: skip
