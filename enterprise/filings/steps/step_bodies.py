"""What the body of a step says besides its form: the comment, and the due day that it sets anew."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from core import clock
from core.errors import Fault, Problem, invalid
from core.text import clean, demanded
from enterprise.filings.content import as_date
from enterprise.filings.declaring.declarations import Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing
from enterprise.filings.sides.todos import due

Found = TypeVar("Found")


def collected(faults: list[Fault], ask: Callable[..., Found], *given: Any) -> Found | None:
    """What `ask` says of these; its faults are added to those that were found before."""
    try:
        return ask(*given)
    except Problem as refused:
        if refused.code != "invalid":
            raise
        faults += refused.errors
        return None


def comment(step: Step, body: Mapping[str, Any]) -> str | None:
    comment = body.get("comment")
    comment = clean(comment) if isinstance(comment, str) else None
    if step.comment:
        demanded(comment, "/comment", f"{step.label}须填写意见或原因")
    return comment


def new_due_date(
    session: Session, kind: FilingKind, step: Step, filing: Filing, body: Mapping[str, Any]
) -> dict[str, Any]:
    """What changes with the due date that a step which asks for a correction may set anew."""
    data = body.get("data") or {}
    said = body.get("due_on") or (data.get("due_on") if step.form is None else None)
    if not step.asks_back or said is None:
        return {}
    due_on = as_date(said)
    if due_on is None:
        raise invalid("/due_on", "bad_format", "期限不是有效的日期，请按“2026-11-20”的形式填写")
    if due_on < clock.today():
        raise invalid("/due_on", "out_of_range", "新的期限不能早于今天，请重新选择")
    values = due(session, filing, due_on)
    if kind.due_from is not None:
        values["data"] = {**filing.data, kind.due_from: due_on.isoformat()}
    return values
