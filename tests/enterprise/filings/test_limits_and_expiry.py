"""Counters, the scheduler and what it moves, with the invented kind."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select

from core.deadlines.periods import NATURAL
from core.errors import Problem
from core.jobs.scheduler import Job, Scheduler
from core.models import Clock
from core.workflows import counters, history
from enterprise.filings.declaring.declarations import Move
from enterprise.filings.many.clock_jobs import ring_clocks
from tests.databases import transactions
from tests.enterprise.filings.desk import START, Desk, outcome, quota, used, valid
from tests.enterprise.filings.invented import Quota, invented, publicity
from tests.newcomers import at_once


@pytest.mark.parametrize(("quantity", "wins"), [("1", 10), ("3", 3), ("2.5", 4), ("10", 1), ("10.001", 0)])
def test_a_counter_is_never_overdrawn_by_eight_who_draw_at_once(desk: Desk, quantity: str, wins: int) -> None:
    quota(desk, "10")
    model: Any = Quota

    def draw_twice() -> int:
        won = 0
        for _ in range(2):
            with desk.database.write() as session:
                won += counters.draw(session, model, "uses", Decimal(quantity), used="used", total="total")
        return won

    assert sum(at_once(*[draw_twice] * 8)) == wins
    assert used(desk) == wins * Decimal(quantity)


def test_what_is_given_back_can_be_drawn_again_and_no_more_than_was_drawn(desk: Desk) -> None:
    quota(desk, "10")
    model: Any = Quota
    with desk.database.write() as session:
        assert counters.draw(session, model, "uses", 10, used="used", total="total")
        assert not counters.draw(session, model, "uses", 1, used="used", total="total")
        assert not counters.give_back(session, model, "uses", 11, used="used")
        assert counters.give_back(session, model, "uses", 4, used="used")
        assert counters.draw(session, model, "uses", 4, used="used", total="total")
        assert not counters.draw(session, model, "nothing", 1, used="used", total="total")
        with pytest.raises(ValueError, match="give_back"):
            counters.draw(session, model, "uses", -1, used="used", total="total")
    assert used(desk) == 10


def test_a_step_whose_effect_draws_on_an_empty_counter_is_not_taken(desk: Desk) -> None:
    quota(desk, "2")
    filings = [valid(desk) for _ in range(4)]
    outcomes = at_once(*[outcome(partial(desk.act, filing, "use")) for filing in filings])
    assert sorted(outcomes) == ["ok", "ok", "too_early", "too_early"]
    assert used(desk) == 2
    for filing, ended in zip(filings, outcomes, strict=True):
        assert desk.status(filing) == ("used" if ended == "ok" else "valid")


def test_the_scheduler_lets_a_filing_expire_after_its_last_day_and_once(desk: Desk) -> None:
    filing = valid(desk)
    assert desk.last_day(filing, "validity") == date(2026, 12, 12)
    jobs = [Job("filing clocks", ring_clocks(desk.engine).run)]
    scheduler = Scheduler(desk.database, jobs)
    with time_machine.travel("2026-12-12T23:59:00+08:00", tick=False) as now:
        assert scheduler.run_once() == {"filing clocks": 0}
        assert desk.status(filing) == "valid"
        now.shift(120)
        assert scheduler.run_once() == {"filing clocks": 1}
        assert desk.status(filing) == "expired"
        assert scheduler.run_once() == {"filing clocks": 0}
    with desk.database.read() as session:
        last = history.read(session, filing)[-1]
        clocks_left = session.scalars(select(Clock.name).where(Clock.subject_id == filing)).all()
    assert (last["action"], last["from"], last["to"], last.get("actor")) == ("expire", "valid", "expired", None)
    assert clocks_left == []


def test_filings_whose_time_is_over_move_in_a_transaction_each(desk: Desk) -> None:
    filings = [valid(desk) for _ in range(3)]
    with time_machine.travel("2026-12-20T10:00:00+08:00", tick=False):
        with transactions(desk.database.engine) as written:
            assert desk.ring() == 3
        assert len(written) == 3
        assert {desk.status(filing) for filing in filings} == {"expired"}


def test_one_of_two_schedulers_holds_the_lease_until_it_runs_out(desk: Desk) -> None:
    ran: list[str] = []

    def note(name: str) -> Job:
        return Job("note", lambda _database: len(ran.append(name) or ran))  # type: ignore[func-returns-value]

    one, other = Scheduler(desk.database, [note("one")]), Scheduler(desk.database, [note("other")])
    with time_machine.travel(START, tick=False) as now:
        assert one.run_once() and other.run_once() == {}
        now.shift(170)
        assert one.run_once() and other.run_once() == {}
        now.shift(170)
        assert other.run_once() == {}
        now.shift(20)
        assert other.run_once() and one.run_once() == {}
    assert ran == ["one", "one", "other"]


def test_a_job_that_fails_keeps_no_other_from_running(desk: Desk) -> None:
    def fail(_database: Any) -> int:
        raise KeyError("whatever")

    assert Scheduler(desk.database, [Job("broken", fail), Job("sound", lambda _database: 7)]).run_once() == {"sound": 7}


@pytest.mark.parametrize("failure", [Problem("too_early"), KeyError("a broken hook")])
def test_a_clock_whose_step_is_refused_or_fails_keeps_no_other_waiting(desk: Desk, failure: Exception) -> None:
    refused: set[UUID] = set()

    def guard(move: Move) -> None:
        if move.filing.id in refused:
            raise failure

    kind = invented(publicity(NATURAL, 1))
    guarded = [replace(step, guard=guard) if step.action == "expire" else step for step in kind.steps]
    stuck, free = valid(desk), valid(desk)
    desk.declare(invented(publicity(NATURAL, 1), steps=guarded))
    refused.add(stuck)
    with time_machine.travel("2026-12-20T10:00:00+08:00", tick=False):
        assert desk.ring() == 1
        assert (desk.status(stuck), desk.status(free)) == ("valid", "expired")
        refused.clear()
        assert desk.ring() == 1
        assert desk.status(stuck) == "expired"
