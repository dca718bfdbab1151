"""Memory of one worker after 1 000 and after 20 000 requests: submissions, lists, searches, statistics."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from bench import bodies, city
from bench.city import City
from bench.databases import place
from bench.growth import PLANNED, dated
from bench.load import Load, request_bytes
from bench.server import serving
from bench.tables import print_table

TARGET = 1.1


def requests(there: City) -> Iterator[bytes]:
    """Endless requests: two submissions, then two queries of the city's user."""
    submissions = bodies.submissions(there)
    questions = itertools.cycle(map(dated, PLANNED.values()))
    while True:
        yield next(submissions)
        yield next(submissions)
        for _ in range(2):
            yield request_bytes("GET", "/api/v1" + next(questions), there.reviewer.token)


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def measure(dialect: str, *, quick: bool) -> list[str]:
    """One row of the table."""
    first, last = (300, 2_000) if quick else (1_000, 20_000)
    with place(dialect) as where, Load() as load:
        there = city.found(where)
        mixed = requests(there)
        with serving("app:create_app()", where, workers=1) as server:
            (worker,) = server.workers()
            load.run(server.port, itertools.islice(mixed, first), None)
            before = resident(worker)
            for _ in range(first, last, 1000):
                load.run(server.port, itertools.islice(mixed, 1000), None)
            after = resident(worker)
    return [dialect, f"{before:.0f}", f"{after:.0f}", f"{after / before:.2f}", f"<= {TARGET}"]


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the table."""
    first, last = (300, 2_000) if quick else (1_000, 20_000)
    print_table(
        "Memory of a worker, MiB",
        ["database", f"after {first}", f"after {last}", "ratio", "target"],
        [measure(dialect, quick=quick) for dialect in dialects],
    )
