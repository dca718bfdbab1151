"""To-dos (待办) of field records: disposals under way, enterprises that refused."""

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core import todos
from inspection.entry import subject_of
from inspection.models import Inspection

TODO_DISPOSAL, TODO_REFUSED = "disposal_in_progress", "inspection_refused"


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
