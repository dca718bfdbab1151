"""Clocks of a filing that ring, or are counted anew, while somebody takes a step of the same filing.

Whoever changes both locks the filing before its clocks; otherwise PostgreSQL ends one of the two as a deadlock.
"""

from functools import partial

import pytest
import time_machine

from core.deadlines import clocks
from core.deadlines.periods import WORKING
from core.workflows.history import verify
from enterprise.filings.many.clock_jobs import guessed, recount, ring
from tests.enterprise.filings.desk import Desk, outcome, quota, valid
from tests.enterprise.filings.invented import invented, publicity
from tests.enterprise.filings.test_guessed_clocks import load, published
from tests.newcomers import at_once
from tests.rounds import rounds

ROUNDS = rounds(6, few=3)


@pytest.mark.rounds
def test_a_clock_is_counted_anew_while_a_step_pauses_it(desk: Desk) -> None:
    desk.declare(invented(publicity(WORKING, 5)))
    filings = [published(desk, "2026-12-25T10:00:00+08:00") for _ in range(ROUNDS)]
    with time_machine.travel("2026-12-28T10:00:00+08:00", tick=False):
        load(desk, d0104=False)
        with desk.database.read() as session:
            keys = guessed(session)

        def count_anew(clock_id: int) -> bool:
            with desk.database.write() as session:
                return recount(session, desk.engine.kinds, clock_id)

        for filing, (_, clock_id) in zip(filings, keys, strict=True):
            at_once(partial(count_anew, clock_id), partial(desk.act, filing, "object"))
            assert desk.status(filing) == "objected"
    with desk.database.read() as session:
        assert list(verify(session)) == []


@pytest.mark.rounds
def test_a_clock_rings_while_a_step_stops_it(desk: Desk) -> None:
    quota(desk, str(ROUNDS))
    filings = [valid(desk) for _ in range(ROUNDS)]
    with time_machine.travel("2026-12-20T10:00:00+08:00", tick=False):
        with desk.database.read() as session:
            keys = clocks.due(session)

        def ring_one(key: clocks.Due) -> bool:
            with desk.database.write() as session:
                return ring(session, desk.engine, key[1])

        for filing, key in zip(filings, keys, strict=True):
            rang, used = at_once(partial(ring_one, key), outcome(partial(desk.act, filing, "use")))
            assert (desk.status(filing), rang) == (("used", False) if used == "ok" else ("expired", True))
    with desk.database.read() as session:
        assert list(verify(session)) == []
