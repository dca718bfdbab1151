"""`./manage history verify` of many rows, as a process of its own, against reading the same rows and a SHA-256 of each.

The rows are those of subjects without a table: what is measured is the history and its seals, not the records.
"""

import hashlib
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import cast

from sqlalchemy import Table, select, text

from bench import city
from bench.databases import Place, place
from bench.records import Row, insert_rows
from bench.server import DATA_KEY, ROOT
from bench.tables import print_table, spread
from composition.history import LOGS
from core.db import Database, canonical_json
from core.models import HistoryEntry, HistoryPayload
from core.sealing import seals
from core.workflows import history

ROWS, QUICK_ROWS, STEPS = 1_000_000, 50_000, 4
"""Rows of the history, and steps of each subject."""
CHUNK = 5000


def report(dialects: Sequence[str], *, quick: bool) -> None:
    """Print seconds of wall clock and of CPU for each database."""
    count, rounds = (QUICK_ROWS, 1) if quick else (ROWS, 3)
    rows = []
    for dialect in dialects:
        with place(dialect) as where:
            city.found(where)
            with city.application(where) as (_app, database):
                fill(database, count)
                seals.seal(database, LOGS)
            verified = [_costs(lambda where=where: _verify(where)) for _ in range(rounds)]
            bare = [_costs(lambda where=where: _read_all(where)) for _ in range(rounds)]
            ratio = median(wall for wall, _ in verified) / median(wall for wall, _ in bare)
            rows.append([
                dialect, f"{count}", spread([wall for wall, _ in verified]), spread([cpu for _, cpu in verified]),
                spread([wall for wall, _ in bare]), f"{ratio:.2f}",
            ])  # fmt: skip
    head = ["history verify", "rows", "s", "s of CPU", "reading them, s", "ratio"]
    print_table("The whole history verified, with its seals", head, rows)


def fill(database: Database, count: int) -> None:
    """Append `count` rows of the history, `STEPS` for each subject, as the code of the product makes them."""
    made = list(_made(count))
    insert_rows(database, cast(Table, HistoryEntry.__table__), (entry for entry, _ in made))
    insert_rows(database, cast(Table, HistoryPayload.__table__), (payload for _, payload in made))
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT setval(pg_get_serial_sequence('history', 'id'), max(id)) FROM history"))
            connection.execute(text("VACUUM ANALYZE"))


def _made(count: int) -> Iterator[tuple[Row, Row]]:
    number = 1_000_000_000  # behind those that founding the city has left
    for _ in range(count // STEPS):
        subject, previous, before = uuid.uuid4(), history.ZERO, None
        for seq in range(1, STEPS + 1):
            said = {"actor_name": "张某某", "comment": "资料齐全，同意", "content": hashlib.sha256(b"").hexdigest()}
            move = history.Move("bench", subject, "step", before, f"status_{seq}", seq, subject, said)
            values = history.row_of(move, seq, previous)
            salt, payload = values.pop("entry_salt"), values.pop("entry_payload")
            entry = {name.removeprefix("entry_"): value for name, value in values.items()}
            number, previous, before = number + 1, entry["hash"], f"status_{seq}"
            yield {"id": number, **entry}, {"history_id": number, "salt": salt, "payload": payload}


def _costs(run: Callable[[], None]) -> tuple[float, float]:
    """Seconds of wall clock, and of CPU of this process and its children."""

    def used() -> float:
        kinds = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in kinds)

    started, before = time.perf_counter(), used()
    run()
    return time.perf_counter() - started, used() - before


def _verify(where: Place) -> None:
    environment = {
        **os.environ, "ENVIRONMENT": "installation", "DATABASE_URL": where.url, "DATA_DIR": str(where.folder),
        "DATA_KEY": DATA_KEY,
    }  # fmt: skip
    program = [sys.executable, "cli/__main__.py", "history", "verify"]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"history verify ended with {done.returncode}: {done.stderr[-2000:]}")


def _read_all(where: Place) -> None:
    """The baseline: every row with its payload in chunks by id, and one digest of each."""
    database, after = Database(where.url), 0
    entries, payloads = HistoryEntry.__table__.c, HistoryPayload.__table__.c
    chosen = select(*entries, payloads.salt, payloads.payload).join(
        HistoryPayload.__table__, payloads.history_id == entries.id
    )
    while True:
        with database.read() as session:
            rows = session.execute(chosen.where(entries.id > after).order_by(entries.id).limit(CHUNK)).all()
        for row in rows:
            hashlib.sha256(canonical_json(list(row[1:6]))).digest()
        if len(rows) < CHUNK:
            break
        after = rows[-1].id
    database.dispose()
