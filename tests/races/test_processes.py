"""The server as it is really run, two workers over one database: races between them, and SIGKILL under load."""

import http.client
import json
import os
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Condition
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, text

from core.config import Settings
from core.db import Database
from core.keys import stored as keys
from core.models import HistoryEntry, Todo
from core.workflows import history
from inspection.models import Inspection
from inspection.statistics import tallies
from tests.databases import postgres_database
from tests.people import PASSWORD, new_id, production, uscc, with_problem
from tests.records import Json
from tests.rounds import rounds
from tests.servers import server_process

ROUNDS, AT_ONCE = rounds(20, few=4), 8
KILLS, ACKNOWLEDGED_BEFORE_A_KILL = rounds(5, few=2), 24
# The servers run by the clock of the machine.
YESTERDAY = (date.today() - timedelta(days=1)).isoformat()

Answer = tuple[int, Json]
Running = tuple[str, subprocess.Popen[bytes]]


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Callable[[], Any]:
    """Starts the server over the test's database; it may be started again after its end."""

    @contextmanager
    def started() -> Iterator[Running]:
        with server_process(
            tmp_path, DATABASE_URL=settings.database_url, DATA_KEY=settings.data_key.get_secret_value(),
            DEMO="0", LOG_LEVEL="ERROR", ENVIRONMENT="installation",
        ) as running:  # fmt: skip
            yield running

    return started


@pytest.fixture
def stored(settings: Settings) -> Iterator[Database]:
    """The same database, from the outside."""
    database = Database(settings.database_url)
    keys.open_keys(database.engine, settings.data_key.get_secret_value())
    yield database
    database.dispose()


