"""Ratings at the server as it is really run, two workers over one database: one number, one case, one accepted."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import func, select

from accounts.verbs import Role
from core.config import Settings
from core.db import Database
from core.workflows import history
from feedback.models import Rating, RatingCode, RatingWindow
from feedback.statistics import tallies
from tests.newcomers import make_user
from tests.people import PASSWORD, new_id
from tests.raters import BAD, GOOD
from tests.records import Json
from tests.rounds import rounds
from tests.servers import running_server

ROUNDS, PHONES = rounds(20, few=4), 50

Answer = tuple[int, Json]


@pytest.fixture
def stored(settings: Settings) -> Iterator[Database]:
    """The same database, from the outside."""
    database = Database(settings.database_url)
    yield database
    database.dispose()


@pytest.fixture
def base(settings: Settings, stored: Database, tmp_path: Path) -> Iterator[str]:
    make_user(stored, "320402", "officer", Role.RATING_OFFICER)
    with running_server(
        tmp_path, DATABASE_URL=settings.database_url, DATA_KEY=settings.data_key.get_secret_value(), DEMO="0",
        LOG_LEVEL="ERROR", ENVIRONMENT="installation", RATING_ADDRESS_LIMIT="1000000 per hour",
        RATING_ADDRESS_CEILING="1000000 per hour",
    ) as address:  # fmt: skip
        yield address


@contextmanager
def request(base: str, path: str, body: str, headers: dict[str, str], at: Barrier | None = None) -> Iterator[Any]:
    """One POST on a connection of its own, sent when all others at the barrier are ready too."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    try:
        connection.connect()
        if at is not None:
            at.wait()
        connection.request("POST", path, body, headers)
        yield connection.getresponse()
    finally:
        connection.close()


def call(base: str, path: str, body: Json, token: str = "", at: Barrier | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with request(base, f"/api/v1{path}", json.dumps(body), headers, at) as answer:
        return answer.status, json.loads(answer.read())


def new_code(base: str, kind: str = "per_visit", token: str = "") -> str:
    """The token of a code that was generated just now."""
    token = token or sign_in(base)
    body = {"kind": kind, "matter_name": "营业执照办理", "org_name": "天宁区市场监督管理局", "matter_ref": new_id()}
    status, made = call(base, "/rating-codes", body, token)
    assert status == 201, made
    status, made = call(base, f"/rating-codes/{made['id']}/generate", {}, token)
    assert status == 200, made
    return str(made["url"].rpartition("/")[2])


def sign_in(base: str) -> str:
    status, answer = call(base, "/sessions", {"username": "officer", "password": PASSWORD})
    assert status == 201, answer
    return str(answer["token"])


def all_at_once(pool: ThreadPoolExecutor, base: str, code: str, bodies: list[Json]) -> list[Answer]:
    barrier = Barrier(len(bodies), timeout=60)
    return list(pool.map(lambda body: call(base, f"/ratings/form/{code}", body, at=barrier), bodies))


def outcome(answers: list[Answer]) -> dict[tuple[int, str], int]:
    return dict(Counter((status, answer.get("code", "accepted")) for status, answer in answers))


def everything_holds(database: Database, ratings: int) -> None:
    """So many ratings, and windows, figures and chains that fit them."""
    with database.write() as session:
        assert session.scalar(select(func.count()).select_from(Rating)) == ratings
        assert session.scalar(select(func.count()).select_from(RatingWindow)) == ratings
        tallies.reconcile(session)
        assert tallies.reconcile(session).wrong == 0
        assert session.scalar(select(func.sum(RatingCode.ratings))) == ratings
        assert list(history.verify(session)) == []


@pytest.mark.in_make_test
@pytest.mark.rounds
def test_of_fifty_ratings_of_one_number_sent_to_two_processes_exactly_one_is_accepted(
    base: str, stored: Database
) -> None:
    code = new_code(base)
    with ThreadPoolExecutor(PHONES) as pool:
        for number in range(ROUNDS):
            body = {**(BAD if number % 2 else GOOD), "mobile": f"1380000{number:04d}"}
            answers = all_at_once(pool, base, code, [body] * PHONES)
            assert outcome(answers) == {(201, "accepted"): 1, (429, "rating_window"): PHONES - 1}
            assert len({answer["retry_at"] for status, answer in answers if status == 429}) == 1
    everything_holds(stored, ROUNDS)


def test_one_number_on_fifty_codes_of_all_kinds_is_accepted_once(base: str, stored: Database) -> None:
    token = sign_in(base)
    codes = [new_code(base, kind, token) for kind in ("per_visit", "per_matter") for _ in range(PHONES // 2)]
    barrier = Barrier(PHONES, timeout=60)
    with ThreadPoolExecutor(PHONES) as pool:
        answers = list(pool.map(lambda code: call(base, f"/ratings/form/{code}", GOOD, at=barrier), codes))
    assert outcome(answers) == {(201, "accepted"): 1, (429, "rating_window"): PHONES - 1}
    everything_holds(stored, 1)


@pytest.mark.rounds
def test_of_fifty_numbers_on_one_case_exactly_one_is_accepted_and_the_others_stay_free(
    base: str, stored: Database
) -> None:
    token, cases = sign_in(base), max(2, ROUNDS // 4)
    with ThreadPoolExecutor(PHONES) as pool:
        for turn in range(cases):
            bodies = [{**GOOD, "mobile": f"138000{turn:02d}{number:03d}"} for number in range(PHONES)]
            answers = all_at_once(pool, base, new_code(base, "per_matter", token), bodies)
            assert outcome(answers) == {(201, "accepted"): 1, (409, "already_rated"): PHONES - 1}
        # Whoever was refused may rate something else at once.
        refused = [body for body, (status, _) in zip(bodies, answers, strict=True) if status == 409][:5]
        visit = new_code(base, token=token)
        assert {call(base, f"/ratings/form/{visit}", body)[0] for body in refused} == {201}
    everything_holds(stored, cases + 5)


def test_one_form_of_the_page_posted_fifty_times_at_once_is_one_rating_and_the_same_thanks(
    base: str, stored: Database
) -> None:
    token = sign_in(base)
    form = {"level": "5", "tags5": "510", "rater_name": "张某某", "action": "send", "comment": ""}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def post(code: str, body: str, at: Barrier) -> tuple[int, str]:
        with request(base, f"/r/{code}", body, headers, at) as answer:
            answer.read()
            return answer.status, answer.headers["Location"]

    kinds = ("per_visit", "per_matter")
    with ThreadPoolExecutor(PHONES) as pool:
        for number, kind in enumerate(kinds):
            code, barrier = new_code(base, kind, token), Barrier(PHONES, timeout=60)
            body = urlencode({**form, "mobile": f"1380000000{number}", "submission_id": new_id()})
            answers = set(pool.map(lambda _: post(code, body, barrier), range(PHONES)))  # noqa: B023
            ((status, where),) = answers
            assert status == 303 and where.startswith("/r/answers/")
    everything_holds(stored, len(kinds))
