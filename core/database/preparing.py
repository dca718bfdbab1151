"""One process at a time prepares a database: migrates it, loads what comes with the product, publishes forms.

On PostgreSQL the lock lies in the database, because its clients may stand on different machines; on SQLite on a
file beside the database. Either falls when its process dies.
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
    # Of the session and outside a transaction: one that lies idle while others migrate would be ended by the server.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Asked again and again instead of waited for: a waiting statement keeps a snapshot, for whose end the building
        # of an index beside ongoing work (CREATE INDEX CONCURRENTLY) would wait in its turn.
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

        def taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait_for(taken, waiting)
        yield


def _wait_for(taken: Callable[[], bool], waiting: Callable[[], None]) -> None:
    deadline = time.monotonic() + PATIENCE
    told = False
    while not taken():
        if time.monotonic() > deadline:
            raise SchemaError("另一个进程正在准备数据库，等待已超时；请确认它是否仍在运行，然后重新启动")
        if not told:
            waiting()
            told = True
        time.sleep(_POLL)
