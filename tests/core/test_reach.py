"""The reach of an office: what it says of one record and what it asks the database for are the same."""

from typing import Any

import pytest
from sqlalchemy import select

from accounts.models import Region
from core.actor import Reach
from core.db import Database

REACHES = [
    Reach(True, ()),
    Reach(False, ()),
    Reach(False, ((1, "320000"),)),
    Reach(False, ((2, "320400"),)),
    Reach(False, ((3, "320404"),)),
    Reach(False, ((2, "320400"), (3, "320404"))),
    Reach(False, ((1, "330000"), (2, "320400"), (3, "320102"))),
    Reach(False, ((1, "420000"), (2, "429004"))),  # a county directly below its province
    Reach(False, ((1, "500000"),)),
]


def chosen(database: Database, condition: Any) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(Region.code).where(condition)))


@pytest.mark.parametrize("reach", REACHES, ids=str)
def test_what_is_asked_for_is_what_is_said_of_each_region(database: Database, reach: Reach) -> None:
    with database.read() as session:
        chains = {region.code: (region.area1, region.area2, region.area3) for region in session.scalars(select(Region))}
    covered = {code for code, chain in chains.items() if reach.covers(*chain)}
    assert chosen(database, reach.condition(Region)) == covered
    assert chosen(database, reach.unindexed_condition(Region)) == covered
    below = {code for code, chain in chains.items() if reach.strictly_above(*chain)}
    assert chosen(database, reach.strictly_above_condition(Region)) == below
    if not reach.national:
        assert below == {code for code in covered if any(code != own and own in chains[code] for _, own in reach.areas)}
