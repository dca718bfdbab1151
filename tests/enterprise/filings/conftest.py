from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask

from accounts.verbs import Role
from core.config import Settings
from core.db import Database
from miniapp_api.http.wiring import KEY
from tests import parties as both
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import FORM, QuotaBase, invented
from tests.kinds.town import Town, build
from tests.newcomers import make_user
from tests.object_storage import on_s3
from tests.parties import Parties
from tests.people import Person
from tests.records import actor_of

Travel = Any


@pytest.fixture
def settings(settings: Settings, dialect: str) -> Settings:
    """PostgreSQL with S3, SQLite with the local folder."""
    return on_s3(settings) if dialect == "postgresql" else settings


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


@pytest.fixture
def town(application: APIFlask, parties: Parties, sign_in: Callable[[str], Person]) -> Town:
    return build(application, parties, sign_in)


@pytest.fixture
def travel(town: Town) -> Iterator[Travel]:
    """Monday, 2 November 2026; `travel(day)` goes on to another moment, where everybody signs in anew."""
    with time_machine.travel("2026-11-02T10:00:00+08:00", tick=False) as now:
        town.sign_in_anew()

        def to(moment: str) -> None:
            now.move_to(f"{moment}+08:00")
            town.sign_in_anew()

        yield to


@pytest.fixture
def desk(application: APIFlask, parties: Parties, sign_in: Callable[[str], Person]) -> Iterator[Desk]:
    services = application.extensions[KEY]
    database: Database = services.database
    services.forms.publish(FORM)
    names = ["licence_reviewer", "second_reviewer", "third_reviewer", "fourth_reviewer"]
    for name in names[1:]:
        make_user(database, "320402", name, Role.LICENCE_REVIEWER)
    QuotaBase.metadata.create_all(database.engine)
    found = Desk(
        database,
        services.filings,
        actor_of(database, parties.enterprise),
        [actor_of(database, sign_in(name)) for name in names],
    )
    found.declare(invented())
    yield found
    QuotaBase.metadata.drop_all(database.engine)
