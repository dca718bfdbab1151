"""The shared PostgreSQL database of the tests: whatever one of them leaves, the next one finds it as it was filled."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from accounts.models import User
from core.database import migrate
from core.db import Database
from tests.conftest import POSTGRES
from tests.databases import ResettableDatabase
from tests.people import PEOPLE

pytestmark = pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL answers")


@pytest.fixture
def shared(filled_postgres: ResettableDatabase) -> Iterator[Database]:
    filled_postgres.reset()
    database = Database(filled_postgres.url.render_as_string(hide_password=False))
    yield database
    database.dispose()
    filled_postgres.reset()


def _stop_in_the_middle_of_a_migration(engine: Engine) -> None:
    migrate.downgrade(engine, "0026")


def _stop_with_a_trigger_switched_off(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE history DISABLE TRIGGER USER"))


def _stop_with_a_column_left_over(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN left_over text"))


@pytest.mark.parametrize(
    "stop",
    [_stop_in_the_middle_of_a_migration, _stop_with_a_trigger_switched_off, _stop_with_a_column_left_over],
)
def test_another_schema_that_a_test_left_is_filled_anew(
    filled_postgres: ResettableDatabase, shared: Database, stop: Callable[[Engine], None]
) -> None:
    with shared.engine.connect() as connection:
        before = filled_postgres.definitions(connection)
    stop(shared.engine)
    shared.dispose()
    filled_postgres.reset()
    with shared.engine.connect() as connection:
        assert filled_postgres.definitions(connection) == before
    assert migrate.revision_of(shared.engine) == migrate.newest_revision()
    with shared.write() as session:
        assert session.query(User).filter(User.username.in_(PEOPLE)).count() == len(PEOPLE)
        session.query(User).filter(User.username == "county_inspector").one().unit_name = "另一个名字"
    shared.dispose()
    filled_postgres.reset()  # and it goes back as before
    with shared.read() as session:
        assert session.query(User).filter(User.unit_name == "另一个名字").count() == 0


def test_a_migration_down_and_up_again_leaves_the_schema_that_was(
    filled_postgres: ResettableDatabase, shared: Database
) -> None:
    with shared.engine.connect() as connection:
        before = filled_postgres.definitions(connection)
    migrate.downgrade(shared.engine, "0026")
    migrate.upgrade(shared.engine)
    with shared.engine.connect() as connection:
        assert set(filled_postgres.definitions(connection)) == set(before)
