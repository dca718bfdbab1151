"""Table of the assets room: uploaded files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText

_UNCLAIMED = text("unclaimed_since IS NOT NULL")
_SENT_WITHOUT_ID = text("claimed_at IS NULL AND NOT id_was_sent")


class File(Base):
    """An uploaded file (附件): unclaimed after the upload, then claimed by one record.

    `sha256`, `size` and `media_type` are of what is stored; `sent_sha256` is of what was received,
    which differs for pictures because their metadata is removed. Every file has an object of its own, even if the
    same bytes were sent twice, so that the sweep can delete it without looking for others. `thumbnail_key` is set
    when the thumbnail was first asked for. `stored_key`,
    `thumbnail_key` and `preview_key` are random; `original_name` is shown and never part of a path.
    A document that was converted for showing has a `preview_key`; one that could not be, the moment
    of the last attempt. `id_was_sent` says that the phone made the id. `claimed_at` is the first claim;
    `unclaimed_since` is set while no record claims the file, and is what the sweep goes by.
    """

    __tablename__ = "files"
    __table_args__ = (
        CheckConstraint("(claimed_type IS NULL) = (claimed_id IS NULL)", name="claim_is_whole"),
        CheckConstraint("(claimed_id IS NULL) = (unclaimed_since IS NOT NULL)", name="claimed_or_not"),
        # Who sends no id is recognised by the same bytes and name: the same file. It ends with the first claim,
        # so that a file that a record lets go of never stands in the way of one uploaded since.
        Index(
            "uq_files_sent_without_id", "uploaded_by", "sent_sha256", "purpose", "original_name", unique=True,
            sqlite_where=_SENT_WITHOUT_ID, postgresql_where=_SENT_WITHOUT_ID,
        ),
        Index("ix_files_unclaimed_since", "unclaimed_since", sqlite_where=_UNCLAIMED, postgresql_where=_UNCLAIMED),
        Index("ix_files_uploaded_by", "uploaded_by", sqlite_where=_UNCLAIMED, postgresql_where=_UNCLAIMED),
        Index("ix_files_claimed_id", "claimed_id", "claimed_type"),
        Index("uq_files_stored_key", "stored_key", unique=True),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    id_was_sent: Mapped[bool] = mapped_column(default=False, server_default=false())
    purpose: Mapped[str] = mapped_column(String(40))
    original_name: Mapped[str] = mapped_column(String(200))
    extension: Mapped[str] = mapped_column(String(10))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    sent_sha256: Mapped[str] = mapped_column(String(64))
    stored_key: Mapped[str] = mapped_column(String(80))
    thumbnail_key: Mapped[str | None] = mapped_column(String(80))
    preview_key: Mapped[str | None] = mapped_column(String(80))
    preview_failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    latitude: Mapped[str | None] = mapped_column(EncryptedText("files", "latitude"))
    longitude: Mapped[str | None] = mapped_column(EncryptedText("files", "longitude"))
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    claimed_type: Mapped[str | None] = mapped_column(String(30))
    claimed_id: Mapped[UUID | None] = mapped_column(Uuid)
    category: Mapped[str | None] = mapped_column(String(40))
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unclaimed_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
