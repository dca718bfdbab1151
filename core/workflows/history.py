"""History (操作记录): append-only, hash-chained per subject.

A row carries the hash of the row before it and a salted digest of its payload. The payload stands
in a table of its own, so that personal data can be erased without breaking the chain. `verify`
shows tampering with the chain: a changed or removed row, a changed payload. That a chain ends where
its record stands now is checked by `core/workflows/integrity.py`, what the record says by its room's `integrity.py`.
"""

import functools
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CTE,
    JSON,
    ColumnElement,
    Insert,
    LargeBinary,
    Table,
    and_,
    bindparam,
    insert,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from core import clock
from core.database.paging import Page, PageRequest, ascending, fetch
from core.database.prepared import Prepared
from core.db import canonical_json, dialect_of
from core.models import HistoryEntry, HistoryPayload
from core.privacy import seal_json

ZERO = bytes(32)
ROWS_SHOWN = 200

_ENTRIES, _PAYLOADS = cast(Table, HistoryEntry.__table__), cast(Table, HistoryPayload.__table__)
_LAST = Prepared(
    select(_ENTRIES.c.seq, _ENTRIES.c.hash)
    .where(_ENTRIES.c.subject_id == bindparam("subject"))
    .order_by(_ENTRIES.c.seq.desc())
    .limit(1)
)
_APPEND, _KEEP = Prepared(insert(_ENTRIES).returning(_ENTRIES.c.id)), Prepared(insert(_PAYLOADS))
_FROM_THE_BEGINNING = ascending("history", HistoryEntry.seq)
_SHOWN = select(HistoryEntry, HistoryPayload.payload).join(
    HistoryPayload, HistoryPayload.history_id == HistoryEntry.id, isouter=True
)
_ENTRY = [column for column in _ENTRIES.c if column.name != "id"]


def appending(after: CTE | None = None) -> Insert:
    """Both rows by one statement, which saves PostgreSQL a round trip; SQLite knows no INSERT within WITH.

    Its values are those of `row_of`. Nothing is appended where `after` made no row.
    """
    given = select(*(bindparam(f"entry_{column.name}", type_=column.type) for column in _ENTRY))
    entry = insert(_ENTRIES).from_select(_ENTRY, given if after is None else given.select_from(after))
    appended = entry.returning(_ENTRIES.c.id).cte("appended")
    kept = select(appended.c.id, bindparam("entry_salt", type_=LargeBinary), bindparam("entry_payload", type_=JSON))
    return insert(_PAYLOADS).from_select(["history_id", "salt", "payload"], kept).returning(_PAYLOADS.c.history_id)


_APPEND_AND_KEEP = Prepared(appending())


@functools.lru_cache(maxsize=8)
def _appending_several(count: int) -> Prepared:
    """The same of several rows of one subject; the values of row N are named `N_entry_…`."""
    columns = {**{column.name: column.type for column in _ENTRY}, "salt": LargeBinary(), "payload": JSON()}
    rows = [
        select(*(bindparam(f"{n}_entry_{name}", type_=kind).label(name) for name, kind in columns.items()))
        for n in range(count)
    ]
    given = union_all(*rows).cte("given")
    entry = insert(_ENTRIES).from_select(_ENTRY, select(*(given.c[column.name] for column in _ENTRY)))
    appended = entry.returning(_ENTRIES.c.id, _ENTRIES.c.seq).cte("appended")
    kept = select(appended.c.id, given.c.salt, given.c.payload).where(given.c.seq == appended.c.seq)
    return Prepared(insert(_PAYLOADS).from_select(["history_id", "salt", "payload"], kept))


@dataclass(frozen=True, slots=True)
class Move:
    """One row to append. `payload` holds what may have to be erased one day: names, comments, changes.

    `sealed`: it is encrypted at rest.
    """

    subject_type: str
    subject_id: UUID
    action: str
    from_status: str | None
    to_status: str
    version: int
    actor_id: UUID | None
    payload: Mapping[str, Any]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where a chain does not hold."""

    subject_type: str
    subject_id: UUID
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id} #{self.seq}: {self.reason}"


def content_digest(content: Mapping[str, Any]) -> str:
    """Digest of a subject's content, for the payload of a move: it shows a subject that was changed without a move."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def _payload_digest(salt: bytes, payload: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(salt + canonical_json(payload)).digest()


def _row_hash(move: Move, seq: int, at: datetime, digest: bytes, previous: bytes) -> bytes:
    parts = [
        move.subject_type, str(move.subject_id), seq, at.isoformat(), move.action, move.from_status,
        move.to_status, move.version, None if move.actor_id is None else str(move.actor_id),
        digest.hex(), previous.hex(),
    ]  # fmt: skip
    return hashlib.sha256(canonical_json(parts)).digest()


