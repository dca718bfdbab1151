"""The clocks and to-dos that a filing's status brings with it, as its kind declares them."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from accounts.offices import enterprise_office_id
from core.deadlines import clocks, outages
from core.deadlines.outages import NO_DUE
from core.workflows import todos
from enterprise.filings.kinds import ENTERPRISE, OFFICE, FilingKind, FilingStep
from enterprise.filings.models import Filing
from enterprise.models import Enterprise

TODO_KIND = "filing"
SYSTEM = "filings"
"""The system of an outage (系统故障) that moves due dates of filings."""


def run_clocks(session: Session, step: FilingStep, filing: Filing) -> None:
    """Start, pause and stop the clocks that a step names. The caller has locked or changed the filing's row."""
    if step.pauses is None and step.stops is None and step.starts is None:
        return
    calendar = clocks.working_calendar(session, (filing.area1, filing.area2, filing.area3))
    if step.pauses is not None:
        clocks.pause(session, filing.id, step.pauses, calendar)
    if step.stops is not None:
        clocks.stop(session, filing.id, step.stops)
    if step.starts is not None:
        rule = step.starts
        clocks.start(
            session, ("filing", filing.id), rule.name, unit=rule.unit, days=rule.days,
            on_restart=rule.on_restart, calendar=calendar,
        )  # fmt: skip


def due(session: Session, filing: Filing | Enterprise, day: date | None) -> dict[str, Any]:
    """The columns of a due date of the office in whose region it is: of that day, or as outages (系统故障) move it."""
    if day is None:
        return NO_DUE
    return outages.deadline(session, SYSTEM, (filing.area1, filing.area2, filing.area3), day).columns()


def _dated(filing: Filing) -> dict[str, Any]:
    return {
        "due_on": filing.due_on, "before_outage": filing.due_on_before_outage,
        "outage_reason": filing.outage_reason,
    }  # fmt: skip


def replace_todo(session: Session, kind: FilingKind, filing: Filing) -> None:
    """Close the to-do of the status before, and open that of the status in which the filing stands."""
    todos.close(session, filing.id, TODO_KIND)
    open_todo(session, kind, filing)


def open_todo(session: Session, kind: FilingKind, filing: Filing) -> None:
    """Open the to-do of the status in which the filing stands, if its kind declares one; none may be open."""
    rule = kind.todos.get(filing.status)
    if rule is None:
        return
    title, subject = f"{rule.title}：{filing.org_name}", ("filing", filing.id)
    if rule.side == "enterprise":
        todos.open_for_office(
            session, TODO_KIND, title, subject, verb=ENTERPRISE, office_id=enterprise_office_id(filing.uscc),
            **(_dated(filing) if rule.dated else {}),
        )  # fmt: skip
    else:
        todos.open_for_region(
            session, TODO_KIND, title, subject, verb=OFFICE, area1=filing.area1, area2=filing.area2, area3=filing.area3
        )
