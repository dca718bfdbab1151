"""What the server does by itself is done in small transactions: nobody who writes waits for all of it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core.clock import now, today
from core.db import Database
from core.deadlines import clocks
from core.deadlines.clocks import Due
from core.deadlines.periods import DEADLINE, NATURAL, ZERO, Period
from core.deadlines.working_days import WorkingCalendar
from core.errors import Problem
from core.jobs import one_by_one, sweeping
from core.jobs.one_by_one import REST, OneByOne
from core.jobs.sweeping import delete_in_batches
from core.models import Clock, IdempotencyKey
from tests.databases import transactions


@pytest.fixture
def due(database: Database, clock: Any) -> list[int]:
    """Seven clocks whose last day is over, the oldest first."""
    with database.write() as session:
        for days in range(1, 8):
            period = Period("term", NATURAL, days, DEADLINE, shift=False, on_restart=ZERO, started_on=today())
            period.count(WorkingCalendar())
            clocks.write(session, ("filing", uuid4()), {}, {"term": period})
        ids = list(session.scalars(select(Clock.id).order_by(Clock.id)))
    clock.shift(timedelta(days=30))
    return ids


class Bell:
    """Rings clocks; notes each ring as a row of the database, and fails for those it is told to."""

    def __init__(self, fails: dict[int, BaseException] | None = None) -> None:
        self.fails = fails or {}
        self.tried: list[int] = []
        self.work = OneByOne("clock", clocks.due, self.act)

    def act(self, session: Session, key: Due) -> bool:
        self.tried.append(key[1])
        row = clocks.ring(session, key[1])
        assert row is not None
        session.execute(insert(IdempotencyKey).values(key=uuid4().bytes * 2, at=now()))
        if key[1] in self.fails:
            raise self.fails[key[1]]
        return True


def rung(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Clock.id).where(Clock.rung_at.is_not(None)).order_by(Clock.id)))


def notes(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(IdempotencyKey)).one()


def test_each_thing_that_is_due_has_a_transaction_of_its_own(
    database: Database, due: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_by_one, "PAGE", 3)
    bell = Bell()
    with transactions(database.engine) as written:
        assert bell.work.run(database) == 7
        assert bell.work.run(database) == 0
    assert written == [2] * 7  # the clock and the note
    assert bell.tried == due


def test_what_is_due_is_looked_up_a_page_at_a_time_each_behind_the_last(
    database: Database, due: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_by_one, "PAGE", 3)
    pages: list[tuple[int | None, int, list[int]]] = []

    def look(session: Session, after: Due | None, limit: int) -> Sequence[Due]:
        found = clocks.due(session, after, limit)
        pages.append((after and after[1], limit, [key[1] for key in found]))
        return found

    OneByOne("clock", look, lambda session, key: clocks.ring(session, key[1]) is not None).run(database)
    assert pages[:3] == [(None, 3, due[:3]), (due[2], 3, due[3:6]), (due[5], 3, due[6:])]
    assert all(found == [] for _, _, found in pages[3:])


def test_a_crash_in_the_middle_loses_and_doubles_nothing(database: Database, due: list[int]) -> None:
    with pytest.raises(SystemExit):
        Bell({due[3]: SystemExit()}).work.run(database)
    assert rung(database) == due[:3] and notes(database) == 3
    assert Bell().work.run(database) == 4
    assert rung(database) == due and notes(database) == 7


@pytest.mark.parametrize("failure", [Problem("too_early"), KeyError("a broken hook")])
def test_those_that_fail_stop_no_other_and_are_tried_again_after_a_rest(
    database: Database, due: list[int], clock: Any, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_by_one, "PAGE", 2)  # fewer than fail at the head of the queue
    bell = Bell(dict.fromkeys(due[:4], failure))
    assert bell.work.run(database) == 3
    assert rung(database) == due[4:] and notes(database) == 3
    bell.tried.clear()
    assert bell.work.run(database) == 0 and bell.tried == []
    clock.shift(REST)
    bell.fails.clear()
    assert bell.work.run(database) == 4
    assert notes(database) == 7


def test_a_database_that_fails_again_and_again_is_left_alone(database: Database, due: list[int]) -> None:
    away = OperationalError("UPDATE", None, Exception("away"))
    bell = Bell(dict.fromkeys(due, away))
    with pytest.raises(OperationalError):
        bell.work.run(database)
    assert bell.tried == due[:3]
    bell.fails = {due[1]: away}  # one that somebody has locked
    assert bell.work.run(database) == 6


def test_a_clock_that_was_paused_since_it_was_looked_up_does_not_ring(database: Database, due: list[int]) -> None:
    def look(session: Session, after: Due | None, limit: int) -> Sequence[Due]:
        found = clocks.due(session, after, limit)
        with database.write() as other:
            other.execute(update(Clock).where(Clock.id == due[2]).values(paused_on=date(2026, 12, 1)))
        return found

    done = OneByOne("clock", look, lambda session, key: clocks.ring(session, key[1]) is not None).run(database)
    assert done == 6 and due[2] not in rung(database)


def old_keys(database: Database, count: int) -> list[bytes]:
    keys = [bytes([number]) * 32 for number in range(count)]
    with database.write() as session:
        session.execute(insert(IdempotencyKey), [{"key": key, "at": now() - timedelta(days=300)} for key in keys])
    return keys


def test_a_sweep_deletes_few_rows_a_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 3)
    old_keys(database, 8)
    with transactions(database.engine) as written:
        assert sweeping.sweep_idempotency_keys(database) == 8
    assert written == [3, 3, 2]


def test_a_row_that_was_renewed_since_the_sweep_looked_stays(database: Database) -> None:
    renewed = old_keys(database, 3)[1]
    looked: list[str] = []

    def executed(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().startswith("SELECT") and not looked:
            looked.append(statement)
            with database.write() as other:
                other.execute(update(IdempotencyKey).where(IdempotencyKey.key == renewed).values(at=now()))

    event.listen(database.engine, "after_cursor_execute", executed)
    assert delete_in_batches(database, IdempotencyKey.key, IdempotencyKey.at < now() - timedelta(days=180)) == 2
    with database.read() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == [renewed]
