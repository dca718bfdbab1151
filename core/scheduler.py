"""The scheduler: runs jobs in the background of the server, one process at a time.

Every worker has a thread that wakes once a minute and tries to take a lease in the database; who
holds it runs the jobs. Each job runs in a transaction of its own; one that fails is logged and tried
again at the next round, and keeps no other from running.
"""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import Problem
from core.models import Lease

log = structlog.get_logger()

EVERY_SECONDS = 60.0
LEASE = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` does what is due in the given transaction and returns how much it did."""

    name: str
    run: Callable[[Session], int]


class Scheduler:
    """Runs jobs while the server runs."""

    def __init__(self, database: Database, jobs: Sequence[Job]) -> None:
        self._database = database
        self._jobs = list(jobs)
        self._holder = uuid.uuid4().hex
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._loop, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end at its next waking."""
        self._stopped.set()

    def _loop(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self.run_once()
            except SQLAlchemyError as error:
                # The database may be away for a while; the next round tries again.
                log.warning("scheduler_round_failed", error=type(error).__name__)

    def run_once(self) -> dict[str, int]:
        """One round, if the lease can be had: how much each job did."""
        with self._database.write() as session:
            if not self._take_lease(session):
                return {}
        done: dict[str, int] = {}
        for job in self._jobs:
            try:
                with self._database.write() as session:
                    done[job.name] = job.run(session)
            except (SQLAlchemyError, Problem) as error:
                log.error("job_failed", job=job.name, error=type(error).__name__, exc_info=True)
        return done

    def _take_lease(self, session: Session) -> bool:
        now = clock.now()
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else pg_insert
        fresh = insert(Lease).values(name="scheduler", holder=self._holder, until=now + LEASE)
        taken = fresh.on_conflict_do_update(
            index_elements=[Lease.name],
            set_={"holder": self._holder, "until": now + LEASE},
            where=or_(Lease.until <= now, Lease.holder == self._holder),
        ).returning(Lease.name)
        return session.execute(taken).scalar_one_or_none() is not None
