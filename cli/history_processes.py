"""Verifying the rows of the history by several processes side by side: one takes 70 s of CPU a million rows."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from composition.history import LOGS
from core.sealing import checking
from core.sealing.checking import Kept, Outcome, Progress, Span
from core.sealing.logs import Break

if TYPE_CHECKING:
    from core.config import Settings
    from core.db import Database

ROWS_EACH = 50_000
"""Rows that one process verifies before it takes the next ones."""
FEWEST_SPANS = 4
"""With less to do, one process is as quick: another takes two to three seconds to start."""
MOST_PROCESSES = 4
"""Each uses a core and a connection; the server that runs beside needs some too."""


def processes() -> int:
    """How many to use unless it is said."""
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


def verify(
    session: Session, settings: "Settings", count: int, outcome: Outcome, kept: Kept, progress: Progress
) -> Iterator[Break]:
    """The same as `checking.verify` of everything, by so many processes where there is enough for them to do."""
    newest = checking.newest_of(session)
    spans = checking.spans(session, newest, ROWS_EACH)
    if count == 1 or len(spans) < FEWEST_SPANS:
        yield from checking.verify(session, LOGS, outcome, kept=kept, progress=progress)
        return
    yield from checking.verify_seals(session, LOGS, outcome, kept, 1, newest, tail=True)
    # Started anew: a fork would share the connections of this process.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(count, len(spans)), context, initializer=_open, initargs=(settings,))
    with pool:
        try:
            for done in as_completed([pool.submit(_verify_rows, span) for span in spans]):
                breaks, counted = done.result()
                outcome.add(counted)
                progress(counted.rows)
                yield from breaks
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_database: "Database | None" = None
"""Of a process that verifies, for all spans that it takes."""


def _open(settings: "Settings") -> None:
    global _database
    from cli.commands import Installation

    _database = Installation(settings).database


def _verify_rows(span: Span) -> tuple[list[Break], Outcome]:
    if _database is None:
        raise RuntimeError("the process has no database")
    outcome = Outcome()
    with _database.read() as session:
        return list(checking.verify_rows(session, LOGS, outcome, span)), outcome
