"""Tables of the dictionaries (词条): entries, and the regulation types that fit a product."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, UTCDateTime


class DictionaryEntry(Base):
    """An entry of a dictionary that inspectors may add to: product items (生产产品) and test items (检验项目).

    One added under a name that exists already is stored as another name of the existing entry
    (`alias_of`), so that a check filled offline can refer to it; so is one that its keeper merged into
    another, and the name that an entry had before it was renamed (`dictionaries/keeping.py`). `area1` is the
    province that an added entry belongs to; "" stands for the whole country.

    `retired_on` is the last day on which it may be used; `former_types` are the regulation types that it
    had, each with the last day on which it was so (`[["licence", "2026-11-20"]]`). `proposed` marks what we
    took from a public standard (`source`) and nobody of the bureau has confirmed yet.
    """

    __tablename__ = "dictionary_entries"
    __table_args__ = (
        Index(
            "uq_dictionary_entries_name",
            "dictionary",
            "product_code",
            "area1",
            "folded_name",
            unique=True,
            sqlite_where=text("alias_of IS NULL"),
            postgresql_where=text("alias_of IS NULL"),
        ),
        # For the name that somebody adds, which may be another name of an entry.
        Index("ix_dictionary_entries_folded_name", "dictionary", "product_code", "folded_name", "area1"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    dictionary: Mapped[str] = mapped_column(String(20))
    product_code: Mapped[str] = mapped_column(String(2))
    name: Mapped[str] = mapped_column(String(100))
    folded_name: Mapped[str] = mapped_column(String(100))
    regulation_type: Mapped[str | None] = mapped_column(String(10))
    area1: Mapped[str] = mapped_column(String(6))
    alias_of: Mapped[UUID | None] = mapped_column(ForeignKey("dictionary_entries.id"))
    status: Mapped[str] = mapped_column(String(10), server_default="active")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    retired_on: Mapped[date | None]
    former_types: Mapped[list[list[str]]] = mapped_column(JSON, server_default="[]")
    proposed: Mapped[bool] = mapped_column(server_default=false())
    source: Mapped[str | None] = mapped_column(String(60))
    created_by: Mapped[UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ProductTypes(Base):
    """The regulation types that fit a product, where the administrator set others than the catalogue has."""

    __tablename__ = "product_types"

    product_code: Mapped[str] = mapped_column(String(2), primary_key=True)
    regulation_types: Mapped[list[str]] = mapped_column(JSON)
    set_by: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)