def row_of(move: Move, seq: int = 1, previous: bytes = ZERO) -> dict[str, Any]:
    """The values of a row to append, as `appending` names them; by default the first of its subject."""
    at, salt, payload = clock.now(), os.urandom(16), dict(move.payload)
    digest = _payload_digest(salt, payload)
    return {
        "entry_subject_type": move.subject_type, "entry_subject_id": move.subject_id, "entry_seq": seq,
        "entry_at": at, "entry_action": move.action, "entry_from_status": move.from_status,
        "entry_to_status": move.to_status, "entry_version": move.version, "entry_actor_id": move.actor_id,
        "entry_payload_digest": digest, "entry_previous_hash": previous,
        "entry_hash": _row_hash(move, seq, at, digest, previous), "entry_salt": salt,
        "entry_payload": seal_json(payload) if move.sealed else payload,
    }  # fmt: skip


def append(session: Session, move: Move, *, first: bool = False) -> None:
    """Append one row. `first` says that the subject was created in this transaction (saves a look-up)."""
    append_all(session, [move], first=first)


def append_all(session: Session, moves: Sequence[Move], *, first: bool = False) -> None:
    """Append rows of one subject, at least one, in order, with one look at where its chain ends."""
    last = None if first else _LAST.first(session, {"subject": moves[0].subject_id})
    seq, previous = (0, ZERO) if last is None else (last.seq, last.hash)
    rows: list[dict[str, Any]] = []
    for number, move in enumerate(moves, seq + 1):
        rows.append(row_of(move, number, rows[-1]["entry_hash"] if rows else previous))
    if dialect_of(session) != "sqlite":
        if len(rows) == 1:
            _APPEND_AND_KEEP.rows(session, rows[0])
        else:
            named = {f"{n}_{name}": value for n, row in enumerate(rows) for name, value in row.items()}
            _appending_several(len(rows)).rows(session, named)
        return
    for row in rows:
        salt, payload = row.pop("entry_salt"), row.pop("entry_payload")
        entry = _APPEND.first(session, {name.removeprefix("entry_"): value for name, value in row.items()})
        _KEEP.rows(session, {"history_id": entry.id, "salt": salt, "payload": payload})


def read(session: Session, subject_id: UUID, limit: int = ROWS_SHOWN) -> list[dict[str, Any]]:
    """The newest `limit` rows of a subject, oldest first, as the HTTP contract writes them."""
    chosen = _SHOWN.where(HistoryEntry.subject_id == subject_id).order_by(HistoryEntry.seq.desc()).limit(limit)
    return [as_json(row) for row in reversed(session.execute(chosen).all())]


def page(session: Session, subject_id: UUID, request: PageRequest) -> Page:
    """A page of the rows of a subject, oldest first: a chain is read from its beginning and grows at its end."""
    return fetch(session, _SHOWN, _FROM_THE_BEGINNING, request, HistoryEntry.subject_id == subject_id)


def as_json(row: Any) -> dict[str, Any]:
    """A row as the HTTP contract writes it."""
    entry: HistoryEntry = row.HistoryEntry
    return {
        "seq": entry.seq,
        "at": clock.rfc3339(entry.at),
        "action": entry.action,
        "from": entry.from_status,
        "to": entry.to_status,
        "version": entry.version,
        **({"erased": True} if row.payload is None else row.payload),
    }


def verify(session: Session) -> Iterator[Broken]:
    """Walk every chain and yield each break; an erased payload is no break."""
    subject: UUID | None = None
    seq, previous = 0, ZERO
    for entry, payload in _all(session):
        if entry.subject_id != subject:
            subject, seq, previous = entry.subject_id, 0, ZERO
        seq += 1
        move = Move(entry.subject_type, entry.subject_id, entry.action, entry.from_status,
                    entry.to_status, entry.version, entry.actor_id, {})  # fmt: skip
        reason = None
        if entry.seq != seq:
            reason = f"row {seq} is missing"
        elif entry.previous_hash != previous:
            reason = "does not follow the row before it"
        elif entry.hash != _row_hash(move, entry.seq, entry.at, entry.payload_digest, previous):
            reason = "row was changed"
        elif payload is not None and _payload_digest(payload.salt, payload.payload) != entry.payload_digest:
            reason = "payload was changed"
        if reason:
            yield Broken(entry.subject_type, entry.subject_id, entry.seq, reason)
        seq, previous = entry.seq, entry.hash


def _all(session: Session, chunk: int = 1000) -> Iterator[tuple[HistoryEntry, HistoryPayload | None]]:
    """Every row with its payload, by subject and number, in chunks: memory stays flat and nothing is locked."""
    statement = (
        select(HistoryEntry, HistoryPayload)
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id, isouter=True)
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq)
        .limit(chunk)
    )
    after: ColumnElement[bool] = true()
    while True:
        rows = session.execute(statement.where(after)).all()
        for row in rows:
            yield row[0], row[1]
        if len(rows) < chunk:
            return
        last: HistoryEntry = rows[-1][0]
        after = or_(
            HistoryEntry.subject_id > last.subject_id,
            and_(HistoryEntry.subject_id == last.subject_id, HistoryEntry.seq > last.seq),
        )
        session.expunge_all()
