"""What is sealed of the history (操作记录) and the sign-ins, by whom and when, and where the heads are kept."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import select

from accounts import integrity as accounts_integrity
from accounts.sign_in.audit import SIGN_INS
from core import clock
from core.config import Settings
from core.db import Database
from core.jobs.scheduler import Job, RareJob
from core.models import HistorySeal
from core.sealing import heads, parts, seals
from core.sealing.logs import HISTORY
from core.sealing.seals import Head

log = structlog.get_logger()

LOGS = (HISTORY, SIGN_INS)


def heads_file(settings: Settings) -> Path:
    """Where the heads stand beside the data."""
    return settings.data_dir / heads.FILE


def seal(database: Database, settings: Settings) -> list[Head]:
    """Seal what was committed since the last time, and keep the heads outside the database.

    Before the very first seal the rights of users of earlier releases are noted in their history, which it covers.
    """
    with database.read() as session:
        begun = session.scalar(select(HistorySeal.no).limit(1)) is not None
    if not begun:
        accounts_integrity.witness_former_users(database)
    made = seals.seal(database, LOGS)
    if made:
        log.info(
            "history_sealed", rows=sum(one.rows for one in made), at=made[-1].at, no=made[-1].no, head=made[-1].head
        )
    with database.read() as session:
        heads.append_new(session, heads_file(settings))
    return made


def sealing(settings: Settings) -> Job:
    """For the scheduler: every round, which is each minute."""
    return Job("history seals", lambda database: len(seal(database, settings)))


PROGRAM = Path(__file__).resolve().parent.parent / "cli" / "__main__.py"
LONGEST = timedelta(hours=4)
SHOWN = 100
"""Breaks that a night writes to the log at the most."""


def verifying(settings: Settings) -> RareJob:
    """For the scheduler: each night a part of the history is verified, in a process of its own with low priority.

    In a worker it would take the interpreter from the threads that answer phones.
    """
    return RareJob(
        "history verification", lambda database: verify_next_part(database, settings), timedelta(minutes=30), apart=True
    )


def verify_next_part(database: Database, settings: Settings) -> int:
    """Verify the next part if one is due, and write what is broken to the log; how many breaks."""
    if not parts.due(database, clock.now()):
        return 0
    # The process must not write into the server's folder of figures for Prometheus.
    environment = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    done = subprocess.run(  # noqa: S603 -- ourselves
        ["nice", "-n", "10", sys.executable, str(PROGRAM), "history", "verify", "--next-part"],  # noqa: S607
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment,
        timeout=LONGEST.total_seconds(),
    )  # fmt: skip
    told = done.stderr.strip().splitlines()
    if done.returncode == 0:
        return 0
    if done.returncode != 1:
        raise RuntimeError(f"history verify ended with {done.returncode}: {told[-1] if told else ''}")
    for line in told[:SHOWN]:
        log.error("history_broken", where=line)
    return len(told)
