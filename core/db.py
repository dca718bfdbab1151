"""Database engine, sessions and column types.

Two kinds of session are handed out. A *reading* session runs every statement by itself
(autocommit): no round trip for BEGIN and ROLLBACK, and on SQLite no lock. A *writing* session is
one transaction, committed by whoever opened it. On SQLite it begins with BEGIN IMMEDIATE: a
deferred BEGIN fails under concurrent read-then-write instead of waiting.
"""

import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import orjson
from sqlalchemy import ColumnElement, DateTime, Dialect, Engine, MetaData, String, create_engine, event, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.types import TypeDecorator

from core.database.turns import OneAtATime, TakingTurns, Turns, connections

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table of every room."""

    metadata = MetaData(naming_convention=NAMING)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; on SQLite, which drops zones, as the text `YYYY-MM-DD HH:MM:SS.ffffff`.

    It replaces SQLAlchemy's processors instead of wrapping them, for speed: nearly every statement carries instants.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """A naive datetime raises ValueError."""
        return _instant_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Instants come out aware, in UTC."""
        return _from_instant_text if dialect.name == "sqlite" else _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime was given where an aware one is needed")
    return value.astimezone(UTC)


def _instant_text(value: datetime | None) -> str | None:
    value = _in_utc(value)
    return None if value is None else value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_instant_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def _compact_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def canonical_json(value: Any) -> bytes:
    """The form in which a JSON value is hashed: keys sorted, no white space, UTF-8.

    UUIDs, dates and instants are written as text; anything else that JSON does not know by `str`.
    """
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)


def dialect_of(session: Session) -> str:
    """`sqlite` or `postgresql`. Statements that differ are built once for each and kept: building
    one costs several times as much as running it."""
    engine = session.bind or session.get_bind()
    return engine.dialect.name


def insert_into(dialect: str, target: Any) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy has apart for each dialect (see `dialect_of`)."""
    return sqlite.insert(target) if dialect == "sqlite" else postgresql.insert(target)


def inlined(value: str) -> ColumnElement[str]:
    """A value written into the SQL itself: with a parameter in its place the planner would not use a partial index."""
    return literal(value, String, literal_execute=True)


def make_engine(url: str, *, pool_size: int = 10, pooled: bool = True) -> Engine:
    """An engine for SQLite or PostgreSQL (`postgresql://` means psycopg 3).

    SQLite is opened with WAL and `synchronous=FULL`: with NORMAL an acknowledged record may be
    lost when the machine goes down. Errors never quote the values of a statement, because errors are logged.
    Not `pooled`: each use opens a connection and closes it.
    """
    parsed = make_url(url)
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size} if pooled else {"poolclass": NullPool}
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            json_serializer=_compact_json,
            json_deserializer=orjson.loads,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "factory": connections(_turns(parsed.database))},
            **pool,
        )
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    engine = create_engine(
        parsed,
        json_serializer=_compact_json,
        json_deserializer=orjson.loads,
        hide_parameters=True,
        connect_args=_postgresql_limits(parsed),
        pool_recycle=1800,
        **pool,
    )
    event.listen(engine, "checkin", _note_the_time)
    event.listen(engine, "checkout", partial(_ping_if_idle, engine.dialect))
    return engine


LOCK_SECONDS, IDLE_SECONDS, SILENT_SECONDS = 10, 60, 30
"""How long PostgreSQL lets a statement wait for another's lock, as SQLite's `busy_timeout` does; how long a transaction
may do nothing; how long a server that does not answer at all is waited for."""


def _postgresql_limits(url: URL) -> dict[str, Any]:
    limits = {
        "connect_timeout": 10,
        "tcp_user_timeout": SILENT_SECONDS * 1000,
        "keepalives_idle": SILENT_SECONDS // 2,
        "keepalives_interval": SILENT_SECONDS // 6,
        "keepalives_count": 3,
        "options": f"-c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s",
    }
    # What the URL sets, the operator has chosen.
    return {name: value for name, value in limits.items() if name not in url.query}


PING_AFTER = 5.0
"""Seconds of idleness after which a connection is tried before it is used."""


def _note_the_time(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_if_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    # SQLAlchemy's own `pool_pre_ping` costs a round trip each time, two for every request. A request that
    # gets a connection that broke within those seconds is answered 503, and the pool is then made anew.
    if time.monotonic() - record.info.get("idle_since", math.inf) <= PING_AFTER:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _turns(database: str | None) -> Turns | None:
    return Turns(Path(database)) if database and database != ":memory:" else None


def _sqlite_connected(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transaction handling would begin late and deferred; ours is in _sqlite_begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "cache_size=-65536",
        "temp_store=MEMORY",
        # What was encrypted or erased is overwritten in the file too; only some builds of SQLite do so by default.
        "secure_delete=ON",
        # Pages that several transactions change are copied into the file once instead of several times.
        "wal_autocheckpoint=4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reading"):
        return
    try:
        cast(TakingTurns, connection.connection.dbapi_connection).begin_writing()
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


class _Joining(Session):
    """A session over a connection whose transaction prepared statements may have begun."""

    def rollback(self) -> None:
        super().rollback()
        connection = cast(Connection, self.bind)
        if connection.in_transaction():
            connection.rollback()


@contextmanager
def writing(connection: Connection) -> Iterator[Session]:
    """One transaction over a connection: committed when the block ends, rolled back when it raises.

    It is the connection's as soon as a prepared statement begins it (`prepared.py`), and the session joins it;
    else the session's own.
    """
    if connection.in_transaction():  # by what was looked at before
        connection.commit()
    session = _Joining(connection, expire_on_commit=False)
    try:
        yield session
        if session.in_transaction():
            session.commit()
        if connection.in_transaction():
            connection.commit()
    finally:
        if session.in_transaction():
            session.close()
        if connection.in_transaction():
            connection.rollback()


class Database:
    """An engine with its two kinds of session; one per process."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = make_engine(url, pool_size=pool_size)
        self._apart = make_engine(url, pooled=False)
        # Where many can write at once, they may.
        self.alone: AbstractContextManager[None] = nullcontext()
        if self.engine.dialect.name == "sqlite":
            # Not the driver's AUTOCOMMIT: handing such a connection back would switch on its own
            # late, deferred transactions for the next writer.
            reading: dict[str, Any] = {"reading": True}
            self.alone = OneAtATime()
        else:
            reading = {"isolation_level": "AUTOCOMMIT"}
        self._reading = self.engine.execution_options(**reading)
        self._reading_apart = self._apart.execution_options(**reading)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session whose statements stand alone. It cannot be relied on for one snapshot."""
        with self.look() as connection, Session(connection, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.connect() as connection, writing(connection) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A reading connection without a session around it, for prepared statements."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def read_apart(self) -> Iterator[Session]:
        """A reading session on a connection made for it, for what is looked up while a transaction is open.

        One of the pool may never come: all may be held by requests that wait for what that transaction has locked.
        """
        with (
            self._reading_apart.connect() as connection,
            Session(connection, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def dispose(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()
        self._apart.dispose()
