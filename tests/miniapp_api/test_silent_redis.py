"""A Redis that accepts and never answers: requests that count in it go on, each worker counting for itself."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from limits import parse
from redis.exceptions import TimeoutError as RedisTimeout

from app import create_app
from core.config import Settings
from miniapp_api.http import address_counts
from miniapp_api.http.address_counts import InRedis
from miniapp_api.http.limits import limiter
from miniapp_api.http.wiring import KEY
from tests.people import PASSWORD
from tests.silent_services import silent_service

AMPLE = 30.0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_who_signs_in_does_not_wait_for_a_silent_redis_for_ever(settings: Settings) -> None:
    with silent_service() as service:
        application = create_app(settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{service.port}/0"}))
        try:
            began = time.monotonic()
            client = application.test_client()
            body = {"username": "county_inspector", "password": PASSWORD}
            for _ in range(5):
                assert client.post("/api/v1/sessions", json=body).status_code == 201
            assert time.monotonic() - began < AMPLE
        finally:
            application.extensions[KEY].database.dispose()
            create_app(settings)  # the limiter is one for the process: back to memory
            limiter.reset()


def test_a_redis_that_did_not_answer_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [1000.0], []

    def silent(*_: Any) -> bool:
        asked.append(1)
        raise RedisTimeout

    monkeypatch.setattr(address_counts, "time", SimpleNamespace(monotonic=lambda: now[0]))
    brake = InRedis(cast(Any, SimpleNamespace(limiter=SimpleNamespace(test=silent, hit=silent))))
    limit = parse("1 per hour")
    for _ in range(5):
        assert brake.wait(limit, "192.0.2.1") == 0
        assert brake.take(limit, "192.0.2.1") == 0
        brake.give_back(limit, "192.0.2.1")
    assert len(asked) == 1
    now[0] += address_counts.PAUSE
    assert brake.wait(limit, "192.0.2.1") == 0 and len(asked) == 2
