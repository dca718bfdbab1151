"""The table of notices."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime

_PUBLISHED = sql("status = 'published'")


class Notice(Base):
    """A notice (通知公告) of an office in a system: plain text, and files, for everybody while it is published.

    `published_at` is of the last time that it was published.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_published", "system", "published_at", "id", sqlite_where=_PUBLISHED, postgresql_where=_PUBLISHED
        ),
        Index("ix_notices_office_id", "office_id", "updated_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    system: Mapped[str] = mapped_column(String(30))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    title: Mapped[str] = mapped_column(String(200))
    folded_title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    files: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
