"""Rows of a database as text: the format of PostgreSQL's COPY, for SQLite as well.

One format for both, so that a backup of one can be restored into the other, no program of the database (pg_dump) is
needed, and SQLite needs no disk space for a copy of its file. Values are taken as they are stored, without the models
of the code: before an upgrade, the database still has the old schema.
"""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from backups.interrupted import MARK

PIECE = 4 * 1024 * 1024
"""Approximate size in bytes of a piece of text."""
_BATCH = 500
REVISIONS = "alembic_version"


@dataclass(slots=True)
class Tally:
    """Number of rows and a checksum that does not depend on their order, so that a table may be read in any order."""

    rows: int = 0
    sum: int = 0

    def add(self, line: bytes) -> None:
        """Count a line, with or without its line end."""
        self.rows += 1
        digest = hashlib.blake2b(line.rstrip(b"\n"), digest_size=16).digest()
        self.sum = (self.sum + int.from_bytes(digest)) % (1 << 128)

    def as_json(self) -> dict[str, Any]:
        """The form in a backup."""
        return {"rows": self.rows, "sum": f"{self.sum:032x}"}


@dataclass(slots=True)
class Snapshot:
    """A consistent state of a database, unaffected by concurrent writes."""

    connection: Connection
    dialect: str
    revision: str
    columns: dict[str, dict[str, str]]
    """Column names and their types as the database declares them, by table."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """Filled by `pieces`."""

    def pieces(self, table: str) -> Iterator[bytes]:
        """The rows of a table in pieces of whole lines, each value as COPY writes it."""
        tally = self.tallies[table] = Tally()
        lines = self._postgresql_lines(table) if self.dialect == "postgresql" else self._sqlite_lines(table)
        gathered: list[bytes] = []
        size = 0
        for line in lines:
            tally.add(line)
            gathered.append(line)
            size += len(line)
            if size >= PIECE:
                yield b"".join(gathered)
                gathered, size = [], 0
        if gathered:
            yield b"".join(gathered)

    def _postgresql_lines(self, table: str) -> Iterator[bytes]:
        driver: Any = self.connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {_listed(table, self.columns[table])} TO STDOUT") as copy:
            for line in copy:
                yield bytes(line)

    def _sqlite_lines(self, table: str) -> Iterator[bytes]:
        driver: Any = self.connection.connection.driver_connection
        names = ", ".join(map(quoted, self.columns[table]))
        cursor = driver.execute(f"SELECT {names} FROM {quoted(table)}")  # noqa: S608 -- names of the database itself
        while rows := cursor.fetchmany(_BATCH):
            for row in rows:
                yield ("\t".join(map(_cell, row)) + "\n").encode()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Snapshot]:
    """Open a snapshot. Writers are not blocked, on SQLite neither (its log grows until the end)."""
    postgresql = engine.dialect.name == "postgresql"
    if postgresql:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    else:
        engine = engine.execution_options(reading=True)
    with engine.connect() as connection:
        if postgresql:
            for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "statement_timeout = 0", *_PATIENT):
                connection.exec_driver_sql(f"SET LOCAL {setting}")
        else:
            connection.exec_driver_sql("BEGIN")
        try:
            revision = connection.scalar(text(f"SELECT version_num FROM {REVISIONS}"))  # noqa: S608 -- a constant
            yield Snapshot(connection, engine.dialect.name, str(revision), _columns(connection))
        finally:
            if not postgresql:
                connection.exec_driver_sql("ROLLBACK")


_PATIENT = ("idle_in_transaction_session_timeout = 0", "bytea_output = 'hex'", "extra_float_digits = 1")


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    inspector = inspect(connection)
    return {
        table: {column["name"]: str(column["type"]) for column in inspector.get_columns(table)}
        for table in sorted(inspector.get_table_names())
        if table not in (REVISIONS, MARK)
    }


def quoted(name: str) -> str:
    """The name of a table or column, quoted for a statement."""
    return '"' + name.replace('"', '""') + '"'


def _listed(table: str, columns: Iterable[str]) -> str:
    return f"{quoted(table)} ({', '.join(map(quoted, columns))})"


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value or "\n" in value or "\t" in value or "\r" in value:
            return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        return value
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return repr(value)  # a number, in the shortest form that reads back exactly


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}


def _plain(cell: str) -> str | None:
    if cell == "\\N":
        return None
    if "\\" in cell:
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), cell)
    return cell


class PostgresqlTarget:
    """Loads rows into empty tables in one transaction; foreign keys are dropped and added again at the end."""

    def __init__(self, connection: Connection, columns: dict[str, dict[str, str]]) -> None:
        """`columns` are those of the backup; no statement was run on the connection before."""
        self._connection, self._columns = connection, columns
        self._driver: Any = connection.connection.driver_connection
        for setting in ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "statement_timeout = 0", *_PATIENT):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        found = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
        )
        self._keys = [tuple(row) for row in found]
        for table, name, _ in self._keys:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        # Rows that migrations inserted are in the backup too. The history is emptied with the rest.
        connection.exec_driver_sql("SET LOCAL gongpin.history = 'maintenance'")
        names = ", ".join(quoted(table) for table in _columns(connection))
        connection.exec_driver_sql(f"TRUNCATE {names}")

    def load(self, table: str, pieces: Iterable[bytes]) -> None:
        """Load rows of a table."""
        with (
            self._driver.cursor() as cursor,
            cursor.copy(f"COPY {_listed(table, self._columns[table])} FROM STDIN") as copy,
        ):
            for piece in pieces:
                copy.write(piece)

    def finish(self) -> None:
        """Add the foreign keys again, which checks them, and set the sequences behind the highest values."""
        for table, name, definition in self._keys:
            self._connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for table, columns in _columns(self._connection).items():
            for column in columns:
                counter = self._connection.scalar(
                    text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": quoted(table), "column": column}
                )
                if counter is not None:
                    most = f"SELECT max({quoted(column)}) FROM {quoted(table)}"  # noqa: S608 -- names of the database
                    self._connection.exec_driver_sql(
                        f"SELECT setval('{counter}', coalesce(({most}), 1), coalesce(({most}) > 0, false))"
                    )


class SqliteTarget:
    """Loads rows into the tables of a new SQLite file, in one transaction."""

    def __init__(self, connection: sqlite3.Connection, columns: dict[str, dict[str, str]], source: str) -> None:
        """`columns` are those of the backup, `source` is the kind of database from which it was made."""
        self._connection, self._columns, self._source = connection, columns, source
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table != REVISIONS and not table.startswith("sqlite_"):
                connection.execute(f"DELETE FROM {quoted(table)}")  # noqa: S608 -- names of the database itself

    def load(self, table: str, pieces: Iterable[bytes]) -> None:
        """Load rows of a table."""
        columns = self._columns[table]
        declared = {row[1]: row[2] for row in self._connection.execute(f"PRAGMA table_info({quoted(table)})")}
        readers = [_reader(declared.get(name, ""), kind, self._source) for name, kind in columns.items()]
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {_listed(table, columns)} VALUES ({marks})"  # noqa: S608 -- names of the database
        for piece in pieces:
            # Not `splitlines`, which splits at U+2028 and others too.
            lines = piece.decode().removesuffix("\n").split("\n")
            self._connection.executemany(insert, (_values(line, readers) for line in lines))

    def finish(self) -> None:
        """Check foreign keys and commit. Raises `sqlite3.IntegrityError`; nothing is committed then."""
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise sqlite3.IntegrityError(f"FOREIGN KEY constraint failed: {broken[0]} names a row of {broken[2]}")
        self._connection.execute("COMMIT")


_Read = Callable[[str], Any] | None


def _values(line: str, readers: Sequence[_Read]) -> list[Any]:
    plain = map(_plain, line.split("\t"))
    return [value if value is None or read is None else read(value) for value, read in zip(plain, readers, strict=True)]


def _reader(declared: str, kind: str, source: str) -> _Read:
    """Converts the text of a value for SQLite; None: the text is used, and SQLite converts it by the column's type.

    `declared` is the type in SQLite, `kind` the type in the database from which the backup was made.
    """
    if declared == "BLOB":
        return lambda value: bytes.fromhex(value.removeprefix("\\x"))
    if source == "postgresql":
        if declared == "BOOLEAN":
            return lambda value: int(value == "t")
        if declared == "DATETIME":
            return _naive_instant
        if kind == "UUID":
            return lambda value: value.replace("-", "")
    return None


def _naive_instant(value: str) -> str:
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
