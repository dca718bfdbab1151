from collections.abc import Callable

import pytest
from apiflask import APIFlask

from core.config import Settings
from tests import parties as both
from tests.object_storage import on_s3
from tests.parties import Parties
from tests.people import Person


@pytest.fixture
def settings(settings: Settings, dialect: str) -> Settings:
    """PostgreSQL with S3, SQLite with the local folder."""
    return on_s3(settings) if dialect == "postgresql" else settings


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)