def ask(
    base: str, method: str, path: str, body: Json | None = None, token: str = "", at: Barrier | None = None
) -> Answer:
    """One request on a connection of its own, sent when all others at the barrier are ready too."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        connection.connect()
        if at is not None:
            at.wait()
        connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def sign_in(base: str, username: str = "county_inspector") -> str:
    status, answer = ask(base, "POST", "/sessions", {"username": username, "password": PASSWORD})
    assert status == 201, answer
    return str(answer["token"])


def all_at_once(pool: ThreadPoolExecutor, base: str, token: str, path: str, bodies: list[Json]) -> list[Answer]:
    barrier = Barrier(len(bodies), timeout=60)
    return list(pool.map(lambda body: ask(base, "PUT", path, body, token, barrier), bodies))


def everything_holds(database: Database, records: int, rows: int) -> None:
    """So many records and rows of history, and tallies and chains that are right."""
    with database.write() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == records
        of_records = HistoryEntry.subject_type == "inspection"
        assert session.scalar(select(func.count()).select_from(HistoryEntry).where(of_records)) == rows
        found = tallies.reconcile(session)
        assert (found.mended, found.added, found.emptied) == (0, 0, 0)
        assert list(history.verify(session)) == []


@pytest.mark.in_make_test
@pytest.mark.rounds
def test_identical_first_submissions_to_two_processes_make_one_record(run: Any, stored: Database) -> None:
    answered: Counter[int] = Counter()
    with run() as (base, _), ThreadPoolExecutor(AT_ONCE) as pool:
        token = sign_in(base)
        for number in range(ROUNDS):
            body = with_problem(
                {"7.1": "in_progress"}, uscc=uscc(number), check_date=YESTERDAY, contact_tel="13800000001"
            )
            answers = all_at_once(pool, base, token, f"/inspections/{new_id()}/submission", [body] * AT_ONCE)
            assert all(answer == answers[0][1] for _, answer in answers)
            answered.update(status for status, _ in answers)
    assert answered == {201: ROUNDS, 200: ROUNDS * (AT_ONCE - 1)}
    everything_holds(stored, ROUNDS, ROUNDS)


@pytest.mark.rounds
def test_of_different_first_submissions_to_two_processes_one_content_wins(run: Any, stored: Database) -> None:
    with run() as (base, _), ThreadPoolExecutor(AT_ONCE) as pool:
        token = sign_in(base)
        for number in range(ROUNDS):
            record = new_id()
            bodies = [production(uscc=uscc(AT_ONCE * number + n), check_date=YESTERDAY) for n in range(AT_ONCE)]
            answers = all_at_once(pool, base, token, f"/inspections/{record}/submission", bodies)
            assert Counter(status for status, _ in answers) == {201: 1, 409: AT_ONCE - 1}
            assert {answer["code"] for status, answer in answers if status == 409} == {"already_submitted"}
            winner = next(n for n, (status, _) in enumerate(answers) if status == 201)
            status, shown = ask(base, "GET", f"/inspections/{record}", token=token)
            assert (status, shown) == (200, answers[winner][1])
            assert shown["uscc"] == bodies[winner]["uscc"]
    everything_holds(stored, ROUNDS, ROUNDS)


@pytest.mark.rounds
def test_identical_draft_saves_to_two_processes_make_one_draft(run: Any, stored: Database) -> None:
    with run() as (base, _), ThreadPoolExecutor(AT_ONCE) as pool:
        token = sign_in(base)
        for _ in range(ROUNDS):
            path = f"/inspections/{new_id()}"
            for version, statuses in ((None, {201: 1, 200: AT_ONCE - 1}), (1, {200: AT_ONCE})):
                body = production(version=version, remark=str(version))
                answers = all_at_once(pool, base, token, path, [body] * AT_ONCE)
                assert Counter(status for status, _ in answers) == statuses
                assert all(answer == answers[0][1] for _, answer in answers)
            assert answers[0][1]["version"] == 2
    everything_holds(stored, ROUNDS, 2 * ROUNDS)


def test_phones_that_fall_silent_in_a_submission_keep_no_other_from_submitting(run: Any, stored: Database) -> None:
    with run() as (base, _), ExitStack() as silent:
        token = sign_in(base)
        begun = (
            f"PUT /api/v1/inspections/{new_id()}/submission HTTP/1.1\r\nHost: localhost\r\n"
            f'Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{{"kind":'
        )
        phones = []
        for _ in range(6):
            phone = socket.create_connection((urlsplit(base).hostname, urlsplit(base).port), timeout=60)
            phones.append(silent.enter_context(phone))
            phone.sendall(begun.encode())
        for number in range(AT_ONCE):
            body = production(uscc=uscc(number), check_date=YESTERDAY)
            assert ask(base, "PUT", f"/inspections/{new_id()}/submission", body, token)[0] == 201
        for phone in phones:  # the server is still waiting for each of them
            phone.setblocking(False)
            with pytest.raises(BlockingIOError):
                phone.recv(1)
    everything_holds(stored, AT_ONCE, AT_ONCE)


class Crowd:
    """Phones that submit one check after the other until the server is gone."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Json] = {}
        self.attempted: dict[str, Json] = {}
        self.more = Condition()

    def work(self, base: str, token: str) -> None:
        while True:
            with self.more:
                number, record = len(self.attempted), new_id()
                disposals = {"7.1": "in_progress"}
                body = with_problem(disposals, uscc=uscc(number), org_name=f"第{number}家电缆厂", check_date=YESTERDAY)
                self.attempted[record] = body
            try:
                status, answer = ask(base, "PUT", f"/inspections/{record}/submission", body, token)
            except (OSError, http.client.HTTPException):
                return
            assert status == 201, answer
            with self.more:
                self.acknowledged[record] = answer
                self.more.notify_all()

    def kill_under_load(self, base: str, token: str, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL for master and workers as soon as some more were acknowledged."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            phones = [pool.submit(self.work, base, token) for _ in range(AT_ONCE)]
            with self.more:
                enough = len(self.acknowledged) + ACKNOWLEDGED_BEFORE_A_KILL
                assert self.more.wait_for(lambda: len(self.acknowledged) >= enough, timeout=120)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
            for phone in phones:
                phone.result(timeout=60)


@pytest.mark.rounds
def test_acknowledged_means_stored_however_often_the_server_is_killed(run: Any, stored: Database) -> None:
    crowd, token = Crowd(), ""
    for _ in range(KILLS):
        with run() as (base, process):
            token = token or sign_in(base)
            for record in list(crowd.acknowledged)[-3:]:
                repeated = ask(base, "PUT", f"/inspections/{record}/submission", crowd.attempted[record], token)
                assert repeated == (200, crowd.acknowledged[record])
            crowd.kill_under_load(base, token, process)
    assert len(crowd.acknowledged) >= KILLS * ACKNOWLEDGED_BEFORE_A_KILL
    with run() as (base, _):
        for record, answer in crowd.acknowledged.items():
            assert ask(base, "GET", f"/inspections/{record}", token=token) == (200, answer)
        for record in crowd.attempted.keys() - crowd.acknowledged.keys():
            # What was not acknowledged is asked for again: it is there whole, or comes into being now.
            status, _ = ask(base, "PUT", f"/inspections/{record}/submission", crowd.attempted[record], token)
            assert status in (200, 201)
        status, page = ask(base, "GET", "/inspections?disposal=in_progress&page_size=1", token=token)
        assert (status, page["total"]) == (200, len(crowd.attempted))
    everything_holds(stored, len(crowd.attempted), len(crowd.attempted))
    with stored.read() as session:
        assert session.scalar(select(func.count()).select_from(Todo)) == len(crowd.attempted)


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(dialect: str, tmp_path: Path) -> None:
    """SIGKILL does not show this; a power failure would. Asked of a database as a server would have it: those that
    tests share wait for no disk."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/own.sqlite3"
        if dialect == "postgresql":
            url = stack.enter_context(postgres_database()).render_as_string(hide_password=False)
        database = Database(url)
        stack.callback(database.dispose)
        with database.write() as session:
            if dialect == "sqlite":
                assert session.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
                assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            else:
                assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
