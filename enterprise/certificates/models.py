"""Tables of what reviews end in: number series, certificates with their versions, counters, what is drawn on them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from enterprise.models import AREAS


class NumberSeries(Base):
    """The last number given of a series (编号序列); `stem` is what its numbers say besides the running part."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    stem: Mapped[str] = mapped_column(String(200), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class Certificate(Base):
    """A certificate (证书、证明、许可证); what it says stands in its newest version, that of the number `versions`.

    `filing_id` is the filing that it was issued by; `version` counts its moves. `office_id` issued it, and `area1` to
    `area3` are that office's region.
    """

    __tablename__ = "certificates"
    __table_args__ = (
        *(Index(f"ix_certificates_{area}", area, "created_at", "id") for area in AREAS),
        Index("ix_certificates_kind", "kind", "created_at", "id"),
        Index("ix_certificates_enterprise_id", "enterprise_id", "created_at", "id"),
        Index("ix_certificates_filing_id", "filing_id"),
        UniqueConstraint("kind", "number"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(30))
    version: Mapped[int] = mapped_column(Integer)
    versions: Mapped[int] = mapped_column(Integer)
    filing_id: Mapped[UUID] = mapped_column(Uuid)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    uscc: Mapped[str] = mapped_column(String(18))
    org_name: Mapped[str] = mapped_column(String(100))
    office_id: Mapped[UUID | None] = mapped_column(Uuid)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CertificateVersion(Base):
    """What a certificate says from its issue or a change on; it never changes. `filing_id` is the filing behind it."""

    __tablename__ = "certificate_versions"
    __table_args__ = (UniqueConstraint("certificate_id", "number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates.id"))
    number: Mapped[int] = mapped_column(Integer)
    filing_id: Mapped[UUID] = mapped_column(Uuid)
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, info={"sealed": "answers"})
    org_name: Mapped[str] = mapped_column(String(100))
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CertificateCounter(Base):
    """A quantity of a line of a certificate (需核销数量), in ten-thousandths of its unit: exact on every database."""

    __tablename__ = "certificate_counters"
    __table_args__ = (UniqueConstraint("certificate_id", "line", "name"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates.id"))
    line: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(40))
    total: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[int] = mapped_column(BigInteger)


class CounterDraw(Base):
    """What a filing draws on a counter (核销): `asked`, and `found` once it is confirmed; in ten-thousandths.

    `status` is `pending`, `confirmed` or `released`; only a pending one binds what it asked for.
    """

    __tablename__ = "counter_draws"
    __table_args__ = (
        Index("ix_counter_draws_certificate_id", "certificate_id", "made_at", "id"),
        Index("ix_counter_draws_filing_id", "filing_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates.id"))
    filing_id: Mapped[UUID] = mapped_column(Uuid)
    line: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(40))
    asked: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
