"""Storage of both kinds, and people who upload."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from accounts.models import User
from assets.files.storage import Storage, open_storage
from assets.files.uploads import Uploads
from composition.file_purposes import file_purposes
from core.actor import Actor, Scope
from core.db import Database
from tests.object_storage import local, on_s3


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Both kinds, whatever the database."""
    settings = local(tmp_path)
    return open_storage(on_s3(settings) if request.param == "s3" else settings)


@pytest.fixture
def uploads(dialect: str, tmp_path: Path) -> Uploads:
    """SQLite goes with the local folder, PostgreSQL with S3."""
    settings = local(tmp_path)
    settings.incoming_dir.mkdir(exist_ok=True)
    storage = open_storage(on_s3(settings) if dialect == "postgresql" else settings)
    return Uploads(storage, settings.incoming_dir, file_purposes())


@pytest.fixture
def actor_of(database: Database) -> Callable[[str], Actor]:
    """An actor by user name, as the domain sees one."""

    def actor(username: str) -> Actor:
        with database.read() as session:
            user_id = session.scalars(select(User.id).where(User.username == username)).one()
        settled: dict[str, Any] = {
            "operator_name": None, "session_id": UUID(int=0), "office_id": UUID(int=0), "office_name": "",
            "office_kind": "", "level": "county", "region_code": None, "region_name": None, "chain": ("", None, None),
            "scope": Scope(False, ()), "roles": (), "verbs": frozenset({"inspection.read"}),
            "must_change_password": False,
        }  # fmt: skip
        return Actor(user_id=user_id, username=username, **settled)

    return actor
