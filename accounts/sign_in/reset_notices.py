"""Notices of resets (重置) of the own account: who did it, and when.

They are read from the history of the user and shown at each sign-in of thirty days: a message that goes away once it
was read could be read by whoever took the password.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.models import HistoryEntry, HistoryPayload

SHOWN_FOR = timedelta(days=30)
_MOST = 5

KINDS = {
    "reset_password": "password", "enterprise_reset_password": "password", "administrator_reset_password": "password",
    "confirm_reset": "password", "hand_over_again": "password", "reset_by_link": "password",
    "reset_second_factor": "second_factor", "enterprise_reset_second_factor": "second_factor",
    "confirm_reset_second_factor": "second_factor", "administrator_reset_second_factor": "second_factor",
}  # fmt: skip
"""What steps of a user's history took from the person."""


@dataclass(frozen=True, slots=True)
class ResetNotice:
    """A reset as the person reads of it; `by` names who did it and, of two, who had proposed it."""

    kind: str
    at: datetime
    by: list[dict[str, str | None]]

    def as_json(self) -> dict[str, Any]:
        """In an answer."""
        return {"kind": self.kind, "at": clock.rfc3339(self.at), "by": self.by}


def notices(session: Session, user_id: UUID) -> list[ResetNotice]:
    """The resets of the last thirty days, the newest first."""
    rows = session.execute(
        select(HistoryEntry.action, HistoryEntry.at, HistoryPayload.payload)
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id, isouter=True)
        .where(
            HistoryEntry.subject_id == user_id, HistoryEntry.action.in_(KINDS),
            HistoryEntry.at > clock.now() - SHOWN_FOR,
        )
        .order_by(HistoryEntry.seq.desc())
        .limit(_MOST)
    )  # fmt: skip
    return [ResetNotice(KINDS[row.action], row.at, who(row.payload or {})) for row in rows]


def who(payload: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """Who did it, and who had proposed it, from what the history keeps of a step."""
    first = payload.get("proposed_by")
    return [
        {"username": one.get("actor"), "operator_name": one.get("operator_name"), "office": one.get("office")}
        for one in (payload, *([first] if first else []))
    ]
