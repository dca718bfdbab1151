"""Tables of the access log (查阅日志): who read or exported which personal record."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText


class AccessEntry(Base):
    """One answer that held personal data: by whom it was asked, when, from where, through which operation.

    `operation` is the operationId of the OpenAPI document. `asked` holds what was asked for beside the record: the
    filters of a list, the number of a version, the id of a file; sealed, because a filter may name somebody. `rows` is
    how many records the answer held, null for a download that was broken off; the ids of the first `noted` of them
    stand in `access_log_subjects`. Rows are only added, and go when their time is over.
    """

    __tablename__ = "access_log"
    __table_args__ = (
        Index("ix_access_log_at", "at", "id"),
        Index("ix_access_log_office_id", "office_id", "at", "id"),
        Index("ix_access_log_user_id", "user_id", "at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    user_id: Mapped[UUID] = mapped_column(Uuid)
    username: Mapped[str] = mapped_column(String(64))
    operator_name: Mapped[str | None] = mapped_column(String(30))
    office_id: Mapped[UUID] = mapped_column(Uuid)
    office_name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(45))
    operation: Mapped[str] = mapped_column(String(80))
    subject_type: Mapped[str] = mapped_column(String(30))
    asked: Mapped[str | None] = mapped_column(EncryptedText("access_log", "asked"))
    rows: Mapped[int | None] = mapped_column(Integer)
    noted: Mapped[int] = mapped_column(Integer)


class AccessSubject(Base):
    """A record that an entry is about. Found by the entry and, through the index, by the record."""

    __tablename__ = "access_log_subjects"
    __table_args__ = (
        Index("ix_access_log_subjects_subject_id", "subject_id", "entry_id"),
        {"sqlite_with_rowid": False},
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("access_log.id"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
