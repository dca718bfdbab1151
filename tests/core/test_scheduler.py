"""The scheduler: who runs jobs, how often, and what a job that fails does to the others."""

import threading
from datetime import timedelta
from typing import Any

from core.db import Database
from core.jobs.scheduler import LEASE, RETRY, Job, RareJob, Scheduler

DAY = timedelta(days=1)


class Counted:
    """A job's function that counts its calls, and fails while it is told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.calls = 0
        self.fails = fails

    def __call__(self, _database: Database) -> int:
        self.calls += 1
        if self.fails:
            raise OSError("the disk is away")
        return 7


def test_one_scheduler_at_a_time_runs_the_jobs(database: Database, clock: Any) -> None:
    job = Counted()
    first, second = (Scheduler(database, [Job("clocks", job)]) for _ in range(2))
    assert first.run_once() == {"clocks": 7}
    assert second.run_once() == {}
    assert first.run_once() == {"clocks": 7}
    clock.shift(LEASE)
    assert second.run_once() == {"clocks": 7}
    assert first.run_once() == {}


def test_a_rare_job_runs_once_in_its_time_whoever_runs_it(database: Database, clock: Any) -> None:
    job = Counted()
    first, second = (Scheduler(database, [RareJob("sweep", job, DAY)]) for _ in range(2))
    assert first.run_once() == {"sweep": 7}
    assert first.run_once() == {}
    clock.shift(timedelta(hours=23))
    assert second.run_once() == {}
    clock.shift(timedelta(hours=1))
    assert second.run_once() == {"sweep": 7}
    assert job.calls == 2


def test_a_job_that_fails_keeps_no_other_from_running_and_is_tried_again(database: Database, clock: Any) -> None:
    failing, rare, last = Counted(fails=True), Counted(fails=True), Counted()
    scheduler = Scheduler(database, [Job("failing", failing), RareJob("rare", rare, DAY), Job("last", last)])
    assert scheduler.run_once() == {"last": 7}
    failing.fails = rare.fails = False
    assert scheduler.run_once() == {"failing": 7, "last": 7}
    clock.shift(RETRY)
    assert scheduler.run_once() == {"failing": 7, "rare": 7, "last": 7}


def ended(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(60)


def test_no_job_waits_for_one_that_runs_apart(database: Database, clock: Any) -> None:
    free, begun, last = threading.Event(), threading.Semaphore(0), Counted()

    def hangs(_database: Database) -> int:
        begun.release()
        free.wait(60)
        return 7

    scheduler = Scheduler(database, [RareJob("backup", hangs, DAY, apart=True), Job("last", last)])
    assert scheduler.run_once() == {"last": 7} and begun.acquire(timeout=60)
    clock.shift(DAY)  # it is due again, and still under way
    assert scheduler.run_once() == {"last": 7} and not begun.acquire(blocking=False)
    free.set()
    ended("backup")
    assert scheduler.run_once() == {"last": 7} and begun.acquire(timeout=60)
    ended("backup")


def test_one_that_fails_apart_is_tried_again_after_its_rest(database: Database, clock: Any) -> None:
    failing = Counted(fails=True)
    scheduler = Scheduler(database, [RareJob("backup", failing, DAY, apart=True)])
    for shift, calls in ((timedelta(0), 1), (RETRY / 2, 1), (RETRY, 2)):
        clock.shift(shift)
        assert scheduler.run_once() == {}
        ended("backup")
        assert failing.calls == calls
