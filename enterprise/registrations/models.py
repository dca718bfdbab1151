"""The table of registrations without an account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.privacy import EncryptedText


class Registered(Base):
    """Somebody who registered without an account (自行登记), and the one filing that this opened.

    An organisation has its `code` (统一社会信用代码), a person an `id_number`, found by its keyed hash. The query code
    is kept as a keyed hash; `spare_code_hash` is one that was mailed and takes its place when it is first used. The
    filing's applicant is the row `applicant_id` of `enterprises`, which no list of the register shows, until an
    organisation that is known joins it (`joining.py`). `user_id` stands for whoever has the query code.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        *(Index(f"ix_registrations_{area}", area, "created_at", "id") for area in ("area1", "area2", "area3")),
        Index("ix_registrations_code", "code", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    system: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(40))
    applicant: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(EncryptedText("registrations", "name"))
    code: Mapped[str | None] = mapped_column(String(18))
    id_number: Mapped[str | None] = mapped_column(EncryptedText("registrations", "id_number"))
    id_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    mobile: Mapped[str] = mapped_column(EncryptedText("registrations", "mobile"))
    email: Mapped[str | None] = mapped_column(EncryptedText("registrations", "email"))
    region_code: Mapped[str] = mapped_column(String(6))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    query_code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    spare_code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    spare_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    filing_id: Mapped[UUID] = mapped_column(ForeignKey("filings.id"), unique=True)
    applicant_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), unique=True)
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer, default=1)
    opinion: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
