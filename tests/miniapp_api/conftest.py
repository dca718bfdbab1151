"""A service hall whose codes are rated."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from core.db import Database
from tests.people import Person
from tests.raters import Hall


@pytest.fixture
def hall(client: FlaskClient, database: Database, sign_in: Callable[[str], Person]) -> Hall:
    return Hall(client, database, sign_in)
