"""History (操作记录): append-only, hash-chained per subject.

A row carries the hash of the row before it and a salted digest of its payload, and a keyed hash over all that. The
payload stands in a table of its own, so that personal data can be erased by law (`erasure.py`) and the chain holds.
`verify` shows tampering with the chain: a changed or removed row, a changed payload. That nothing is missing at the end
of a chain, and no chain as a whole, is shown by the seals (`core/sealing/`); that a chain ends where its record stands
now by `core/workflows/integrity.py`, what the record says by its room's `integrity.py`.

Rows of releases up to 0.3 have a hash without a key (`key_id` is empty). Anybody can make such a hash: it is believed
where a founding seal covers them, and nowhere else.
"""

import functools
import hashlib
import os
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CTE,
    JSON,
    Insert,
    LargeBinary,
    Select,
    Table,
    bindparam,
    insert,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from core import clock
from core.database.paging import Page, PageRequest, ascending, fetch
from core.database.prepared import Prepared
from core.db import canonical_json, dialect_of
from core.models import HistoryEntry, HistoryPayload
from core.privacy import place, seal_json
from core.workflows import digests

ZERO = bytes(32)
KIND = "history"
"""Of the digests of its rows, which are of no other use."""
ERASE = "erase"
"""The action of a row that says what was erased by law."""
FOUND_CHANGED = "found_changed"
"""In a payload: which digests did not fit any more when the step came. It was changed past the history before."""
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


def payload_place(salt: bytes) -> str:
    """The place to which a payload is sealed: its row, which the salt names, whose digest stands in the chain."""
    return place("history_payloads", "payload", salt.hex())


