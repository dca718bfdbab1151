"""Reading at 10 000 and at 300 000 records: the same requests as city user, in turns, through the application.

In process (Flask's test client), not over a socket: what a socket adds is the same at both sizes and
would only hide the difference.
"""

import time
import urllib.parse
from contextlib import ExitStack
from datetime import timedelta
from statistics import median
from typing import Any

from flask.testing import FlaskClient

from bench import city, records
from bench.city import City
from bench.databases import place
from bench.tables import print_table
from core import clock

SMALL, LARGE = 10_000, 300_000
QUICK_LARGE = 60_000
TARGET = 1.5


def _search(term: str) -> str:
    return f"/inspections?q={urllib.parse.quote(term)}"


TARGETED = {
    "信息查看, first page": "/inspections",
    "name, common, 2 characters": _search(city.COMMON),
    "name, common, 4 characters": _search(city.COMMON_LONG),
    "name, rare, 2 characters": _search(city.RARE),
    "name, rare, 4 characters": _search(city.RARE_LONG),
    "name, absent, 2 characters": _search(city.ABSENT),
    "name, absent, 4 characters": _search(city.ABSENT_LONG),
    "工作统计": "/statistics/progress",
}
FURTHER = {
    "name, 1 in 150, 2 characters": _search(city.SOME),
    "name, 1 in 20, 2 characters": _search(city.MORE),
    "name, absent, pairs known": _search(city.ABSENT_PAIRS_KNOWN),
    "信息查看, page 50": "/inspections?page=50",
    "信息查看, one county": "/inspections?region=320402",
    "信息查看, 办理中": "/inspections?disposal=in_progress",
    "信息查看, 发现问题": "/inspections?problem=true",
    "信息查看, last 30 days": "/inspections?from={month_ago}",
    "信息暂存": "/inspections?status=draft",
    "企业名录, common": f"/enterprises?q={urllib.parse.quote(city.COMMON)}",
    "企业名录, rare": f"/enterprises?q={urllib.parse.quote(city.RARE)}",
    "工作统计, last 30 days": "/statistics/progress?from={month_ago}",
    "工作统计, two years": "/statistics/progress?from={years_ago}",
}


QUESTIONS = {**TARGETED, **FURTHER}
"""All of them, by name: a path below `/api/v1`, to be completed by `dated`."""


def dated(path: str) -> str:
    """The path with its dates put in."""
    today = clock.today()
    return path.format(month_ago=today - timedelta(days=30), years_ago=today - timedelta(days=720))


def ask(client: FlaskClient, token: str, path: str) -> Any:
    """Ask; the answer's body."""
    answer = client.get(f"/api/v1{dated(path)}", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")
    return answer.json


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
        """What a list says it holds."""
        body = ask(self._client, self.city.reviewer.token, path)
        return "" if "items" not in body else f"{body['total']}{'' if body['total_is_exact'] else '+'}"


def measure(dialect: str, *, quick: bool) -> list[list[str]]:
    """The rows of the table."""
    rounds, large_count = (9, QUICK_LARGE) if quick else (25, LARGE)
    rows: list[list[str]] = []
    with ExitStack() as stack:
        small, large = _Size(stack, dialect, SMALL), _Size(stack, dialect, large_count)
        print(f"{dialect}: {large_count} records in {large.seconds_to_fill:.0f} s")
        for name, path in QUESTIONS.items():
            pairs = [(small.milliseconds(path), large.milliseconds(path)) for _ in range(rounds + 3)][3:]
            at_small, at_large = median(a for a, _ in pairs), median(b for _, b in pairs)
            rows.append(
                [
                    name, f"{at_small:.1f}", f"{at_large:.1f}", f"{at_large / at_small:.2f}",
                    f"<= {TARGET}" if name in TARGETED else "", small.total(path), large.total(path),
                ]
            )  # fmt: skip
    return rows


def report(dialects: list[str], *, quick: bool) -> None:
    """Print a table for each database."""
    large = QUICK_LARGE if quick else LARGE
    for dialect in dialects:
        print_table(
            f"Reading as city user, {dialect} (milliseconds, medians; in process)",
            ["request", f"at {SMALL}", f"at {large}", "ratio", "target", "found small", "found large"],
            measure(dialect, quick=quick),
        )
