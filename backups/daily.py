"""The daily backup, made by the running server in a process of its own.

A process of its own: reading, hashing and encrypting some gigabytes would take the interpreter from the threads that
answer phones, and whatever befalls it befalls no worker.
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
"""Hours, local time, at which it is made."""
RESTED = timedelta(hours=18)
"""So old the newest one must be for another at night."""
OVERDUE = timedelta(hours=30)
"""So old, and it is made at any hour: the server may be off at night."""
LONGEST = timedelta(hours=12)
"""After so long it hangs, on a share of another machine, for example, and is given up."""

BUSY, INCOMPLETE = 4, 3
"""Exit statuses of `backup make`: another one is under way; made, but some files are missing or damaged."""


def job(settings: Settings) -> RareJob:
    """Asks every half hour whether one is due; tells how many it made. No other job waits for it."""
    return RareJob("daily backup", lambda _database: run(settings), timedelta(minutes=30), apart=True)


def due(newest: datetime | None, now: datetime) -> bool:
    """Whether a backup is to be made now."""
    if newest is None:
        return True
    age = now - newest
    return age >= OVERDUE or (age >= RESTED and now.astimezone(clock.LOCAL).hour in NIGHT)


def run(settings: Settings) -> int:
    """Make one if it is due. Raises `BackupError`; the scheduler logs it and tries again after half an hour."""
    if not settings.backup_dir:
        return 0
    folder = Path(settings.backup_dir)
    owner = backup_folder.owner_of(settings)
    if not due(backup_folder.newest_full(folder, owner), clock.now()):
        return 0
    # The figures of this server are no business of another process.
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
    if done.returncode == BUSY:  # a large one takes longer than this job's rest
        return 0
    if done.returncode not in (0, INCOMPLETE):
        raise BackupError(done.stderr.strip() or f"备份进程意外结束（{done.returncode}）")
    return 1
