"""The tables of long jobs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText

RUNNING, DONE, CANCELLED, STOPPED = "running", "done", "cancelled", "stopped"
STATUSES = {RUNNING: "进行中", DONE: "已完成", CANCELLED: "已取消", STOPPED: "已中止"}
"""`stopped`: who asked for it may not act any more, or the job is not the one that was asked for."""

OK = "ok"
"""The outcome of a row that was done; else the code of the problem that refused it."""


class LongJob(Base):
    """A job; `params` is what was asked for (`asked.py`). Whoever works on it has it until `leased_until`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_running",
            "leased_until",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        Index("ix_jobs_finished_at", "finished_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    operator_name: Mapped[str | None] = mapped_column(EncryptedText("jobs", "operator_name"))
    params: Mapped[str] = mapped_column(EncryptedText("jobs", "params"))
    status: Mapped[str] = mapped_column(String(10))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    leased_until: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LongJobRow(Base):
    """A row of a job, in its order; `outcome` is None until it was worked on."""

    __tablename__ = "job_rows"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    outcome: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(300))
