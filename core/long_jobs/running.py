"""Working on jobs, and the thread of the server that does it.

Whoever takes a job has it for a lease, which each row extends; one left by a process that died is taken again when
the lease is over. A row is done in one transaction with the note of its outcome, so that nobody does it twice.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import Database, dialect_of
from core.errors import CATALOGUE, Problem
from core.long_jobs import asked
from core.long_jobs.models import DONE, OK, RUNNING, STOPPED, LongJob, LongJobRow

log = structlog.get_logger()

EVERY_SECONDS = 2.0
LEASE = timedelta(minutes=2)
_PAGE = 50
"""Rows after which the rights of who asked are looked up again."""

Work = Callable[[Session, Actor, UUID, Mapping[str, Any]], None]
"""Does one row: session, actor, its subject, the job's `params`. A `Problem` refuses it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Work that is done for several rows at once, `at_once` of them, because what it makes takes long.

    `prepare` reads one row in a transaction (a `Problem` refuses it); `make` makes of what was prepared, outside of any
    transaction, and is given the place of the first row, by which a repetition after a crash takes the place of what
    was made before: of each the problem that refuses it, or None. `finish` is called when all rows are done, once more
    after a crash.
    """

    at_once: int
    prepare: Callable[[Session, Actor, UUID, Mapping[str, Any]], Any]
    make: Callable[[UUID, int, Sequence[Any], Mapping[str, Any]], Sequence[Problem | None]]
    finish: Callable[[UUID, Mapping[str, Any]], None]


ActorOf = Callable[[Session, LongJob], Actor | None]
"""Who asked for a job as they are now; None where they may not act any more."""


class _Overtaken(Exception):
    """The job was cancelled, or the row was done by another process."""


@dataclass(frozen=True, slots=True)
class Runner:
    """What working on jobs needs; one for each process."""

    database: Database
    works: Mapping[str, Work | Batch]
    actor_of: ActorOf

    def run_due(self) -> int:
        """Work on every job that nobody works on; how many rows were worked on."""
        rows = 0
        while (job := self._take()) is not None:
            rows += self._run(job)
        return rows

    def _take(self) -> LongJob | None:
        now = clock.now()
        free = select(LongJob).where(LongJob.status == RUNNING, LongJob.leased_until <= now)
        free = free.where(LongJob.kind.in_(self.works)).order_by(LongJob.leased_until).limit(1)
        # Without a transaction first: a server without jobs never writes.
        with self.database.read() as session:
            if session.scalar(free.with_only_columns(LongJob.id)) is None:
                return None
        with self.database.write() as session:
            if dialect_of(session) == "postgresql":
                free = free.with_for_update(skip_locked=True)
            job = session.scalars(free).one_or_none()
            if job is not None:
                job.leased_until = now + LEASE
                session.flush()
                session.expunge_all()
        return job

    def _run(self, job: LongJob) -> int:
        with self.database.read() as session:
            params = asked.params_of(session, job)
        if params is None:
            log.error("job_changed", job=str(job.id))
            self._finish(job, STOPPED)
            return 0
        worked, work = 0, self.works[job.kind]
        while True:
            with self.database.read() as session:
                actor = self.actor_of(session, job)
                rows = session.scalars(
                    select(LongJobRow)
                    .where(LongJobRow.job_id == job.id, LongJobRow.outcome.is_(None))
                    .order_by(LongJobRow.position)
                    .limit(work.at_once if isinstance(work, Batch) else _PAGE)
                ).all()
            if not rows and isinstance(work, Batch):
                work.finish(job.id, params)
            if not rows or actor is None:
                self._finish(job, DONE if not rows else STOPPED)
                return worked
            try:
                if isinstance(work, Batch):
                    self._work_on_batch(work, job, rows, actor, params)
                    worked += len(rows)
                    continue
                for row in rows:
                    self._work_on(work, job, row, actor, params)
                    worked += 1
            except _Overtaken:
                return worked

    def _work_on_batch(
        self, work: Batch, job: LongJob, rows: Sequence[LongJobRow], actor: Actor, params: Mapping[str, Any]
    ) -> None:
        refused: dict[int, Problem] = {}
        prepared: list[tuple[int, Any]] = []
        with self.database.write() as session:
            for row in rows:
                try:
                    prepared.append((row.position, work.prepare(session, actor, row.subject_id, params)))
                except Problem as refusal:
                    refused[row.position] = refusal
        outcomes = work.make(job.id, rows[0].position, [one for _, one in prepared], params)
        refused |= {at: problem for (at, _), problem in zip(prepared, outcomes, strict=True) if problem is not None}
        with self.database.write() as session:
            for row in rows:
                problem = refused.get(row.position)
                _note(session, job, row, *(_said(problem) if problem is not None else (OK, None)))

    def _work_on(self, work: Work, job: LongJob, row: LongJobRow, actor: Actor, params: Mapping[str, Any]) -> None:
        try:
            with self.database.write() as session:
                # First, so that two processes with one row wait for each other here.
                _note(session, job, row, OK, None)
                work(session, actor, row.subject_id, params)
            return
        except (_Overtaken, OperationalError):
            raise
        except Problem as problem:
            outcome, reason = _said(problem)
        # Whatever a row raises: the others are worked on.
        except Exception as error:
            log.error("job_row_failed", job=str(job.id), error=type(error).__name__, exc_info=True)
            outcome, reason = "internal_error", CATALOGUE["internal_error"][1]
        with self.database.write() as session:
            _note(session, job, row, outcome, reason)

    def _finish(self, job: LongJob, status: str) -> None:
        with self.database.write() as session:
            session.execute(
                update(LongJob)
                .where(LongJob.id == job.id, LongJob.status == RUNNING)
                .values(status=status, finished_at=clock.now())
                .execution_options(synchronize_session=False)
            )


def _said(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.errors[0].message if problem.errors else problem.detail or problem.title


def _note(session: Session, job: LongJob, row: LongJobRow, outcome: str, reason: str | None) -> None:
    """Note the outcome of a row and count it; raises `_Overtaken`."""
    counted = LongJob.refused if outcome != OK else LongJob.done
    changes = {counted: counted + 1, LongJob.leased_until: clock.now() + LEASE}
    job_now = update(LongJob).where(LongJob.id == job.id, LongJob.status == RUNNING).values(changes)
    row_now = (
        update(LongJobRow)
        .where(
            LongJobRow.job_id == job.id, LongJobRow.position == row.position, LongJobRow.outcome.is_(None)
        )
        .values(outcome=outcome[:40], reason=reason and reason[:300])
    )  # fmt: skip
    for statement in (job_now, row_now):
        done: Any = session.execute(statement.execution_options(synchronize_session=False))
        if done.rowcount != 1:
            raise _Overtaken


class RunnerThread:
    """The thread of a server process that works on jobs."""

    def __init__(self, runner: Runner, every: float = EVERY_SECONDS) -> None:
        self._runner, self._every = runner, every
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._loop, name="long-jobs", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end at its next waking."""
        self._stopped.set()

    def _loop(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self._runner.run_due()
            # The database may be away for a while, or the disk full; the next round tries again.
            except Exception as error:
                log.warning("long_jobs_round_failed", error=type(error).__name__)
