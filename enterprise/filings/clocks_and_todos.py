"""The clocks and to-dos that a filing's status brings with it, as its kind declares them."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from accounts.offices import enterprise_office_id
from core.deadlines import clocks, outages
from core.deadlines.outages import NO_DUE
from core.workflows import todos
from enterprise.filings.declarations import APPLICANT, System
from enterprise.filings.kinds import FilingKind
from enterprise.filings.models import Filing
from enterprise.models import Enterprise

TODO_KIND = "filing"
SYSTEM = "filings"
"""The system of an outage (系统故障) that moves due dates of filings."""


def run_clocks(session: Session, kind: FilingKind, filing: Filing, left: str | None) -> None:
    """Start, pause and stop the clocks of a filing that came from the status `left` to where it stands.

    The caller has locked or changed the filing's row.
    """
    if not kind.clocks:
        return
    now = filing.status
    for declared in kind.clocks:
        running, paused = now in declared.runs_in, now in declared.pauses_in
        if (running and left in declared.runs_in) or (paused and left in declared.pauses_in):
            continue
        calendar = clocks.working_calendar(session, (filing.area1, filing.area2, filing.area3))
        if running:
            clocks.start(
                session, ("filing", filing.id), declared.name, unit=declared.unit, days=declared.days,
                on_restart=declared.again, calendar=calendar,
            )  # fmt: skip
        elif paused:
            clocks.pause(session, filing.id, declared.name, calendar)
        elif left in declared.runs_in or left in declared.pauses_in:
            clocks.stop(session, filing.id, declared.name)


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
    status = kind.status(filing.status)
    if status.todo is None:
        return
    title, subject = f"{status.todo}：{filing.org_name}", ("filing", filing.id)
    taker = status.turns[0]
    if taker == APPLICANT:
        todos.open_for_office(
            session, TODO_KIND, title, subject, verb=APPLICANT.verb, office_id=enterprise_office_id(filing.uscc),
            **(_dated(filing) if status.dated else {}),
        )  # fmt: skip
    elif not isinstance(taker, System):
        todos.open_for_region(
            session, TODO_KIND, title, subject, verb=taker.verb, area1=filing.area1, area2=filing.area2,
            area3=filing.area3,
        )  # fmt: skip
