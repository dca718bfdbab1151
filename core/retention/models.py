"""Table of retention: what the nightly job has done since its last row in the history."""

from datetime import datetime

from sqlalchemy import JSON, Integer
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime


class RetentionRun(Base):
    """A single row: when the job began and ended last, and how much of each class it removed since it began.

    `counts` is written in the transaction that removes, so that a run that was stopped loses none; the history gets
    them when the run ends.
    """

    __tablename__ = "retention_runs"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    begun_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
