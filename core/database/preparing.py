"""One process at a time prepares a database: migrates it, loads what comes with the product, publishes forms.

On PostgreSQL the lock lies in the database, because its clients may stand on different machines; on SQLite on a
file beside the database. Either lock is released when its process dies.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from core.database.migrate import SchemaError

LOCK = 0x676F6E6770696E
"""The number of the advisory lock: `gongpin` as bytes."""

PATIENCE = 3600.0
"""Seconds to wait for another process; a migration of a large database takes minutes."""
_POLL = 0.2


@contextmanager
def one_at_a_time(engine: Engine, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock while the block runs; `waiting` is called once if somebody else has it.

    Not to be entered twice by the same process. Raises SchemaError after `PATIENCE`.
    """
    if engine.dialect.name == "sqlite":
        with _file_lock(engine.url.database, waiting):
            yield
        return
    # A lock of the session, taken outside a transaction: the server would end a transaction that is idle for long.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Tried again and again: a statement that waits for the lock keeps a snapshot, and CREATE INDEX CONCURRENTLY in
        # the other process would wait for the end of that snapshot.
        _wait_for(lambda: bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK})), waiting)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})


@contextmanager
def _file_lock(database: str | None, waiting: Callable[[], None]) -> Iterator[None]:
    if not database or database == ":memory:":
        yield
        return
    with (Path(database).parent / "prepare.lock").open("a") as file:

        def try_lock() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait_for(try_lock, waiting)
        yield


def _wait_for(try_lock: Callable[[], bool], waiting: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    announced = False
    while not try_lock():
        if time.monotonic() > deadline:
            raise SchemaError("另一个进程正在准备数据库，等待已超时；请确认它是否仍在运行，然后重新启动")
        if not announced:
            waiting()
            announced = True
        time.sleep(_POLL)
