"""The table of messages to the outside world."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText

WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
STATUSES = {WAITING: "待投递", DELIVERED: "已投递", DEAD: "未能送达"}

MAIL = "mail"
CHANNELS = {MAIL: "邮件"}


class Delivery(Base):
    """One message. Recipient and content are erased once it is delivered.

    `due_at` is when it is tried next, or until when whoever tries it now has time. `error` is the last failure, plain
    English without personal data.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(
            "ix_deliveries_waiting",
            "due_at",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_deliveries_status", "status", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(40))
    recipient: Mapped[str | None] = mapped_column(EncryptedText("deliveries", "recipient"))
    content: Mapped[str | None] = mapped_column(EncryptedText("deliveries", "content"))
    status: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(200))
