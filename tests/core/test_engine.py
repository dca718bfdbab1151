"""What every engine is told: nobody waits for ever, and errors keep the values of a statement to themselves."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from core import clock
from core.database.turns import Turns
from core.db import SILENT_SECONDS, Database, make_engine
from core.models import IdempotencyKey

KEY = b"k" * 32


# SQLite has its own waiting (busy_timeout).
on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


@pytest.fixture
def engine(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Another server's engine on the same database, with little patience."""
    monkeypatch.setattr("core.db.LOCK_SECONDS", 1)
    monkeypatch.setattr("core.db.IDLE_SECONDS", 1)
    other = make_engine(database.engine.url.render_as_string(hide_password=False))
    yield other
    other.dispose()


def key_at_rest(database: Database) -> None:
    with database.write() as session:
        session.execute(insert(IdempotencyKey).values(key=KEY, at=clock.now()))


@on_postgresql
def test_a_statement_does_not_wait_for_ever_for_a_lock(database: Database, engine: Engine) -> None:
    key_at_rest(database)
    with database.write() as holding, engine.connect() as waiting:
        holding.execute(update(IdempotencyKey).values(at=clock.now()))
        with pytest.raises(OperationalError, match="lock timeout"):
            waiting.execute(update(IdempotencyKey).values(at=clock.now()))


@on_postgresql
def test_a_transaction_in_which_nothing_happens_is_ended(database: Database, engine: Engine) -> None:
    key_at_rest(database)
    with engine.connect() as forgotten:
        forgotten.execute(update(IdempotencyKey).values(at=clock.now()))
        with database.write() as session:  # waits for the lock of the forgotten one, which falls
            session.execute(update(IdempotencyKey).values(at=clock.now()))
        forgotten.invalidate()


@on_postgresql
def test_the_url_has_the_last_word(database: Database, engine: Engine) -> None:
    url = engine.url.update_query_dict({"options": "-c lock_timeout=7s"})
    told = make_engine(url.render_as_string(hide_password=False))
    with told.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "7s"
    told.dispose()


def test_an_error_does_not_name_the_values_of_its_statement(database: Database) -> None:
    key_at_rest(database)
    at = datetime(2031, 5, 17, tzinfo=UTC)
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        session.execute(insert(IdempotencyKey).values(key=KEY, at=at))
    assert "INSERT INTO idempotency_keys" in str(caught.value)
    assert "2031" not in str(caught.value)  # PostgreSQL itself names the key that was there already


@on_postgresql
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(database: Database) -> None:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        told = driver.info.get_parameters()
    assert int(told["tcp_user_timeout"]) == SILENT_SECONDS * 1000 and int(told["connect_timeout"]) <= 10
    assert int(told["keepalives_idle"]) + 3 * int(told["keepalives_interval"]) <= SILENT_SECONDS


def test_a_turn_at_writing_is_waited_for_with_patience_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds it may hang: SQLite's own waiting decides then."""
    monkeypatch.setattr("core.database.turns.PATIENCE", 0.2)
    first, other_process = (Turns(tmp_path / "app.sqlite3") for _ in range(2))
    assert first.take()
    waited: list[bool] = []
    threads = [threading.Thread(target=lambda one=one: waited.append(one.take()), daemon=True)
               for one in (first, other_process)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert waited == [False, False]
    first.give_back()
    assert other_process.take()
    other_process.give_back()


def test_what_was_written_over_is_gone_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "some.sqlite3"
    database = Database(f"sqlite:///{file}")
    with database.write() as session:
        session.execute(text("CREATE TABLE said (id INTEGER PRIMARY KEY, words TEXT)"))
        for number in range(200):
            session.execute(
                text("INSERT INTO said VALUES (:id, :words)"), {"id": number, "words": f"clear {number:04d}"}
            )
    with database.write() as session:
        session.execute(text("UPDATE said SET words = :words"), {"words": "sealed " * 20})
    database.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"sealed" in file.read_bytes() and b"clear 0" not in file.read_bytes()
