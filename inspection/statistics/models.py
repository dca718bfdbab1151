"""Tables of the figures: what is kept of each enterprise, so that neither statistics nor searches read the records."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.models import SERIAL


class EnterpriseTally(Base):
    """The kept state of one enterprise, as named, for one office, kind and product.

    Everything that statistics count and name searches look through, so that neither reads the
    records themselves. Submissions, disposals and corrections keep it; `tallies reconcile`
    recomputes it from the records.
    """

    __tablename__ = "enterprise_tallies"
    __table_args__ = (
        UniqueConstraint("office_id", "kind", "product_code", "org_key", "org_name"),
        Index("ix_enterprise_tallies_area1", "area1", "record_type"),
        Index("ix_enterprise_tallies_area2", "area2", "record_type"),
        Index("ix_enterprise_tallies_area3", "area3", "record_type"),
        Index("ix_enterprise_tallies_org_key", "org_key", "kind"),
    )

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area1: Mapped[str] = mapped_column(String(6))
    area2: Mapped[str | None] = mapped_column(String(6))
    area3: Mapped[str | None] = mapped_column(String(6))
    record_type: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(40))
    product_code: Mapped[str] = mapped_column(String(2))
    org_key: Mapped[str] = mapped_column(String(34))
    org_name: Mapped[str] = mapped_column(String(100))
    folded_name: Mapped[str] = mapped_column(String(100))
    records: Mapped[int] = mapped_column(Integer)
    carried_out: Mapped[int] = mapped_column(Integer)
    unable: Mapped[int] = mapped_column(Integer)
    problems: Mapped[int] = mapped_column(Integer)
    disposal_done: Mapped[int] = mapped_column(Integer)
    disposal_in_progress: Mapped[int] = mapped_column(Integer)
    batches: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)


class TallyBigram(Base):
    """Two adjacent characters of the name on a tally; see `core/database/name_search.py`."""

    __tablename__ = "tally_bigrams"

    bigram: Mapped[str] = mapped_column(String(2), primary_key=True)
    area1: Mapped[str] = mapped_column(String(6), primary_key=True)
    tally_id: Mapped[int] = mapped_column(ForeignKey("enterprise_tallies.id"), primary_key=True)
