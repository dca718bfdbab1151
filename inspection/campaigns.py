"""Campaigns (专项行动): the server decides towards which one a record counts."""

from datetime import date
from uuid import UUID, uuid5

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from enterprise.products import PRODUCTS
from inspection.models import Campaign

_IDS = UUID("0a1c2f1e-6f0b-4f57-9a53-6f1f4b9f5a77")
STANDING = uuid5(_IDS, "standing")


def load_standing(session: Session) -> bool:
    """The standing campaign over all thirteen products, without end; False when it is there already."""
    if session.get(Campaign, STANDING) is not None:
        return False
    session.execute(
        insert(Campaign).values(
            id=STANDING, name="重点工业产品质量安全排查治理专项行动", starts_on=date(2022, 4, 20),
            ends_on=None, product_codes=list(PRODUCTS),
        )
    )  # fmt: skip
    return True


class CampaignCalendar:
    """Which campaign runs for a product on a day; read once a day and process."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._running: list[tuple[UUID, frozenset[str]]] = []

    def running(self, session: Session, product_code: str, today: date) -> UUID | None:
        """The campaign that started last; None when none runs for the product."""
        if self._day != today:
            rows = session.execute(
                select(Campaign.id, Campaign.product_codes)
                .where(Campaign.starts_on <= today, or_(Campaign.ends_on.is_(None), Campaign.ends_on >= today))
                .order_by(Campaign.starts_on.desc())
            ).all()
            self._running, self._day = [(row.id, frozenset(row.product_codes)) for row in rows], today
        return next((i for i, codes in self._running if product_code in codes), None)
