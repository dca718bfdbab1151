"""A campaign (专项行动) runs from its first day to its last, both included."""

from datetime import date
from uuid import UUID

import pytest

from core.db import Database
from inspection.campaigns import CampaignCalendar
from inspection.models import Campaign


@pytest.mark.parametrize(
    ("day", "runs"),
    [
        (date(2026, 10, 31), False), (date(2026, 11, 1), True), (date(2026, 11, 21), True),
        (date(2026, 11, 22), False),
    ],
)  # fmt: skip
def test_a_campaign_runs_on_its_first_and_its_last_day_and_not_the_day_before_or_after(
    database: Database, day: date, runs: bool
) -> None:
    with database.write() as session:
        of_days = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 21)}
        session.add(Campaign(id=UUID(int=1), name="架空绞线专项检查", product_codes=["99"], **of_days))
    with database.read() as session:
        assert CampaignCalendar().running(session, "99", day) == (UUID(int=1) if runs else None)
