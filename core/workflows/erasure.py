"""Erasing by law what rows of the history (操作记录) carried: payloads go, and a row says which and why."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, bindparam, delete, select, text
from sqlalchemy.orm import Session

from core.db import dialect_of
from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import ERASE, FOUND_CHANGED, Move, append, marked

DIGESTS = ("content", "sent", "standing", "account", "application", "office", "asked")
"""What payloads hold of the record's state: an erasure goes on to say it."""
KEPT_SAID = ("bindings", "email", "second_factor", FOUND_CHANGED)
"""What only some rows say, and an erasure of them goes on to say: the digest of what stands beside the record."""


def erase(
    session: Session,
    subject_id: UUID,
    seqs: Sequence[int],
    payload: Mapping[str, Any],
    *,
    actor_id: UUID | None = None,
) -> int:
    """Erase by law what rows of a subject carried, and append a row that says so; how many payloads went.

    The chain stays verifiable: a payload that is gone is no break where such a row names it. `payload` says why and by
    whom, and nothing that had to be erased. Where the record itself is changed too, it holds the new digests under the
    names that the room's own steps use (`content`, `standing`), and which did not fit before (`FOUND_CHANGED`); else
    those of the last row go on to hold. The caller has locked the record, as for any step; rows of erasures are not
    erased.
    """
    newest = (
        select(HistoryEntry, HistoryPayload.payload)
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id, isouter=True)
        .where(HistoryEntry.subject_id == subject_id)
    )
    last = session.execute(newest.order_by(HistoryEntry.seq.desc()).limit(1)).first()
    if last is None:
        return 0
    named = select(HistoryEntry.id, HistoryEntry.seq).where(
        HistoryEntry.subject_id == subject_id, HistoryEntry.seq.in_(seqs), HistoryEntry.action != ERASE
    )
    rows = session.execute(named.order_by(HistoryEntry.seq)).all()
    entry: HistoryEntry = last.HistoryEntry
    carried = {name: last.payload[name] for name in DIGESTS if name in (last.payload or {})}
    carried |= _kept_said(session, subject_id)
    recorded = {**carried, **payload, **marked([], carried, payload), "erased": [row.seq for row in rows]}
    stays = (entry.to_status, entry.to_status, entry.version)
    append(session, Move(entry.subject_type, subject_id, ERASE, *stays, actor_id, recorded))
    ids = [row.id for row in rows]
    if dialect_of(session) == "sqlite":
        gone = session.execute(delete(HistoryPayload).where(HistoryPayload.history_id.in_(ids)))
        return cast("CursorResult[Any]", gone).rowcount
    # By a function of the database, which demands that row: the server's role may have no right to delete any.
    appended = session.execute(_LAST_ID, {"subject": subject_id}).scalar_one()
    return int(session.execute(_ERASE, {"erasure": appended, "erased": ids}).scalar_one())


def _kept_said(session: Session, subject_id: UUID) -> dict[str, Any]:
    """The newest of each of `KEPT_SAID` in a chain."""
    carried = (
        select(HistoryPayload.payload)
        .join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
        .where(HistoryEntry.subject_id == subject_id)
        .order_by(HistoryEntry.seq)
    )
    found: dict[str, Any] = {}
    for payload in session.scalars(carried):
        found |= {name: payload[name] for name in KEPT_SAID if name in payload}
    return found


_LAST_ID = (
    select(HistoryEntry.id)
    .where(HistoryEntry.subject_id == bindparam("subject"))
    .order_by(HistoryEntry.seq.desc())
    .limit(1)
)
_ERASE = text("SELECT history_erase(:erasure, CAST(:erased AS bigint[]))")
