"""Receipts (回执) of exports and erasures: rows of one chain of the history, numbered by their place in it.

A receipt keeps no number of the person, only keyed hashes, by which an erasure can be repeated (`erase --again`) after
a backup from before it was restored. Such a backup knows nothing of the receipt: so each erasure is also a line of a
file beside the data, written before anything is erased.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from core import clock
from core.db import Database
from core.models import HistoryEntry, HistoryPayload
from core.persons.person import Person
from core.workflows import history
from core.workflows.history import Move

FILE = "person-erasures.jsonl"
"""In `DATA_DIR`; a line an erasure."""
SUBJECT = "person_request"
CHAIN = uuid5(NAMESPACE_URL, "gongpin:persons")
"""The one subject whose history all receipts are."""
EXPORTED, BEGUN, ERASED, REPEATED = "person_exported", "erasure_begun", "erasure_done", "erasures_repeated"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """A row of the chain: its number, when, what was done, and what it keeps."""

    number: int
    at: datetime
    action: str
    kept: Mapping[str, Any]


def append(database: Database, action: str, kept: Mapping[str, Any]) -> Receipt:
    """Add a receipt; `kept` says who ran it. Two that are added at once get numbers one after the other."""
    for left in reversed(range(_TRIES)):
        try:
            with database.write() as session:
                move = Move(SUBJECT, CHAIN, action, None, action, 1, None, kept, sealed=True)
                history.append(session, move)
                row = session.execute(
                    select(HistoryEntry.seq, HistoryEntry.at)
                    .where(HistoryEntry.subject_id == CHAIN)
                    .order_by(HistoryEntry.seq.desc())
                    .limit(1)
                ).one()
            return Receipt(row.seq, row.at, action, kept)
        except IntegrityError:  # somebody else's has the number
            if not left:
                raise
    raise AssertionError


def next_number(database: Database) -> int:
    """The number that the next receipt gets, unless another is added meanwhile."""
    with database.read() as session:
        last = session.scalar(select(func.max(HistoryEntry.seq)).where(HistoryEntry.subject_id == CHAIN))
    return (last or 0) + 1


def listed(database: Database, chunk: int = 500) -> Iterator[Receipt]:
    """All receipts, the oldest first."""
    chosen = (
        select(HistoryEntry.seq, HistoryEntry.at, HistoryEntry.action, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id == CHAIN)
        .order_by(HistoryEntry.seq)
        .limit(chunk)
    )
    after = 0
    with database.read() as session:
        while True:
            rows = session.execute(chosen.where(HistoryEntry.seq > after)).all()
            for row in rows:
                yield Receipt(row.seq, row.at, row.action, row.payload or {})
            if len(rows) < chunk:
                return
            after = rows[-1].seq


def note_beside(path: Path, receipt: Receipt) -> None:
    """Add a line to the file, for the owner only, on the disk before this returns."""
    line = {"no": receipt.number, "at": clock.rfc3339(receipt.at), "person": receipt.kept["person"]}
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        begun = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        os.write(descriptor, begun + orjson.dumps(line) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def persons_in(lines: Iterable[str]) -> list[Person]:
    """The persons in the lines of such a file; a line that was cut off is passed over."""
    persons = []
    for line in lines:
        try:
            persons.append(Person.of_receipt(orjson.loads(line)["person"]))
        except (ValueError, KeyError, TypeError):
            continue
    return persons


def erased(database: Database) -> list[Person]:
    """Everybody whose erasure was begun, each once."""
    kept = [Person.of_receipt(one.kept["person"]) for one in listed(database) if one.action == BEGUN and one.kept]
    return list({(person.kind, person.key): person for person in kept}.values())
