"""An installation with records and files, its backups, and empty places to restore them into."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sqlalchemy
from apiflask import APIFlask
from pydantic import SecretStr
from sqlalchemy import text

from assets.files.models import File
from assets.files.storage import Storage, open_storage
from backups import making, restoring
from core import clock
from core.config import Settings
from core.db import Base, Database
from miniapp_api.http.wiring import KEY
from tests import paperwork, parties
from tests.databases import postgres_database
from tests.object_storage import on_s3
from tests.people import Person, production, uscc
from tests.raters import upload_photo
from tests.records import submit

Place = Callable[..., Settings]


@dataclass
class BackupPlace:
    """Where backups go, and the key that opens them."""

    folder: Path
    secret: pyrage.x25519.Identity

    def make(self, settings: Settings, **options: Any) -> making.Made:
        """A backup of an installation."""
        database = Database(settings.resolved_database_url)
        try:
            return making.make(settings, database, **options)
        finally:
            database.dispose()

    def restore(self, path: Path, place: Settings) -> restoring.Restored:
        """Into an empty place."""
        return restoring.restore(place, path, [self.secret], lambda _line: None)

    def key_file(self) -> Path:
        """The secret key as `./manage backup key` writes it."""
        file = self.folder.parent / "backup.key"
        file.write_text(f"# a comment\n{self.secret}\n")
        return file


@pytest.fixture
def backups(tmp_path: Path) -> BackupPlace:
    return BackupPlace(tmp_path / "backups", pyrage.x25519.Identity.generate())


@pytest.fixture
def settings(settings: Settings, backups: BackupPlace, dialect: str) -> Settings:
    """SQLite goes with the local folder, PostgreSQL with S3; backups are set up."""
    settings.backup_dir = str(backups.folder)
    settings.backup_recipient = str(backups.secret.to_public())
    return on_s3(settings) if dialect == "postgresql" else settings


@pytest.fixture
def storage(application: APIFlask) -> Storage:
    found: Storage = application.extensions[KEY].uploads.storage
    return found


@pytest.fixture
def filled(settings: Settings, county_inspector: Person) -> Settings:
    """Some records, one of them with a photo, a document that none claims yet, and a form of its own."""
    photos = [upload_photo(county_inspector)]
    submit(county_inspector, production() | {"photos": photos})
    parties.upload(county_inspector, paperwork.pdf(), "报告.pdf", "self_check_report")
    submit(county_inspector, production(uscc=uscc(5), org_name="常州某某电线厂"))
    (settings.data_dir / "forms").mkdir()
    (settings.data_dir / "forms" / "own.json").write_text("{}")
    return settings


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Makes empty places: `place("sqlite")`, `place("postgresql", s3=True)`."""
    made = 0
    with ExitStack() as stack:

        def new(kind: str, *, s3: bool = False, data_key: str = "") -> Settings:
            nonlocal made
            made += 1
            folder = tmp_path / f"place-{made}"
            folder.mkdir()
            url = ""
            if kind == "postgresql":
                url = stack.enter_context(postgres_database()).render_as_string(hide_password=False)
            settings = Settings(data_dir=folder, database_url=url, data_key=SecretStr(data_key), log_level="ERROR")
            return on_s3(settings) if s3 else settings

        yield new


def rows(url: str) -> dict[str, list[Any]]:
    """Every row of every table as the code reads it, in the order of the primary key."""
    database = Database(url)
    found = {}
    with database.read() as session:
        for name, table in Base.metadata.tables.items():
            result = session.execute(sqlalchemy.select(table).order_by(*table.primary_key.columns))
            found[name] = [tuple(row) for row in result]
    database.dispose()
    return found


def stored(settings: Settings) -> dict[str, bytes]:
    """The bytes of every file that a row names."""
    database, storage = Database(settings.resolved_database_url), open_storage(settings)
    with database.read() as session:
        named = session.execute(sqlalchemy.select(File.stored_key, File.thumbnail_key, File.preview_key)).all()
    database.dispose()
    return {key: b"".join(storage.chunks(key)[1]) for row in named for key in row if key is not None}


def is_empty(settings: Settings) -> bool:
    """No tables, no uploads, nothing but locks in the folder."""
    database, storage = Database(settings.resolved_database_url), open_storage(settings)
    tables = sqlalchemy.inspect(database.engine).get_table_names()
    database.dispose()
    uploads = [key for keys in storage.older_than(clock.now() + timedelta(days=9)) for key in keys]
    files = [path for path in settings.data_dir.rglob("*") if path.is_file() and "sqlite3" not in path.name]
    return not tables and not uploads and {path.name for path in files} <= {"server.lock"}


def execute(url: str, statement: str, **values: Any) -> None:
    """One statement."""
    database = Database(url)
    with database.write() as session:
        session.execute(text(statement), values)
    database.dispose()
