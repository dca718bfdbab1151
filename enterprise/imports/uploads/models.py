"""The table of uploaded registers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime


class UploadedImport(Base):
    """A register file that somebody uploaded: `added` to `refused` count what its preview said, `done_…` what was done.

    The file and the lines of the preview lie in the storage under `staging.key_of`. `next_row` is the first row of the
    file that was not brought in yet. `applied_at` is when that was begun; the job of the same id does it.
    """

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_user_id", "user_id", "created_at", "id"),
        Index("ix_imports_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    register: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    file_name: Mapped[str] = mapped_column(String(255))
    sheet: Mapped[str | None] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    last_row: Mapped[int] = mapped_column(Integer)
    added: Mapped[int] = mapped_column(Integer)
    changed: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    next_row: Mapped[int] = mapped_column(Integer)
    done_added: Mapped[int] = mapped_column(Integer)
    done_changed: Mapped[int] = mapped_column(Integer)
    done_unchanged: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
