"""Reading at 10 000 and at 300 000 records: the same requests of a city user, alternating between both sizes.

They run in process (Flask's test client): the time of a socket is the same at both sizes and would only hide the
difference.
"""

import time
import urllib.parse
from contextlib import ExitStack
from datetime import timedelta
from statistics import median
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from bench import city, index_cost, records
from bench.city import City
from bench.databases import place
from bench.tables import print_table
from core import clock
from core.db import Database
from inspection.models import Inspection
from inspection.records.listing import NEWEST

SMALL, LARGE = 10_000, 300_000
QUICK_LARGE = 60_000
TARGET = 1.5


def _list(q: str = "", **filters: str) -> str:
    named = {"q": q, **filters} if q else filters
    return f"/inspections?{urllib.parse.urlencode(named, safe='{}')}"


_AGO = {"from": "{days_395}", "to": "{days_365}"}
_FIRST_PAGE, _FIGURES, _FIGURES_OF_TWO_YEARS = "信息查看, first page", "工作统计", "工作统计, two years"
LISTS = {
    _FIRST_PAGE: "/inspections",
    "name, common, 2 characters": _list(city.COMMON),
    "name, common, 4 characters": _list(city.COMMON_LONG),
    "name, rare, 2 characters": _list(city.RARE),
    "name, rare, 4 characters": _list(city.RARE_LONG),
    "name, absent, 2 characters": _list(city.ABSENT),
    "name, absent, 4 characters": _list(city.ABSENT_LONG),
    "name, absent, pairs known": _list(city.ABSENT_PAIRS_KNOWN),
    "name, 1 in 150": _list(city.SOME),
    "name, 1 in 20": _list(city.MORE),
    "one county": _list(region="320402"),
    "own office (本级)": _list(own_office="true"),
    "a product without records": _list(product_code="01"),
    "办理中": _list(disposal="in_progress"),
    "发现问题": _list(problem="true"),
    "disposal=na": _list(disposal="na"),
    "name + na": _list(city.COMMON, disposal="na"),
    "name, 1 in 20 + na": _list(city.MORE, disposal="na"),
    "sales + problem + name": _list(city.COMMON, kind="sales", problem="true"),
    "sales + unable": _list(kind="sales", unable="true"),
    "last 30 days": _list(**{"from": "{days_30}"}),
    "last 30 days + sales": _list(kind="sales", **{"from": "{days_30}"}),
    "last 30 days + name": _list(city.COMMON, **{"from": "{days_30}"}),
    "30 days a year ago": _list(**_AGO),
    "30 days a year ago + problem": _list(problem="true", **_AGO),
    "30 days a year ago + name, 1 in 20": _list(city.MORE, **_AGO),
    "until a year ago": _list(to="{days_365}"),
    "until a year ago + na": _list(disposal="na", to="{days_365}"),
    "two years": _list(**{"from": "{days_720}"}),
    "two years + problem": _list(problem="true", **{"from": "{days_720}"}),
    "two years + na": _list(disposal="na", **{"from": "{days_720}"}),
    "two years + name": _list(city.COMMON, **{"from": "{days_720}"}),
    "two years + name, 1 in 20": _list(city.MORE, **{"from": "{days_720}"}),
    "page 50": _list(page="50"),
    "信息暂存": _list(status="draft"),
    "企业名录, common": f"/enterprises?q={urllib.parse.quote(city.COMMON)}",
    "企业名录, rare": f"/enterprises?q={urllib.parse.quote(city.RARE)}",
    "应检查企业, not visited": "/enterprises?visited=false&product_code=06",
    _FIGURES: "/statistics/progress",
}
"""Requests that must cost the same at both sizes, by name: paths below `/api/v1`, completed by `dated`."""
DATED_FIGURES = {
    "工作统计, last 30 days": "/statistics/progress?from={days_30}",
    "工作统计, a year": "/statistics/progress?from={days_365}",
    _FIGURES_OF_TWO_YEARS: "/statistics/progress?from={days_720}",
    "工作统计, the year in the middle": "/statistics/progress?from={days_530}&to={days_170}",
}
DEARER = 10
"""The figures of two years may cost this many times the undated figures."""
EXPORTS = {
    "CSV, disposal=na": "/inspections.csv?disposal=na",
    "CSV, last 30 days": "/inspections.csv?from={days_30}",
}
PLANNED = {name: LISTS[name] for name in (
    _FIRST_PAGE, "name, common, 2 characters", "name, rare, 4 characters", "name + na", "last 30 days",
    "30 days a year ago", "two years + name, 1 in 20", _FIGURES,
)} | {name: DATED_FIGURES[name] for name in ("工作统计, last 30 days", _FIGURES_OF_TWO_YEARS)}  # fmt: skip
"""Requests whose query plans are printed (`bench.plans`)."""
_DEEP = 200_000


