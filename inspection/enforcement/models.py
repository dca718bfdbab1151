"""Tables of law enforcement papers, and of the 执法证号 of those who sign them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from inspection.models import AREAS

_MARK = JSON(none_as_null=True)


class EnforcementPaper(Base):
    """A law enforcement paper (执法文书). `data` answers its form, `receipt` that of the 送达回证, once it was served
    (which holds nothing that is sealed).

    `number` is given when it is issued (approved: when it is approved), one after the other by office, year and kind.
    `inspection_id` is the check that it belongs to. `decided` says when, by whom and with which opinion it was approved
    or rejected.
    """

    __tablename__ = "enforcement_papers"
    __table_args__ = (
        *(Index(f"ix_enforcement_papers_{area}", area, "updated_at", "id") for area in AREAS),
        Index("ix_enforcement_papers_inspection_id", "inspection_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(Integer)
    inspection_id: Mapped[UUID | None] = mapped_column(ForeignKey("inspections.id"))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    office_name: Mapped[str] = mapped_column(String(100))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    org_name: Mapped[str | None] = mapped_column(String(100))
    number: Mapped[str | None] = mapped_column(String(120), unique=True)
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    receipt: Mapped[dict[str, Any] | None] = mapped_column(_MARK)
    receipt_version: Mapped[int | None] = mapped_column(Integer)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    operator_name: Mapped[str | None] = mapped_column(String(30))
    decided: Mapped[dict[str, Any] | None] = mapped_column(_MARK)
    due_on: Mapped[date | None]
    issued_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class EnforcementOfficer(Base):
    """An officer of an office and the number of the law enforcement certificate (执法证号)."""

    __tablename__ = "enforcement_officers"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    certificate_no: Mapped[str] = mapped_column(String(40))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
