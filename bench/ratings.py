"""Rating: the page and posting against bare Flask routes, pictures of codes, and reading a million ratings.

Each posted form is JSON with a new phone number; half of the ratings are of the best level, a tenth are bad. The page's
baseline runs the same select and renders the same template. All requests come from one address, so its rate limit is
raised.
"""

import itertools
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.verbs import Role
from bench import bare_ratings, city, rating_rows
from bench.databases import Place, place
from bench.load import Load, request_bytes
from bench.server import product, serving
from bench.tables import print_table, spread
from core.db import Database, make_engine
from demo.accounts import actor_of
from feedback.codes import operations as codes
from feedback.codes.catalogue import is_bad, tags_of
from feedback.models import RatingCode

PAGE_TARGET = 0.8
POST_TARGETS = {"sqlite": 0.5, "postgresql": 0.35}
GROWTH_TARGET = 1.5
SMALL, LARGE, QUICK_LARGE = 10_000, 1_000_000, 100_000
_LEVELS = (5, 5, 5, 5, 5, 4, 4, 4, 3, 2)
_NO_LIMIT = {"RATING_ADDRESS_LIMIT": "100000000 per hour", "RATING_ADDRESS_CEILING": "100000000 per hour"}


@dataclass(frozen=True, slots=True)
class Hall:
    """A city, the session of a supervisor, and an active code."""

    city: city.City
    token: str
    code: RatingCode


def hall(where: Place) -> Hall:
    """Make the city; its reviewer is a supervisor of ratings and has made a code."""
    found = city.found(where)
    database = Database(where.url)
    with database.write() as session:
        reviewer = session.scalars(select(User).where(User.username == found.reviewer.username)).one()
        reviewer.roles = [*reviewer.roles, Role.RATING_SUPERVISOR.value]
    with database.write() as session:
        code = _code(session, found.reviewer.username)
    database.dispose()
    return Hall(found, found.reviewer.token, code)


def _code(session: Session, username: str) -> RatingCode:
    actor = actor_of(session, username, "张三")
    body = {"kind": "per_visit", "matter_name": "工业产品生产许可证受理", "org_name": "常州市市场监督管理局"}
    made, _ = codes.create(session, actor, body)
    return codes.generate(session, actor, made.id)


def _forms(first: int) -> Iterator[bytes]:
    for number in itertools.count(first):
        level = _LEVELS[number % 10]
        yield orjson.dumps(
            {
                "rater_name": "张某某", "mobile": f"138{number:08d}", "level": level,
                "tags": [tag.code for tag in tags_of(level)[:2]],
                "comment": "窗口人员业务不熟练，等了很久" if is_bad(level) else "办得很快",
                "submission_id": str(uuid.uuid4()),
            }
        )  # fmt: skip


def _against(dialect: str, *, quick: bool) -> tuple[list[str], list[str]]:
    """The rows for the page and for posting, alternating with the bare routes."""
    rounds, seconds = (3, 2.0) if quick else (7, 4.0)
    with place(dialect) as ours, place(dialect) as theirs, Load() as load:
        there = hall(ours)
        engine = make_engine(theirs.url)
        bare_ratings.metadata.create_all(engine)
        engine.dispose()
        page = request_bytes("GET", f"/r/{there.code.token}")
        forms, plain = _forms(1), _forms(50_000_000)
        posts = (request_bytes("POST", f"/api/v1/ratings/form/{there.code.token}", None, f) for f in forms)
        inserts = (request_bytes("POST", f"/ratings/{there.code.token}", None, f) for f in plain)
        with (
            product(ours, **_NO_LIMIT) as application,
            serving("bench.bare_ratings:create_app()", ours) as bare_page,
            serving("bench.bare_ratings:create_app()", theirs) as bare_post,
        ):
            pages, posted = [], []
            for number in range(-1, rounds):
                pair = [
                    load.run(port, itertools.repeat(page, int(4000 * seconds)), seconds)
                    for port in (application.port, bare_page.port)
                ]
                twice = [
                    load.run(port, itertools.islice(source, int(3000 * seconds)), seconds)
                    for port, source in ((application.port, posts), (bare_post.port, inserts))
                ]
                for outcome, expected in zip((*pair, *twice), (200, 200, 201, 201), strict=True):
                    if refused := outcome.refused(expected):
                        raise RuntimeError(refused)
                if number >= 0:
                    pages.append((pair[0].rate, pair[1].rate))
                    posted.append((twice[0].rate, twice[1].rate))
    return _row(dialect, pages, PAGE_TARGET), _row(dialect, posted, POST_TARGETS[dialect])