def _payload_digest(salt: bytes, payload: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(salt + canonical_json(payload)).digest()


def _parts(row: Any) -> list[Any]:
    """What the hash of a row is about: all that it says, and the hash of the row before."""
    return [
        row.subject_type, row.subject_id, row.seq, row.at, row.action, row.from_status,
        row.to_status, row.version, row.actor_id, row.payload_digest.hex(), row.previous_hash.hex(),
    ]  # fmt: skip


def row_of(move: Move, seq: int = 1, previous: bytes = ZERO) -> dict[str, Any]:
    """The values of a row to append, as `appending` names them; by default the first of its subject."""
    at, salt, payload = clock.now(), os.urandom(16), dict(move.payload)
    digest = _payload_digest(salt, payload)
    key_id, hashed = digests.digest_of(KIND, [
        move.subject_type, move.subject_id, seq, at, move.action, move.from_status,
        move.to_status, move.version, move.actor_id, digest.hex(), previous.hex(),
    ])  # fmt: skip
    return {
        "entry_subject_type": move.subject_type, "entry_subject_id": move.subject_id, "entry_seq": seq,
        "entry_at": at, "entry_action": move.action, "entry_from_status": move.from_status,
        "entry_to_status": move.to_status, "entry_version": move.version, "entry_actor_id": move.actor_id,
        "entry_payload_digest": digest, "entry_previous_hash": previous, "entry_hash": hashed,
        "entry_key_id": key_id, "entry_salt": salt,
        "entry_payload": seal_json(payload, payload_place(salt)) if move.sealed else payload,
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


def last_payload(session: Session, subject_id: UUID, actions: Collection[str] | None = None) -> Mapping[str, Any]:
    """What the last row of a subject carries, of all or of those with one of the actions; empty where it is erased."""
    chosen = (
        select(HistoryPayload.payload)
        .select_from(HistoryEntry)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id == subject_id)
    )
    if actions is not None:
        chosen = chosen.where(HistoryEntry.action.in_(actions))
    return session.scalar(chosen.order_by(HistoryEntry.seq.desc()).limit(1)) or {}


def marked(names: Sequence[str], *others: Mapping[str, Any]) -> dict[str, list[str]]:
    """The mark of a step that states these digests anew though they did not fit, with the marks of other payloads."""
    all_names = [*names, *(name for payload in others for name in payload.get(FOUND_CHANGED, ()))]
    return {FOUND_CHANGED: list(dict.fromkeys(all_names))} if all_names else {}


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


@contextmanager
def maintained(session: Session) -> Iterator[None]:
    """Let statements change rows of the history that PostgreSQL refuses else: sealing payloads by another key.

    What a payload says must stay: its digest stands in the chain.
    """
    if dialect_of(session) == "postgresql":
        session.execute(text("SET LOCAL gongpin.history = 'maintenance'"))
    yield
    if dialect_of(session) == "postgresql":
        session.execute(text("SET LOCAL gongpin.history = ''"))


_BEFORE = _ENTRIES.alias("before")


def checked(first: int, limit: int) -> Select[Any]:
    """So many rows from an id on, with all that `faults` looks at: what each carried, the hash of the one before it.

    The rows are chosen before they are joined: else PostgreSQL may read all payloads up to them each time.
    """
    rows = select(*_ENTRIES.c).where(_ENTRIES.c.id >= first).order_by(_ENTRIES.c.id).limit(limit).subquery("rows")
    joined = rows.outerjoin(_PAYLOADS, _PAYLOADS.c.history_id == rows.c.id).outerjoin(
        _BEFORE, (_BEFORE.c.subject_id == rows.c.subject_id) & (_BEFORE.c.seq == rows.c.seq - 1)
    )
    carried = (_PAYLOADS.c.salt, _PAYLOADS.c.payload, _BEFORE.c.hash.label("hash_before"))
    return select(*rows.c, *carried).select_from(joined).order_by(rows.c.id)


def verify(session: Session, chunk: int = 5000) -> Iterator[Broken]:
    """Walk all rows and yield each break; a payload that was erased by law is none.

    What is gone with all its chain is shown by the seals alone (`core/sealing/`).
    """
    first = 1
    while True:
        rows = session.execute(checked(first, chunk)).all()
        yield from faults(session, rows)
        if len(rows) < chunk:
            return
        first = rows[-1].id + 1


def faults(session: Session, rows: Sequence[Any], bare: Container[int] = ()) -> Iterator[Broken]:
    """What is wrong with rows of `checked`; `bare` are ids of those that had lost their payload before the first seal.

    A chain holds if each of its rows follows the one before, whichever of them is looked at first.
    """
    without = [row for row in rows if row.salt is None and row.id not in bare]
    erased = _erased(session, {row.subject_id for row in without}) if without else set()
    for row in rows:
        reason = _fault(row)
        if reason is None and row.salt is None and row.id not in bare and (row.subject_id, row.seq) not in erased:
            reason = "payload is gone, and no erasure says why"
        if reason is not None:
            yield Broken(row.subject_type, row.subject_id, row.seq, reason)


def _fault(row: Any) -> str | None:
    before = ZERO if row.seq == 1 else row.hash_before
    if before is None:
        return f"row {row.seq - 1} is missing"
    if row.previous_hash != before:
        return "does not follow the row before it"
    parts = _parts(row)
    if row.key_id is None:
        holds = hashlib.sha256(canonical_json(parts)).digest() == row.hash
    else:
        holds = digests.fits(KIND, parts, row.key_id, row.hash)
    if not holds:
        return "row was changed"
    if row.salt is not None and _payload_digest(row.salt, row.payload) != row.payload_digest:
        return "payload was changed"
    if row.salt is not None and row.payload.get(FOUND_CHANGED):
        return f"before this step it had been changed in the table: {', '.join(row.payload[FOUND_CHANGED])}"
    return None


def _erased(session: Session, subjects: set[UUID]) -> set[tuple[UUID, int]]:
    """Subject and number of the rows that erasures name."""
    chosen = (
        select(HistoryEntry.subject_id, HistoryPayload.payload)
        .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.action == ERASE)
    )
    found: set[tuple[UUID, int]] = set()
    asked = sorted(subjects)
    for start in range(0, len(asked), 500):
        for row in session.execute(chosen.where(HistoryEntry.subject_id.in_(asked[start : start + 500]))):
            found |= {(row.subject_id, seq) for seq in row.payload.get("erased", ())}
    return found
