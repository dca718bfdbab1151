"""Transactions that prepared statements and the session share, as the requests use them (`core.db.writing`)."""

import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Table, bindparam, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from core import clock
from core.database.prepared import Prepared
from core.database.turns import OneAtATime, Turns
from core.db import Database, writing
from core.models import IdempotencyKey

_PUT = Prepared(insert(cast(Table, IdempotencyKey.__table__)))
_COUNT = Prepared(
    select(func.count().label("n")).select_from(IdempotencyKey).where(IdempotencyKey.key != bindparam("but"))
)


def put(session: Any, number: int) -> None:
    _PUT.rows(session, {"key": bytes([number]) * 32, "at": clock.now()})


def put_by_orm(session: Any, number: int) -> None:
    session.add(IdempotencyKey(key=bytes([number]) * 32, at=clock.now()))
    session.flush()


def stored(database: Database) -> int:
    with database.read() as session:
        return int(_COUNT.first(session, {"but": b""}).n)


@pytest.mark.parametrize("steps", [(put, put_by_orm), (put_by_orm, put), (put,), (put_by_orm,)])
def test_whoever_begins_both_are_committed_or_rolled_back_together(database: Database, steps: tuple[Any, ...]) -> None:
    with database.write() as session:
        for number, step in enumerate(steps):
            step(session, number)
    assert stored(database) == len(steps)
    with suppress(RuntimeError), database.write() as session:
        for number, step in enumerate(steps):
            step(session, 100 + number)
        raise RuntimeError
    assert stored(database) == len(steps)


def test_what_prepared_statements_wrote_is_gone_after_a_rollback_by_the_session(database: Database) -> None:
    with database.write() as session:
        put(session, 1)
        session.rollback()
        put(session, 2)
    assert stored(database) == 1


@pytest.mark.parametrize("step", [put, put_by_orm])
def test_a_nested_block_that_fails_takes_back_its_own_and_nothing_else(database: Database, step: Any) -> None:
    with database.write() as session:
        put(session, 1)
        with suppress(RuntimeError), session.begin_nested():
            step(session, 2)
            raise RuntimeError
        put(session, 3)
    assert stored(database) == 2


def test_what_was_looked_at_before_on_the_same_connection_does_not_keep_the_write_from_being_committed(
    database: Database,
) -> None:
    with database.engine.connect() as connection:
        assert _COUNT.first(connection, {"but": b""}).n == 0
        with writing(connection) as session:
            put(session, 1)
        with writing(connection) as session:
            put_by_orm(session, 2)
    assert stored(database) == 2


def test_one_at_a_time_lets_the_same_thread_in_again_and_then_the_next(database: Database) -> None:
    alone, order = OneAtATime(), []
    with alone:
        with alone:
            order.append("again")
        other = threading.Thread(target=lambda: [alone.__enter__(), order.append("next"), alone.__exit__()])
        other.start()
        other.join(timedelta(milliseconds=200).total_seconds())
        order.append("still mine")
    other.join()
    assert order == ["again", "still mine", "next"]


def test_a_transaction_whose_commit_fails_gives_the_turn_to_write_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk; here because of a reference that is asked for at the end only."""
    url = f"sqlite:///{tmp_path / 'turns.sqlite3'}"
    database = Database(url)
    with database.write() as session:
        session.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        session.execute(text("CREATE TABLE children (parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"))
    monkeypatch.setattr("core.database.turns.PATIENCE", 0.0)
    others = Turns(tmp_path / "turns.sqlite3")
    for _ in range(2):
        with pytest.raises(IntegrityError), database.write() as session:
            session.execute(text("INSERT INTO children VALUES (1)"))
        assert others.take()
        others.give_back()
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM children")) == 0
    database.dispose()
