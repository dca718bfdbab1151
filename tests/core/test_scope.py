"""The scope of an office: what it says of one record and what it asks the database for are the same."""

from typing import Any

import pytest
from sqlalchemy import select

from accounts.models import Region
from core.actor import Scope
from core.db import Database

SCOPES = [
    Scope(True, ()),
    Scope(False, ()),
    Scope(False, ((1, "320000"),)),
    Scope(False, ((2, "320400"),)),
    Scope(False, ((3, "320404"),)),
    Scope(False, ((2, "320400"), (3, "320404"))),
    Scope(False, ((1, "330000"), (2, "320400"), (3, "320102"))),
    Scope(False, ((1, "420000"), (2, "429004"))),  # a county directly below its province
    Scope(False, ((1, "500000"),)),
]


def chosen(database: Database, condition: Any) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(Region.code).where(condition)))


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_what_is_asked_for_is_what_is_said_of_each_region(database: Database, scope: Scope) -> None:
    with database.read() as session:
        chains = {region.code: (region.area1, region.area2, region.area3) for region in session.scalars(select(Region))}
    covered = {code for code, chain in chains.items() if scope.contains(*chain)}
    assert chosen(database, scope.condition(Region)) == covered
    assert chosen(database, scope.unindexed_condition(Region)) == covered
    below = {code for code, chain in chains.items() if scope.strictly_above(*chain)}
    assert chosen(database, scope.strictly_above_condition(Region)) == below
    if not scope.national:
        assert below == {code for code in covered if any(code != own and own in chains[code] for _, own in scope.areas)}
