"""Table of prints (打印件): which content of a record a printed code stands for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime


class Print(Base):
    """What a subject said when it was printed; printed again unchanged it has the same code.

    `digest` is a keyed hash, in hexadecimal digits, of what the paper says. What `/v/{code}` shows beside it is read
    from the record, so that an erasure of the record takes it away here too.
    """

    __tablename__ = "prints"
    __table_args__ = (UniqueConstraint("subject_id", "digest"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[UUID] = mapped_column(Uuid)
    digest: Mapped[str] = mapped_column(String(64))
    printed_at: Mapped[datetime] = mapped_column(UTCDateTime)
