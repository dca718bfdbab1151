"""The scheduler: runs jobs in the background of the server, one process at a time.

Every worker has a thread that wakes once a minute and tries to take a lease in the database; who
holds it runs the jobs. A job makes its own transactions, small ones, because everybody who writes
waits for them; one that fails is logged and tried again at the next round, and keeps no other from
running.

A rare job (`RareJob`) takes a lease of its own for as long as it has rest: it may take longer than
the scheduler's lease without running twice. A `Job` that does so may run in two processes at once
and must bear it. One that waits for another process runs `apart`, in a thread of its own, so that the
others go on meanwhile.
"""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import or_, update

from core import clock
from core.db import Database, dialect_of, insert_into
from core.models import Lease

log = structlog.get_logger()

EVERY_SECONDS = 60.0
LEASE = timedelta(minutes=3)
RETRY = timedelta(minutes=30)
"""How long a rare job that failed has rest."""


@dataclass(frozen=True, slots=True)
class Job:
    """`run` does what is due, in every round, and returns how much it did."""

    name: str
    run: Callable[[Database], int]


@dataclass(frozen=True, slots=True)
class RareJob:
    """Started at most once in `every`, over all processes and restarts. One that fails is tried again after `RETRY`."""

    name: str
    run: Callable[[Database], int]
    every: timedelta
    apart: bool = False
    """In a thread of its own: no other job waits for it, and a round does not say how much it did."""


class Scheduler:
    """Runs jobs while the server runs."""

    def __init__(
        self, database: Database, jobs: Sequence[Job | RareJob], watch: Callable[[], object] = lambda: None
    ) -> None:
        """`watch` is called in every round of every process, whether the database can be written or not."""
        self._database = database
        self._jobs = list(jobs)
        self._watch = watch
        self._holder = uuid.uuid4().hex
        self._stopped = threading.Event()
        self._apart: dict[str, threading.Thread] = {}

    def start(self) -> None:
        """Start the thread; it ends with the process."""
        threading.Thread(target=self._loop, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end at its next waking."""
        self._stopped.set()

    def _loop(self) -> None:
        while not self._stopped.wait(EVERY_SECONDS):
            try:
                self._watch()
                self.run_once()
            # The database may be away for a while, or the disk full; the next round tries again.
            except Exception as error:
                log.warning("scheduler_round_failed", error=type(error).__name__)

    def run_once(self) -> dict[str, int]:
        """One round, if the lease can be had: how much each job did."""
        if not self._take_lease("scheduler", LEASE, renew=True):
            return {}
        done: dict[str, int] = {}
        for job in self._jobs:
            try:
                done |= self._run(job)
            # Whatever a job raises: the other jobs and the thread, which nobody would start again, go on.
            except Exception as error:
                log.error("job_failed", job=job.name, error=type(error).__name__, exc_info=True)
        return done

    def _run(self, job: Job | RareJob) -> dict[str, int]:
        if isinstance(job, Job):
            return {job.name: job.run(self._database)}
        under_way = self._apart.get(job.name)
        if under_way is not None and under_way.is_alive():
            return {}
        if not self._take_lease(f"job:{job.name}", job.every):
            return {}
        if not job.apart:
            return self._run_rare(job)
        # A daemon thread: a server that ends does not wait for it.
        self._apart[job.name] = threading.Thread(target=self._run_apart, args=(job,), name=job.name, daemon=True)
        self._apart[job.name].start()
        return {}

    def _run_rare(self, job: RareJob) -> dict[str, int]:
        try:
            return {job.name: job.run(self._database)}
        except BaseException:
            self._rest(f"job:{job.name}", RETRY)
            raise

    def _run_apart(self, job: RareJob) -> None:
        try:
            self._run_rare(job)
        except Exception as error:
            log.error("job_failed", job=job.name, error=type(error).__name__, exc_info=True)

    def _take_lease(self, name: str, length: timedelta, *, renew: bool = False) -> bool:
        """Take a lease that is over; with `renew` also one that this scheduler still holds."""
        now = clock.now()
        free = Lease.until <= now
        with self._database.write() as session:
            fresh = insert_into(dialect_of(session), Lease).values(name=name, holder=self._holder, until=now + length)
            taken = fresh.on_conflict_do_update(
                index_elements=[Lease.name],
                set_={"holder": self._holder, "until": now + length},
                where=or_(free, Lease.holder == self._holder) if renew else free,
            ).returning(Lease.name)
            return session.execute(taken).scalar_one_or_none() is not None

    def _rest(self, name: str, length: timedelta) -> None:
        with self._database.write() as session:
            session.execute(
                update(Lease)
                .where(Lease.name == name, Lease.holder == self._holder)
                .values(until=clock.now() + length)
                .execution_options(synchronize_session=False)
            )