def dated(path: str) -> str:
    """The path with its dates put in."""
    today = clock.today()
    return path.format(**{f"days_{n}": today - timedelta(days=n) for n in (30, 170, 365, 395, 530, 720)})


def ask(client: FlaskClient, token: str, path: str) -> Any:
    """Send a request; its answer, read to the end."""
    answer = client.get(f"/api/v1{dated(path)}", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")
    answer.get_data()
    return answer


class _Size:
    """A filled database with the application over it."""

    def __init__(self, stack: ExitStack, dialect: str, count: int) -> None:
        where = stack.enter_context(place(dialect))
        started = time.perf_counter()
        self.city: City = city.found(where)
        records.fill(where, self.city, count)
        self.seconds_to_fill = time.perf_counter() - started
        app, self.database = stack.enter_context(city.application(where))
        self._client = app.test_client()

    def milliseconds(self, path: str) -> float:
        """One request as city user."""
        started = time.perf_counter()
        ask(self._client, self.city.reviewer.token, path)
        return (time.perf_counter() - started) * 1000

    def total(self, path: str) -> str:
        """The total that a list reports."""
        body = ask(self._client, self.city.reviewer.token, path).json
        return "" if "items" not in body else f"{body['total']}{'' if body['total_is_exact'] else '+'}"

    def rows(self, path: str) -> int:
        """Number of rows in an export."""
        return int(ask(self._client, self.city.reviewer.token, path).get_data().count(b"\n")) - 1


def _in_turns(first: _Size, other: _Size, path: str, rounds: int, other_path: str | None = None) -> tuple[float, float]:
    pairs = [(first.milliseconds(path), other.milliseconds(other_path or path)) for _ in range(rounds + 3)][3:]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def _growth(small: _Size, large: _Size, rounds: int) -> list[list[str]]:
    rows = []
    for name, path in {**LISTS, **DATED_FIGURES}.items():
        at_small, at_large = _in_turns(small, large, path, rounds)
        target = f"<= {TARGET}" if name in LISTS else ""
        rows.append([*_row(name, at_small, at_large, target), small.total(path), large.total(path)])
    for name, path in EXPORTS.items():
        at_small, at_large = _in_turns(small, large, path, max(1, rounds // 8))
        found = small.rows(path), large.rows(path)
        row = _row(f"{name}, a row", at_small / found[0], at_large / found[1], f"<= {TARGET}", digits=3)
        rows.append(row + [str(number) for number in found])
    return rows


def _row(name: str, one: float, other: float, target: str, digits: int = 1) -> list[str]:
    return [name, f"{one:.{digits}f}", f"{other:.{digits}f}", f"{other / one:.2f}", target]


def _within_one(large: _Size, count: int, rounds: int) -> list[list[str]]:
    """Rows for pairs of requests that are compared within the large database."""
    undated, two_years = _in_turns(large, large, LISTS[_FIGURES], rounds, DATED_FIGURES[_FIGURES_OF_TWO_YEARS])
    deep = min(_DEEP, count * 2 // 3)
    first, behind = _in_turns(large, large, _list(page="1"), rounds, _list(after=_mark(large.database, deep)))
    return [
        _row("工作统计: none, two years", undated, two_years, f"<= {DEARER}"),
        _row(f"信息查看: page 1, behind {deep} records", first, behind, f"<= {TARGET}"),
    ]


def _mark(database: Database, place: int) -> str:
    """The mark of the page that begins after `place` records, as the page before it returns it."""
    with database.read() as session:
        chosen = select(Inspection.submitted_at, Inspection.id).order_by(*NEWEST.clauses()).offset(place - 1)
        return NEWEST.mark(session.execute(chosen.limit(1)).one(), clock.today())


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the tables for each database."""
    rounds, count = (9, QUICK_LARGE) if quick else (25, LARGE)
    for dialect in dialects:
        with ExitStack() as stack:
            small, large = _Size(stack, dialect, SMALL), _Size(stack, dialect, count)
            print(f"{dialect}: {count} records in {large.seconds_to_fill:.0f} s")
            print_table(
                f"Reading as city user, {dialect} (milliseconds, medians; in process)",
                ["request", f"at {SMALL}", f"at {count}", "ratio", "target", "found small", "found large"],
                _growth(small, large, rounds),
            )
            print_table(
                f"Two requests at {count} records, {dialect} (milliseconds, medians; in process)",
                ["requests", "the first", "the other", "ratio", "target"],
                _within_one(large, count, rounds),
            )
            print_table(
                f"What the indexes of field records cost, {dialect} (microseconds a record, medians)",
                ["records there", "with them", "without", "ratio"],
                [[str(n), *index_cost.measure(size.database)] for n, size in ((SMALL, small), (count, large))],
            )
