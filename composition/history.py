"""What is sealed of the history (操作记录) and the sign-ins, by whom and when, and where the heads are kept."""

from pathlib import Path

import structlog
from sqlalchemy import select

from accounts import integrity as accounts_integrity
from accounts.sign_in.audit import SIGN_INS
from core.config import Settings
from core.db import Database
from core.jobs.scheduler import Job
from core.models import HistorySeal
from core.sealing import heads, seals
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
