"""Tables of the enterprise room: the register of enterprises (企业名录)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime
from core.models import SERIAL

AREAS = ("area1", "area2", "area3")
REGISTRATION = "registration"
"""The `source` of a row that is no enterprise of the register, but the applicant of a filing who registered without an
account (`registrations/`): no list of the register shows it, and no code finds it."""


class Enterprise(Base):
    """An enterprise (企业) of the register, with the chain of regions it lies in (see `Region`).

    `imported` holds what the last import said of the columns that an enterprise may declare, `former_names` its names
    before, the latest first.
    """

    __tablename__ = "enterprises"
    __table_args__ = (
        Index("ix_enterprises_area1", "area1", "name"),
        Index("ix_enterprises_area2", "area2", "name"),
        Index("ix_enterprises_area3", "area3", "name"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    folded_name: Mapped[str] = mapped_column(String(100))
    former_names: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    legal_representative: Mapped[str | None] = mapped_column(String(50))
    address: Mapped[str | None] = mapped_column(String(200))
    production_address: Mapped[str | None] = mapped_column(String(200))
    region_code: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    scale: Mapped[str | None] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default="active")
    source: Mapped[str] = mapped_column(String(20))
    product_codes: Mapped[list[str]] = mapped_column(JSON)
    imported: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class EnterpriseProduct(Base):
    """A product category (产品类别) that an enterprise makes or sells, as imported; counts as planned (应检查)."""

    __tablename__ = "enterprise_products"
    __table_args__ = (
        Index("ix_enterprise_products_area1", "area1", "product_code", "enterprise_id"),
        Index("ix_enterprise_products_area2", "area2", "product_code", "enterprise_id"),
        Index("ix_enterprise_products_area3", "area3", "product_code", "enterprise_id"),
    )

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    product_code: Mapped[str] = mapped_column(String(2), primary_key=True)
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))


class EnterpriseBigram(Base):
    """Two adjacent characters of an enterprise's name; see `core/database/name_search.py`."""

    __tablename__ = "enterprise_bigrams"

    bigram: Mapped[str] = mapped_column(String(2), primary_key=True)
    area1: Mapped[str] = mapped_column(String(6), primary_key=True)
    enterprise_id: Mapped[UUID] = mapped_column(
        ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True, index=True
    )


NOT_DEPARTED = text("NOT departed")


class RegisterChange(Base):
    """Where an enterprise lies, and the mark of its last change; see `register_changes.py`.

    Beside it a row for each place that the enterprise has left (`departed`), for phones that keep the register of that
    place. `mark` is 0 from the change until it is numbered.
    """

    __tablename__ = "register_changes"
    __table_args__ = (
        *(Index(f"ix_register_changes_{area}", area, "mark") for area in AREAS),
        Index(
            "uq_register_changes_enterprise_id",
            "enterprise_id",
            unique=True,
            sqlite_where=NOT_DEPARTED,
            postgresql_where=NOT_DEPARTED,
        ),
    )

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"))
    departed: Mapped[bool]
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    mark: Mapped[int] = mapped_column(BigInteger)


class RegisterMark(Base):
    """The mark that was given last; a single row, whose lock makes marks rise in the order of commits."""

    __tablename__ = "register_marks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
