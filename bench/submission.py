"""Submission against a bare insert, alternating: the same body, server, engine and durability."""

import itertools
from statistics import median

from bench import bodies, city
from bench.bare import metadata
from bench.databases import Place, place
from bench.load import Load, Outcome
from bench.server import product, serving
from bench.tables import print_table, spread
from core.db import make_engine

TARGETS = {"sqlite": 0.5, "postgresql": 0.4}
_FIRST_RATE = 2000.0
"""Rate for which requests are prepared before a rate was measured, per second."""


def measure(dialect: str, *, quick: bool) -> list[str]:
    """One row of the table."""
    rounds, seconds = (3, 2.0) if quick else (7, 4.0)
    with place(dialect) as ours, place(dialect) as theirs, Load() as load:
        people = city.found(ours)
        _prepare(theirs)
        real, plain = bodies.submissions(people), bodies.plain(people)
        with product(ours) as application, serving("bench.bare:create_app()", theirs) as bare:
            pairs: list[tuple[float, float]] = []
            rates = (_FIRST_RATE, _FIRST_RATE)
            # Warm-up: connections, caches, and the first check of each enterprise, which makes its tally.
            load.run(application.port, itertools.islice(real, bodies.AMONG), None)
            for number in range(-1, rounds):
                wanted = [int(rate * seconds * 3) for rate in rates]
                submitted = load.run(application.port, itertools.islice(real, wanted[0]), seconds)
                inserted = load.run(bare.port, itertools.islice(plain, wanted[1]), seconds)
                _demand_success(submitted, inserted)
                rates = (submitted.rate, inserted.rate)
                if number >= 0:
                    pairs.append(rates)
    ratios = [ours / theirs for ours, theirs in pairs]
    return [
        dialect,
        f"{median(a for a, _ in pairs):.0f}",
        f"{median(b for _, b in pairs):.0f}",
        spread(ratios),
        f">= {TARGETS[dialect]}",
        str(len(pairs)),
    ]


def _prepare(bare: Place) -> None:
    engine = make_engine(bare.url)
    metadata.create_all(engine)
    engine.dispose()


def _demand_success(*outcomes: Outcome) -> None:
    for outcome in outcomes:
        if refused := outcome.refused(201):
            raise RuntimeError(refused)


def report(dialects: list[str], *, quick: bool) -> None:
    """Print the table."""
    rows = [measure(dialect, quick=quick) for dialect in dialects]
    print_table(
        "Submission against a bare insert (8 connections, answers a second)",
        ["database", "submission", "bare insert", "ratio, median (range)", "target", "runs"],
        rows,
    )
