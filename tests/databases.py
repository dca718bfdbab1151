"""Databases for tests: SQLite always, PostgreSQL where one answers; migrated once, copied for each test."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url

from tests.quick import KEPT, KeptConnections

POSTGRES_URL = os.environ.get("TEST_DATABASE_URL", "postgresql:///postgres")


def postgres_answers() -> bool:
    """Whether a PostgreSQL server can be used for tests."""
    try:
        engine = sqlalchemy.create_engine(POSTGRES_URL, connect_args={"connect_timeout": 3})
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()
    except sqlalchemy.exc.OperationalError:
        return False
    return True


@contextmanager
def postgres_database() -> Iterator[URL]:
    """An empty database of its own on the server, dropped afterwards."""
    name = f"gongpin_test_{uuid.uuid4().hex[:16]}"
    admin = sqlalchemy.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRES_URL).set(database=name)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


_DEFINED = """
    SELECT format('%s.%s %s %s %s', relname, attname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
        atttypid::regtype, attnotnull)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1
"""
"""All that a migration defines: columns in their order, indexes, constraints, triggers, functions."""

_DEFINITIONS = " UNION ALL ".join(
    f"SELECT count(*), max({catalogue}.xmin::text::bigint) FROM {catalogue} {where}"
    for catalogue, where in {
        "pg_class": "WHERE relnamespace = 'public'::regnamespace",
        "pg_attribute": "JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace",
        "pg_constraint": "WHERE connamespace = 'public'::regnamespace",
        "pg_trigger": "WHERE NOT tgisinternal",
        "pg_proc": "WHERE pronamespace = 'public'::regnamespace",
    }.items()
)
"""Differs after whatever defined or dropped something; read in a fraction of the time that all definitions take."""


class ResettableDatabase:
    """A filled PostgreSQL database that goes back to how it was filled: ten times faster than a new one.

    Only tables that a test wrote to are filled anew: rows were added or changed where one carries a transaction later
    than the last filling, and removed where there are fewer. A test that was stopped in the middle of a migration
    leaves another schema: then the database is emptied, and `fill` migrates and fills it from the beginning.
    """

    def __init__(self, url: URL, fill: Callable[[str], None]) -> None:
        self.url = url
        self._fill = fill
        self.connections = KEPT[url.database or ""] = KeptConnections()
        self._engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            # Nothing that a test wrote is worth waiting for a disk.
            connection.execute(text(f'ALTER DATABASE "{url.database}" SET synchronous_commit = off'))
            self._begin(connection)

    def _begin(self, connection: sqlalchemy.Connection) -> None:
        """Fill the empty database and keep how it is then."""
        self._fill(self.url.render_as_string(hide_password=False))
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        self._tables = [row[0] for row in connection.execute(text(names))]
        sequences = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
        self._sequences = [(row[0], row[1]) for row in connection.execute(text(sequences))]
        connection.execute(text("CREATE SCHEMA kept"))
        for table in self._tables:
            connection.execute(text(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"'))
        counts = "SELECT " + ", ".join(f'(SELECT count(*) FROM kept."{table}")' for table in self._tables)
        self._counts = connection.exec_driver_sql(counts).one()
        self._filled_at = self._transaction(connection)
        looks = [
            f'(SELECT count(*) <> {count} OR max(xmin::text::bigint) > %(filled_at)s FROM public."{table}")'
            for table, count in zip(self._tables, self._counts, strict=True)
        ]
        self._look = "SELECT " + ", ".join(looks)
        self._defined = self.definitions(connection)
        self._definitions = self._rows(connection, _DEFINITIONS)

    def definitions(self, connection: sqlalchemy.Connection) -> list[tuple[Any, ...]]:
        """All that migrations define, as it stands now."""
        return self._rows(connection, _DEFINED)

    @staticmethod
    def _rows(connection: sqlalchemy.Connection, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(statement.replace("%", "%%"))]

    def _has_its_schema(self, connection: sqlalchemy.Connection) -> bool:
        definitions = self._rows(connection, _DEFINITIONS)
        if definitions != self._definitions:
            if self.definitions(connection) != self._defined:
                return False
            self._definitions = definitions
        return True

    @staticmethod
    def _transaction(connection: sqlalchemy.Connection) -> int:
        """The number of a transaction that begins now, as rows carry it."""
        return int(connection.exec_driver_sql("SELECT pg_current_xact_id()::xid::text::bigint").scalar_one())

    def reset(self) -> None:
        """Forget what a test wrote. Foreign keys are not asked meanwhile; a migration may have begun sequences anew."""
        with self._engine.connect() as connection:
            others = (
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> ALL(%(kept)s)"
            )
            connection.exec_driver_sql(others, {"kept": self.connections.pids()})
            if not self._has_its_schema(connection):
                connection.exec_driver_sql("DROP SCHEMA IF EXISTS public, kept CASCADE")
                connection.exec_driver_sql("CREATE SCHEMA public")
                self._begin(connection)
                return
            written = connection.exec_driver_sql(self._look, {"filled_at": self._filled_at}).one()
            steps = ["SET LOCAL session_replication_role = replica"]
            for table, was_written in zip(self._tables, written, strict=True):
                if was_written:
                    steps.append(f'DELETE FROM public."{table}"')
                    steps.append(f'INSERT INTO public."{table}" SELECT * FROM kept."{table}"')
            for sequence, last in self._sequences:
                steps.append(f"SELECT setval('public.\"{sequence}\"', {last or 1}, {last is not None})")
            connection.exec_driver_sql("; ".join(["BEGIN", *steps, "COMMIT"]))
            self._filled_at = self._transaction(connection)

    def close(self) -> None:
        """Close the connections."""
        self.connections.close()
        del KEPT[self.url.database or ""]
        self._engine.dispose()


def checkpoint(connection: sqlalchemy.Connection) -> None:
    """All that was written stands in the SQLite file itself, which can then be copied."""
    connection.exec_driver_sql("COMMIT")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.exec_driver_sql("BEGIN")


def copy_sqlite(template: Path, target: Path) -> str:
    """A copy of a SQLite file; returns its URL."""
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"


@contextmanager
def transactions(engine: sqlalchemy.Engine) -> Iterator[list[int]]:
    """How many rows each transaction wrote that was committed meanwhile; those that wrote nothing are not listed."""
    committed: list[int] = []
    under_way: dict[int, int] = {}

    def executed(connection: Any, cursor: Any, statement: str, _values: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            number = id(connection.connection.dbapi_connection)
            under_way[number] = under_way.get(number, 0) + max(cursor.rowcount, 0)

    def ended(connection: Any, *, commits: bool) -> None:
        rows = under_way.pop(id(connection.connection.dbapi_connection), 0)
        if rows and commits:
            committed.append(rows)

    listeners = [
        ("after_cursor_execute", executed),
        ("commit", partial(ended, commits=True)),
        ("rollback", partial(ended, commits=False)),
    ]
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield committed
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)
