"""Threads that call the application at the same moment."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier
from typing import Any

import pytest
from apiflask import APIFlask

from tests.concurrency import Answer, Call
from tests.turns import in_turn


@pytest.fixture(autouse=True)
def _in_turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """What runs on SQLite takes no connections from anybody and waits for nobody."""
    callspec = getattr(request.node, "callspec", None)
    on_sqlite = callspec is not None and callspec.params.get("dialect") == "sqlite"
    with nullcontext() if on_sqlite else in_turn():
        yield


@pytest.fixture
def at_once(application: APIFlask) -> Callable[[list[Call]], list[Answer]]:
    """Makes calls at the same moment, each in a thread of its own; answers in the order of the calls."""

    def calls(wanted: list[Call]) -> list[Answer]:
        barrier = Barrier(len(wanted), timeout=30)

        def one(call: Call) -> Answer:
            person, method, path, body = call
            client, headers = application.test_client(), {"Authorization": f"Bearer {person.token}"}
            sent: dict[str, Any] = (
                {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
            )
            barrier.wait()
            answer = client.open(f"/api/v1{path}", method=method, headers=headers, **sent)
            assert answer.json is not None
            return answer.status_code, answer.json

        with ThreadPoolExecutor(len(wanted)) as pool:
            return list(pool.map(one, wanted))

    return calls