def _row(dialect: str, pairs: list[tuple[float, float]], target: float) -> list[str]:
    return [
        dialect, f"{median(a for a, _ in pairs):.0f}", f"{median(b for _, b in pairs):.0f}",
        spread([a / b for a, b in pairs]), f">= {target}", str(len(pairs)),
    ]  # fmt: skip


QUESTIONS = {
    "statistics, all": ("/statistics/ratings", True),
    "public list": ("/ratings/public", True),
    "public list, one level": ("/ratings/public?level=2", False),
    "staff list": ("/ratings", False),
    "staff list, bad ones": ("/ratings?bad=true", False),
    "staff list, overdue": ("/ratings?overdue=true", False),
    "staff list, last four digits": ("/ratings?mobile_tail=0077", False),
    "statistics, a year and a half": ("/statistics/ratings?from=2025-02-10&to=2026-08-20", False),
    "statistics, one matter": ("/statistics/ratings?matter=%E4%BA%8B%E9%A1%B93", False),
}
"""By name: a path below `/api/v1`, and whether the target applies to it."""


class _Size:
    def __init__(self, stack: ExitStack, dialect: str, count: int) -> None:
        where = stack.enter_context(place(dialect))
        started = time.perf_counter()
        there = hall(where)
        rating_rows.fill(where, there.city, count)
        self.seconds_to_fill = time.perf_counter() - started
        app, _ = stack.enter_context(city.application(where))
        self._client: FlaskClient = app.test_client()
        self._headers = {"Authorization": f"Bearer {there.token}"}

    def ask(self, path: str) -> Any:
        answer = self._client.get(f"/api/v1{path}", headers=self._headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")
        return answer.json

    def milliseconds(self, path: str) -> float:
        started = time.perf_counter()
        self.ask(path)
        return (time.perf_counter() - started) * 1000


def _growth(dialect: str, *, quick: bool) -> list[list[str]]:
    rounds, many = (7, QUICK_LARGE) if quick else (21, LARGE)
    rows = []
    with ExitStack() as stack:
        small, large = _Size(stack, dialect, SMALL), _Size(stack, dialect, many)
        print(f"{dialect}: {many} ratings in {large.seconds_to_fill:.0f} s")
        for name, (path, targeted) in QUESTIONS.items():
            pairs = [(small.milliseconds(path), large.milliseconds(path)) for _ in range(rounds + 3)][3:]
            at_small, at_large = median(a for a, _ in pairs), median(b for _, b in pairs)
            target = f"<= {GROWTH_TARGET}" if targeted else ""
            rows.append([name, f"{at_small:.1f}", f"{at_large:.1f}", f"{at_large / at_small:.2f}", target])
    return rows


def _pictures() -> list[list[str]]:
    rows = []
    with place("sqlite") as where:
        there = hall(where)
        with city.application(where) as (app, _):
            client, headers = app.test_client(), {"Authorization": f"Bearer {there.token}"}
            for name in ("qr.png", "qr.svg", "poster.png", "poster.pdf", "sign.pdf"):
                taken = []
                for _ in range(11):
                    started = time.perf_counter()
                    answer = client.get(f"/api/v1/rating-codes/{there.code.id}/{name}", headers=headers)
                    taken.append((time.perf_counter() - started) * 1000)
                    if answer.status_code != 200:
                        raise RuntimeError(f"{name}: {answer.status_code}")
                rows.append([name, f"{taken[0]:.0f}", f"{median(taken[1:]):.1f}", f"{len(answer.data) / 1024:.0f}"])
    return rows


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the tables."""
    both = [_against(dialect, quick=quick) for dialect in dialects]
    head = ["database", "ours", "bare", "ratio, median (range)", "target", "runs"]
    print_table("Rating page against a bare route (8 connections, answers a second)", head, [one[0] for one in both])
    print_table("Posting a rating against two bare inserts (answers a second)", head, [one[1] for one in both])
    print_table("Pictures (milliseconds)", ["picture", "first", "from the cache", "KiB"], _pictures())
    large = QUICK_LARGE if quick else LARGE
    for dialect in dialects:
        print_table(
            f"Reading ratings as city supervisor, {dialect} (milliseconds, medians; in process)",
            ["request", f"at {SMALL}", f"at {large}", "ratio", "target"],
            _growth(dialect, quick=quick),
        )
