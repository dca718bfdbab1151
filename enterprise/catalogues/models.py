"""Tables of catalogues (目录词典)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, synonym

from core.db import Base, UTCDateTime

_CODE = String(64).with_variant(String(64, collation="C"), "postgresql")
"""Compared byte by byte, so that those that begin alike stand together in the index."""


class CatalogueEntry(Base):
    """An entry; `parent` is the code below which it stands, empty for those below none.

    It may be chosen from `valid_from` to `valid_to`, both included; None: without limit. Entries are never deleted:
    what was chosen keeps its meaning.
    """

    __tablename__ = "catalogue_entries"
    __table_args__ = (
        UniqueConstraint("catalogue", "parent", "code"),
        Index("ix_catalogue_entries_code", "catalogue", "code"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    catalogue: Mapped[str] = mapped_column(String(40))
    parent: Mapped[str] = mapped_column(_CODE)
    code: Mapped[str] = mapped_column(_CODE)
    name: Mapped[str] = mapped_column(String(500))
    folded_name: Mapped[str] = mapped_column(String(500))
    position: Mapped[int] = mapped_column(Integer)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CatalogueBigram(Base):
    """Two adjacent characters of an entry's name; see `core/database/name_search.py`."""

    __tablename__ = "catalogue_bigrams"

    bigram: Mapped[str] = mapped_column(String(2), primary_key=True)
    catalogue: Mapped[str] = mapped_column(String(40), primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(
        ForeignKey("catalogue_entries.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    area1 = synonym("catalogue")
    """What narrows the search, by the name that `name_search` has for it."""
