"""Turns at writing to a SQLite file.

SQLite lets one transaction write at a time; the others sleep and try again, longer and longer, up to
a tenth of a second too long, while nobody writes any more. Here they queue: threads behind a lock of their
process, processes behind a lock on a file beside the database, tried every half millisecond. This
made commits a sixth more frequent and the slowest waits eight times shorter. `OneAtATime` lets a
process work on one write after the other, which gave another tenth. None of this is needed for
correctness: SQLite's own lock guards the file.
"""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 20.0
"""Seconds to wait for a turn; then SQLite's own waiting decides."""
_POLL = 0.0005


class Turns:
    """The queue of this process for one file. The locks of a process that dies are released."""

    def __init__(self, database: Path) -> None:
        self._threads = threading.Lock()
        self._file = open(f"{database}-turn", "ab")  # noqa: SIM115 - as long as the engine

    def take(self) -> bool:
        """Wait for the turn; False when it did not come in time."""
        deadline = time.monotonic() + PATIENCE
        if not self._threads.acquire(timeout=PATIENCE):
            return False
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self._threads.release()
                    return False
                time.sleep(_POLL)
            else:
                return True

    def give_back(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()


class OneAtATime:
    """Lets one thread of the process work on a write, from its first look to its commit. Use in `with`.

    Another thread that runs Python meanwhile would take the interpreter at every statement, for up to five
    milliseconds each time, while the first one keeps all other writers waiting. Who has waited for
    `PATIENCE` goes on without it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._here = threading.local()

    def __enter__(self) -> None:
        entered: list[bool] = self._here.__dict__.setdefault("entered", [])
        entered.append(self._lock.acquire(timeout=PATIENCE))

    def __exit__(self, *_exception: object) -> None:
        if self._here.entered.pop():
            self._lock.release()


class TakingTurns(sqlite3.Connection):
    """A connection that writes in its turn: from `begin_writing` to the end of the transaction."""

    turns: Turns | None = None
    _mine = False

    def begin_writing(self) -> None:
        """Take the turn and begin. Raises `sqlite3.OperationalError` when someone beside the queue writes too long."""
        if self.turns is not None and not self._mine:
            self._mine = self.turns.take()
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._give_back()
            raise

    def commit(self) -> None:
        try:
            super().commit()
        except sqlite3.Error:
            # As on a full disk. SQLAlchemy takes the transaction for ended and calls nothing more.
            self.rollback()
            raise
        self._give_back()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._give_back()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if self._mine and self.turns is not None:
            self._mine = False
            self.turns.give_back()


def connections(turns: Turns | None) -> Callable[..., Any]:
    """A `factory` for `sqlite3.connect`."""
    return type("TakingTurns", (TakingTurns,), {"turns": turns})
