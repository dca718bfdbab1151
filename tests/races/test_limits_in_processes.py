"""The server as it is run, two workers: limits hold for calls of one moment, keys and secret change under load."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from sqlalchemy import func, select

from accounts.verbs import Role
from assets.files.models import File
from core.config import KEY_FILE, Settings
from core.db import Database
from core.keys import resealing, rewrapping, stored
from core.privacy import key_of
from feedback.models import Rating, SmsCode
from tests.newcomers import make_user
from tests.paperwork import pdf
from tests.people import new_id, uscc, with_problem
from tests.races.test_processes import YESTERDAY, ask, sign_in
from tests.races.test_rating_processes import call, new_code
from tests.raters import GOOD
from tests.servers import ROOT, server_process

AT_ONCE = 24
LIMITS = {"RATING_ADDRESS_LIMIT": "6 per hour", "RATING_ADDRESS_CEILING": "6 per hour", "RATING_SMS_PROOF": "0"}
CONTACT, PDF = "13911112222", pdf()
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/11")


@pytest.fixture
def outside(settings: Settings) -> Iterator[Database]:
    """The database of the server."""
    database = Database(settings.database_url)
    yield database
    database.dispose()


@contextmanager
def running(settings: Settings, folder: Path, **more: str) -> Iterator[str]:
    given = {"DATA_KEY": settings.data_key.get_secret_value(), **more}
    with server_process(folder, DATABASE_URL=settings.database_url, DEMO="0", LOG_LEVEL="ERROR", **given) as (base, _):
        yield base


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    barrier = Barrier(len(calls), timeout=60)

    def one(made: Callable[[], Any]) -> Any:
        barrier.wait()
        return made()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


@pytest.mark.only_in_rounds
def test_no_more_codes_go_out_than_an_address_may_have(settings: Settings, outside: Database, tmp_path: Path) -> None:
    with running(settings, tmp_path, SMS_SENDER="log", **LIMITS) as base:
        bodies = [{"mobile": f"138000{number:05d}"} for number in range(AT_ONCE)]
        answers = at_once([lambda body=body: call(base, "/ratings/sms-codes", body) for body in bodies])
    assert Counter(status for status, _ in answers) == {200: 6, 429: AT_ONCE - 6}
    with outside.read() as session:
        assert session.scalar(select(func.count()).select_from(SmsCode)) == 6


@pytest.mark.only_in_rounds
def test_no_more_wrong_passwords_are_looked_at_than_an_address_may_try(settings: Settings, tmp_path: Path) -> None:
    with running(settings, tmp_path) as base:
        tries = [{"username": f"nobody_{number}", "password": "Falsch-2026"} for number in range(AT_ONCE)]
        answers = at_once([lambda body=body: call(base, "/sessions", body) for body in tries])
    assert Counter(status for status, _ in answers) == {401: 10, 429: AT_ONCE - 10}


@pytest.mark.only_in_rounds
def test_with_redis_no_more_ratings_are_stored_than_an_address_may_give(
    settings: Settings, outside: Database, tmp_path: Path
) -> None:
    """Without Redis each process counts for itself, which the start and `/readyz` say."""
    try:
        redis.Redis.from_url(REDIS).flushdb()
    except redis.RedisError:
        pytest.skip("no Redis answers")
    make_user(outside, "320402", "officer", Role.RATING_OFFICER)
    with running(settings, tmp_path, REDIS_URL=REDIS, **LIMITS) as base:
        code = new_code(base)
        bodies = [{**GOOD, "mobile": f"138000{number:05d}"} for number in range(AT_ONCE)]
        answers = at_once([lambda body=body: call(base, f"/ratings/form/{code}", body) for body in bodies])
    assert Counter(status for status, _ in answers) == {201: 6, 429: AT_ONCE - 6}
    with outside.read() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == 6


def _upload(base: str, token: str, content: bytes) -> int:
    parts = {"id": new_id(), "purpose": "template"}
    head = "".join(f'--B\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts.items())
    head += '--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", "/api/v1/files", head.encode() + content + b"\r\n--B--\r\n", headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@pytest.mark.only_in_rounds
def test_uploads_of_one_moment_do_not_pass_the_quota_together(
    settings: Settings, outside: Database, tmp_path: Path
) -> None:
    quota = 5 * len(PDF)
    make_user(outside, "320402", "reviewer", Role.LICENCE_REVIEWER)
    constants = f"import accounts.models, assets.files.uploading as made; made.UNCLAIMED_QUOTA = {quota}"
    with running(settings, tmp_path, constants=constants) as base:
        token = sign_in(base, "reviewer")
        statuses = at_once([lambda: _upload(base, token, PDF) for _ in range(8)])
    assert Counter(statuses) == {201: 5, 422: 3}
    with outside.read() as session:
        assert session.scalar(select(func.sum(File.size))) == quota


def _manage(settings: Settings, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "cli/__main__.py", *arguments], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "DATABASE_URL": settings.database_url, "DATA_DIR": str(folder), "DATA_KEY": "", "DEMO": "0"},
    )  # fmt: skip


@pytest.mark.only_in_rounds
def test_keys_are_rotated_and_the_secret_is_changed_under_the_load_of_two_processes(
    settings: Settings, outside: Database, tmp_path: Path
) -> None:
    """The rotation is killed once and resumed. What was acknowledged meanwhile is there, and reads the same."""
    former = settings.data_key.get_secret_value()
    (tmp_path / KEY_FILE).write_text(former)
    acknowledged: list[str] = []
    over = threading.Event()
    refused: Counter[int] = Counter()
    with running(settings, tmp_path, DATA_KEY="") as base:
        token = sign_in(base)

        def write(first: int) -> None:
            for number in range(first, first + 100_000):
                if over.is_set():
                    return
                record = new_id()
                body = with_problem(
                    {"7.1": "in_progress"}, uscc=uscc(number), check_date=YESTERDAY, contact_tel=CONTACT
                )
                status, _ = ask(base, "PUT", f"/inspections/{record}/submission", body, token)
                refused[status] += status != 201
                acknowledged.extend([record] if status == 201 else [])

        writers = [threading.Thread(target=write, args=(number * 100_000,)) for number in range(4)]
        for writer in writers:
            writer.start()
        rotation = _manage(settings, tmp_path, "keys", "rotate")
        deadline = time.monotonic() + 120
        while "2" not in {row.id for row in stored.listed(outside.engine)} and time.monotonic() < deadline:
            time.sleep(0.05)
        rotation.kill()  # within the seconds that it waits for every server to know the new key
        rotation.communicate(timeout=60)
        for arguments in (("keys", "rotate"), ("keys", "change-secret")):
            done = _manage(settings, tmp_path, *arguments)
            told, _ = done.communicate(timeout=180)
            assert done.returncode == 0, told
        written = len(acknowledged)
        time.sleep(2)
        over.set()
        for writer in writers:
            writer.join()
        assert len(acknowledged) > written > 0 and not +refused
        for record in acknowledged:
            status, answer = ask(base, "GET", f"/inspections/{record}", token=token)
            assert status == 200 and CONTACT in json.dumps(answer), answer
        with urllib.request.urlopen(f"{base}/readyz", timeout=10) as ready:
            assert ready.status == 200
    new = (tmp_path / KEY_FILE).read_text()
    assert new != former and rewrapping.secrets_of(outside.engine) == [stored.secret_id(new)]
    found: set[str] = set()
    for _ in resealing.walk(outside.engine, lambda sealed: bool(found.add(key_of(sealed))), lambda sealed, _: sealed):
        pass
    assert found == {"2"}
