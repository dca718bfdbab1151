"""The town, on either database."""

from collections.abc import Iterator

import pytest
import time_machine
from apiflask import APIFlask

from core.config import Settings
from tests.command_line import Run, command_line
from tests.feedback.conftest import at_ten, room  # noqa: F401 - fixtures
from tests.feedback.room import Room
from tests.people import SignIn
from tests.persons import town as towns
from tests.persons.town import Town


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


@pytest.fixture
def town(
    at_ten: time_machine.Traveller,  # noqa: F811
    settings: Settings,
    application: APIFlask,
    sign_in: SignIn,
    room: Room,  # noqa: F811
    run: Run,
) -> Town:
    return towns.make(settings, application, sign_in, room, run, at_ten)
