"""Recording in the access log (查阅日志): gathered in the process, written every second and when the process ends.

Why not in the transaction of each reading: `docs/decisions/0027-access-log-and-retention.md`. A process that is killed
loses what it gathered in the last second; whatever the database cannot take is kept, and beyond `MOST_WAITING` entries
goes to the program's log instead, without what was asked for.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from accounts.access_log.models import AccessEntry, AccessSubject
from core import clock
from core.actor import Actor
from core.db import Database, dialect_of, insert_into
from core.privacy import in_row

log = structlog.get_logger()

EVERY_SECONDS = 1.0
BATCH = 200
"""Entries that are written in one transaction."""
MOST_WAITING = 20_000
MOST_IDS = 500
"""Records of one answer whose ids are noted; of an export with more, the filters say what it held."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer that held personal data. `subjects` are the ids of its records, `rows` how many there were."""

    at: datetime
    actor: Actor
    address: str
    operation: str
    subject_type: str
    subjects: Sequence[UUID]
    rows: int | None
    asked: Mapping[str, Any]


class AccessLog:
    """One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[UUID, Reading]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._stopped = threading.Event()

    def note(self, reading: Reading) -> None:
        """Note a reading, to be written within a second."""
        with self._lock:
            full = len(self._waiting) >= MOST_WAITING
            if not full:
                self._waiting.append((_new_id(), reading))
        if full:
            _log(reading)

    def write(self) -> int:
        """Write what was gathered; how many entries. What cannot be written now is kept for the next time."""
        written = 0
        with self._writing:
            while True:
                with self._lock:
                    some = self._waiting[:BATCH]
                if not some:
                    return written
                try:
                    with self._database.write() as session:
                        _insert(session, some)
                except SQLAlchemyError as error:
                    log.warning("access_log_not_written", waiting=len(some), error=type(error).__name__)
                    return written
                with self._lock:
                    del self._waiting[: len(some)]
                written += len(some)

    def start(self) -> None:
        """Write every second, in a thread that ends with the process."""
        threading.Thread(target=self._loop, name="access-log", daemon=True).start()

    def stop(self) -> None:
        """Write what is there and let the thread end; what cannot be written goes to the program's log."""
        self._stopped.set()
        self.write()
        with self._lock:
            lost, self._waiting = self._waiting, []
        for _, reading in lost:
            _log(reading)

    def _loop(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self.write()
            # Nobody would start the thread again.
            except Exception as error:
                log.error("access_log_not_written", error=type(error).__name__, exc_info=True)


def _insert(session: Session, readings: Sequence[tuple[UUID, Reading]]) -> None:
    """Doing it again adds nothing: a commit may have come through although its answer was lost."""
    entries, subjects = [], []
    for entry_id, reading in readings:
        ids = list(dict.fromkeys(reading.subjects))[:MOST_IDS]
        asked = orjson.dumps(dict(reading.asked), default=str).decode() if reading.asked else None
        values = {
            "id": entry_id, "at": reading.at, "user_id": reading.actor.user_id, "username": reading.actor.username,
            "operator_name": reading.actor.operator_name, "office_id": reading.actor.office_id,
            "office_name": reading.actor.office_name, "address": reading.address[:45],
            "operation": reading.operation[:80], "subject_type": reading.subject_type, "asked": asked,
            "rows": reading.rows, "noted": len(ids),
        }  # fmt: skip
        entries.append(in_row(AccessEntry, values))
        subjects += [{"entry_id": entry_id, "subject_id": one} for one in ids]
    dialect = dialect_of(session)
    session.execute(insert_into(dialect, AccessEntry).on_conflict_do_nothing(), entries)
    if subjects:
        session.execute(insert_into(dialect, AccessSubject).on_conflict_do_nothing(), subjects)


def _log(reading: Reading) -> None:
    log.error(
        "access_log_full", at=clock.rfc3339(reading.at), username=reading.actor.username,
        operator_name=reading.actor.operator_name, office=reading.actor.office_name, address=reading.address,
        operation=reading.operation, subject_type=reading.subject_type, rows=reading.rows,
        subjects=[str(one) for one in reading.subjects[:MOST_IDS]],
    )  # fmt: skip


def _new_id() -> UUID:
    """A UUID that begins with the time (RFC 9562, version 7): new rows stand beside each other in the index."""
    random = int.from_bytes(os.urandom(10), "big")
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=milliseconds << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 2 << 62 | random & (1 << 62) - 1)
