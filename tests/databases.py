"""Databases for tests: SQLite always, PostgreSQL where one answers; migrated once, copied for each test."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

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
def postgres_database(template: str | None = None) -> Iterator[URL]:
    """A database of its own on the server, dropped afterwards; `template` is copied."""
    name = f"gongpin_test_{uuid.uuid4().hex[:16]}"
    admin = sqlalchemy.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    copied = f" TEMPLATE {template}" if template else ""
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
    try:
        yield make_url(POSTGRES_URL).set(database=name)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def copy_sqlite(template: Path, target: Path) -> str:
    """A copy of a SQLite file; returns its URL."""
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"
