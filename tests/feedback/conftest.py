"""A room with its people: an office in 天宁区, its city, and strangers."""

from collections.abc import Iterator

import pytest
import time_machine

from accounts.verbs import Role
from core.db import Database
from demo.accounts import actor_of
from tests.conftest import NOW
from tests.feedback.room import Room
from tests.newcomers import make_users

PEOPLE = {
    "officer": ("320402", Role.RATING_OFFICER),
    "handler": ("320402", Role.RATING_HANDLER),
    "other_handler": ("320402", Role.RATING_HANDLER),
    "supervisor": ("320402", Role.RATING_SUPERVISOR),
    "other_supervisor": ("320402", Role.RATING_SUPERVISOR),
    "inspector": ("320402", Role.INSPECTOR),
    "city_supervisor": ("320400", Role.RATING_SUPERVISOR),
    "neighbour_officer": ("320404", Role.RATING_OFFICER),
    "neighbour_handler": ("320404", Role.RATING_HANDLER),
    "neighbour_supervisor": ("320404", Role.RATING_SUPERVISOR),
}


@pytest.fixture
def at_ten() -> Iterator[time_machine.Traveller]:
    """A clock that stands at ten in the morning of a Saturday and can be moved."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def room(database_url: str) -> Iterator[Room]:
    database = Database(database_url, pool_size=30)
    make_users(database, PEOPLE)
    with database.read() as session:
        people = {name: actor_of(session, name, "操作员") for name in PEOPLE}
    yield Room(database, people)
    database.dispose()
