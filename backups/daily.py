"""The daily backup, made by the running server in a separate process.

In a worker, reading, hashing and encrypting gigabytes would block the interpreter for the threads that answer phones,
and a crash of the backup would end the worker.
"""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from backups import backup_folder
from backups.archive import BackupError
from core import clock
from core.config import Settings
from core.jobs.scheduler import RareJob

log = structlog.get_logger()

PROGRAM = Path(__file__).resolve().parent.parent / "cli" / "__main__.py"
NIGHT = range(1, 6)
"""Hours, local time, in which it is made."""
RESTED = timedelta(hours=18)
"""Age of the newest backup from which on another is made at night."""
OVERDUE = timedelta(hours=30)
"""Age of the newest backup from which on another is made at any hour, because the server may be off at night."""
LONGEST = timedelta(hours=12)
"""Time after which it counts as hanging (on a network share, for example) and is ended."""

BUSY, INCOMPLETE = 4, 3
"""Exit statuses of `backup make`: another backup is being made; made, but some files are missing or damaged."""


def job(settings: Settings) -> RareJob:
    """The job that makes the backup if it is due, every half hour; its result is the number of backups made.

    It runs apart from the other jobs, so that none waits for it.
    """
    return RareJob("daily backup", lambda _database: run(settings), timedelta(minutes=30), apart=True)


def due(newest: datetime | None, now: datetime) -> bool:
    """Whether a backup is to be made now."""
    if newest is None:
        return True
    age = now - newest
    return age >= OVERDUE or (age >= RESTED and now.astimezone(clock.LOCAL).hour in NIGHT)


def run(settings: Settings) -> int:
    """Make a backup if one is due. Raises `BackupError`; the scheduler logs it and tries again after half an hour."""
    if not settings.backup_dir:
        return 0
    folder = Path(settings.backup_dir)
    owner = backup_folder.owner_of(settings)
    if not due(backup_folder.newest_full(folder, owner), clock.now()):
        return 0
    # The backup process must not write into the server's folder of figures for Prometheus.
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    try:
        done = subprocess.run(  # noqa: S603 -- ourselves
            ["nice", "-n", "10", sys.executable, str(PROGRAM), "backup", "make"],  # noqa: S607
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment,
            timeout=LONGEST.total_seconds(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        reason = f"备份超过 {LONGEST / timedelta(hours=1):g} 小时没有完成，已中止，请检查备份目录 {folder} 和文件存储"
        backup_folder.note(folder, owner, error=reason)
        raise BackupError(reason) from error
    if done.returncode == BUSY:  # a large backup takes longer than this job's interval
        return 0
    if done.returncode not in (0, INCOMPLETE):
        raise BackupError(done.stderr.strip() or f"备份进程意外结束（{done.returncode}）")
    return 1
