"""The access log of a server as it is really run: written while it runs, and whole when it is stopped."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from accounts.access_log.models import AccessEntry
from core.config import Settings
from core.db import Database
from tests.people import PASSWORD
from tests.servers import server_process

READINGS = 40


def _waited_for(number: int, stored: Callable[[], int]) -> int:
    """How many entries there are, as soon as there are so many; after a minute whatever there is."""
    for _ in range(600):
        if stored() >= number:
            break
        time.sleep(0.1)
    return stored()


def test_what_was_read_is_written_while_the_server_runs_and_when_it_is_stopped(
    settings: Settings, tmp_path: Path
) -> None:
    database = Database(settings.database_url)

    def stored() -> int:
        with database.read() as session:
            return session.execute(select(func.count()).select_from(AccessEntry)).scalar_one()

    environment: dict[str, Any] = {
        "DATABASE_URL": settings.database_url, "DATA_KEY": settings.data_key.get_secret_value(), "DEMO": "0",
        "LOG_LEVEL": "ERROR", "ENVIRONMENT": "installation",
    }  # fmt: skip
    with server_process(tmp_path, **environment) as (base, process):
        answer = requests.post(
            f"{base}/api/v1/sessions", json={"username": "county_inspector", "password": PASSWORD}, timeout=60
        )
        assert answer.status_code == 201, answer.text
        token = {"Authorization": f"Bearer {answer.json()['token']}"}

        def read() -> None:
            assert requests.get(f"{base}/api/v1/inspections", headers=token, timeout=60).status_code == 200

        read()
        assert _waited_for(1, stored) == 1  # without being stopped
        for _ in range(READINGS):
            read()
        process.terminate()
        assert process.wait(60) == 0
    assert stored() == READINGS + 1
    database.dispose()


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """How a process gathers and ends is the same with every database."""
    return "sqlite"
