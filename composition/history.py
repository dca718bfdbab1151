"""What is sealed of the history (操作记录) and the sign-ins, by whom and when, and where the heads are kept."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import integrity as accounts_integrity
from accounts import office_history
from accounts.regions import region_history
from accounts.sign_in.audit import SIGN_INS
from core import clock
from core.config import Settings
from core.db import Database
from core.deliveries.operations import Mail, enqueue_mail
from core.jobs.scheduler import Job, RareJob
from core.models import HistoryCheck, HistorySeal
from core.sealing import heads, parts, seals
from core.sealing.logs import HISTORY
from core.sealing.seals import Head
from core.workflows import todos

log = structlog.get_logger()

LOGS = (HISTORY, SIGN_INS)


def heads_file(settings: Settings) -> Path:
    """Where the heads stand beside the data."""
    return settings.data_dir / heads.FILE


def seal(database: Database, settings: Settings) -> list[Head]:
    """Seal what was committed since the last time, and keep the heads outside the database.

    Before the very first seal the rights of users and offices of earlier releases are noted in their history, which it
    covers.
    """
    with database.read() as session:
        begun = session.scalar(select(HistorySeal.no).limit(1)) is not None
    if not begun:
        accounts_integrity.witness_former_users(database)
        office_history.witness_former(database)
        region_history.witness_former(database)
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
BROKEN_TITLE = "操作记录夜间核对发现异常，请勿改动数据，尽快执行 ./manage history verify 追查"
WHOLE = UUID(int=0)
"""The subject of a to-do about the history as a whole."""
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
    environment |= {
        "DATABASE_URL": settings.resolved_database_url, "DATA_DIR": str(settings.data_dir.absolute()),
        "DATA_KEY": settings.secret,
    }  # fmt: skip
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
    tell_administrators(database)
    return len(told)


def tell_administrators(database: Database) -> None:
    """Open a to-do (待办) for the administrators; it stays until a whole verification finds nothing."""
    with database.write() as session:
        todos.open_for_administrators(session, todos.HISTORY_BROKEN, BROKEN_TITLE, (todos.HISTORY, WHOLE))


def found_whole(database: Database) -> None:
    """A whole verification found nothing: the to-do is done."""
    with database.write() as session:
        todos.close(session, WHOLE, todos.HISTORY_BROKEN)


def mailing(settings: Settings) -> RareJob:
    """For the scheduler: each day the newest head goes to the address of `HISTORY_MAIL_TO`, if there is one."""
    return RareJob("history head by mail", lambda database: mail_head(database, settings), timedelta(days=1))


def mail_head(database: Database, settings: Settings) -> int:
    """Enqueue a mail with the newest head and what the nights found; how many mails."""
    if not settings.history_mail_to:
        return 0
    with database.read() as session:
        text = _told(session)
    if text is None:
        return 0
    mail = Mail(f"操作记录链头 {settings.resolved_public_url}", text)
    with database.write() as session:
        enqueue_mail(session, "history_head", settings.history_mail_to, mail)
    return 1


def _told(session: Session) -> str | None:
    newest = session.execute(
        select(HistorySeal.no, HistorySeal.at, HistorySeal.head).order_by(HistorySeal.no.desc()).limit(1)
    ).first()
    if newest is None:
        return None
    checked = session.execute(select(HistoryCheck.at, HistoryCheck.part, HistoryCheck.breaks)).first()
    night = "夜间核对尚未进行。" if checked is None else (
        f"最近一次夜间核对（{clock.rfc3339(checked.at)}，第 {checked.part} 部分）发现 {checked.breaks} 处异常。"
    )  # fmt: skip
    return (
        "请保存本邮件。今后可用其中的链头证明此前的操作记录未被改动：\n\n"
        f"{heads.line_of(newest.no, clock.rfc3339(newest.at), newest.head.hex())}\n"
        f"{night}\n\n核对方法：./manage history verify --head 本邮件的文件\n"
    )
