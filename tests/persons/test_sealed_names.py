"""Names of users and applicants are encrypted at rest, those of before too."""

from flask.testing import FlaskClient
from sqlalchemy import select, text

from accounts.models import AccountApplication, User
from core.database import migrate
from core.db import Database
from core.privacy import NAMED
from tests.newcomers import apply, join
from tests.people import Person

NAME = "欧阳建国"


def stored(database: Database) -> list[tuple[str, str | None]]:
    """As it stands in the tables: names of the applicants, and of the user that one of them became."""
    with database.read() as session:
        asked = "SELECT 'user', full_name FROM users WHERE username = 'ouyang' UNION ALL " \
            "SELECT username, applicant_name FROM account_applications ORDER BY 1"  # fmt: skip
        return [(row[0], row[1]) for row in session.execute(text(asked))]


def read(database: Database) -> list[str | None]:
    with database.read() as session:
        return [
            *session.scalars(select(User.full_name).where(User.username == "ouyang")),
            *session.scalars(select(AccountApplication.applicant_name)),
        ]


def test_names_are_sealed_and_those_of_before_are_sealed_by_the_upgrade(
    client: FlaskClient, city_reviewer: Person, database: Database
) -> None:
    join(client, city_reviewer, applicant_name=NAME, username="ouyang")
    apply(client, applicant_name=NAME, username="ouyang2", mobile="13912345678")
    assert all(name is not None and name.startswith(NAMED) for _, name in stored(database))
    assert read(database) == [NAME] * 3

    migrate.downgrade(database.engine, "0048")
    assert stored(database) == [("ouyang", NAME), ("ouyang2", NAME), ("user", NAME)]
    migrate.upgrade(database.engine)
    assert migrate.differences(database.engine) == []
    assert all(name is not None and name.startswith(NAMED) for _, name in stored(database))
    assert read(database) == [NAME] * 3
    with database.read() as session:  # who had no name has none
        assert session.scalar(select(User.full_name).where(User.username == "county_inspector")) is None
