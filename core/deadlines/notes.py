"""The sentence beside a deadline: why it is another day than was said before, or may still become one."""

from datetime import date
from typing import Protocol

from core.deadlines.clocks import provisional_note


class Dated(Protocol):
    """A row that shows a deadline to people."""

    due_on: date | None
    due_on_before_outage: date | None
    outage_reason: str | None


def moved_note(row: Dated) -> str | None:
    """The sentence beside a deadline that outages (系统故障) have moved; None for any other."""
    if row.due_on is None or row.due_on_before_outage is None:
        return None
    before, day = row.due_on_before_outage.isoformat(), row.due_on.isoformat()
    return f"因系统故障（{row.outage_reason}）由{before}顺延至{day}"


def deadline_note(row: Dated) -> str | None:
    """The same, and that the day was counted on guessed working days, where the row knows."""
    provisional = provisional_note(row.due_on, provisional=getattr(row, "due_on_provisional", False))
    return "；".join(filter(None, (moved_note(row), provisional))) or None
