"""Databases to measure on: a SQLite file in a temporary folder, or a temporary PostgreSQL database."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from sqlalchemy import text
from sqlalchemy.engine import make_url

POSTGRES_URL = os.environ.get("TEST_DATABASE_URL", "postgresql:///postgres")
DIALECTS = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Place:
    """An empty database, and a folder for the files of the installation that uses it."""

    dialect: str
    url: str
    folder: Path


def postgres_answers() -> bool:
    """Whether a PostgreSQL server can be used."""
    engine = sqlalchemy.create_engine(POSTGRES_URL, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except sqlalchemy.exc.OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@contextmanager
def place(dialect: str) -> Iterator[Place]:
    """An empty database and a folder, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gongpin-bench-") as name:
        folder = Path(name)
        if dialect == "sqlite":
            yield Place(dialect, f"sqlite:///{folder / 'bench.sqlite3'}", folder)
            return
        database = f"gongpin_bench_{uuid.uuid4().hex[:12]}"
        admin = sqlalchemy.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {database}"))
        try:
            url = make_url(POSTGRES_URL).set(database=database)
            yield Place(dialect, url.render_as_string(hide_password=False), folder)
        finally:
            with admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            admin.dispose()
