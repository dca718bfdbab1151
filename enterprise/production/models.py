"""Tables of production licences (工业产品生产许可): licences, self-check topics, published checks."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime


class Licence(Base):
    """A production licence (生产许可证); an enterprise may hold several.

    `imported` is what the register said last (a column each, dates as text): an import takes over what differs from
    it, and so leaves what was declared and approved since.
    """

    __tablename__ = "licences"
    __table_args__ = (Index("ix_licences_enterprise_id", "enterprise_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    licence_no: Mapped[str] = mapped_column(String(40), unique=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    uscc: Mapped[str] = mapped_column(String(18))
    product_class: Mapped[str] = mapped_column(String(60))
    product_detail: Mapped[str] = mapped_column(Text)
    issued_on: Mapped[date | None]
    valid_to: Mapped[date | None]
    issuer: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(10))
    imported: Mapped[dict[str, str | None]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SelfCheckTopic(Base):
    """A topic (自查主题) under which enterprises send self-check reports, with a template to download."""

    __tablename__ = "self_check_topics"
    __table_args__ = (Index("ix_self_check_topics_area1", "area1", "open_from"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(100))
    year: Mapped[int] = mapped_column(Integer)
    template_id: Mapped[UUID] = mapped_column(Uuid)
    open_from: Mapped[date]
    open_to: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SupervisionCheck(Base):
    """What an enterprise may see of a check that concerned it (监督检查): a row published by `inspection/`.

    `rectification_id` is the filing that was last ordered from it (整改). One that an office ordered by itself has
    a row of its own, under its own id, without a product.
    """

    __tablename__ = "supervision_checks"
    __table_args__ = (
        Index("ix_supervision_checks_uscc", "uscc", "checked_on", "id"),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    kind: Mapped[str] = mapped_column(String(40))
    product_code: Mapped[str] = mapped_column(String(2))
    checked_on: Mapped[date]
    office_name: Mapped[str] = mapped_column(String(100))
    inspectors: Mapped[str] = mapped_column(String(200))
    result: Mapped[str] = mapped_column(String(20))
    problems: Mapped[str | None] = mapped_column(Text)
    rectification_id: Mapped[UUID | None] = mapped_column(Uuid)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
