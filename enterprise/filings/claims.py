"""Claims (占用): a key that one filing may hold at a time, across kinds, such as a person's ID or a licence's change.

It is held while the filing stands in some statuses and free otherwise; a unique key decides who of two that send at one
moment holds it. Keys are kept as keyed hashes, for they may be a person's.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, select

from core import privacy
from core.db import dialect_of, insert_into
from core.errors import Problem
from core.forms.sealing import opened
from enterprise.filings.content import data_place
from enterprise.filings.declarations import Claim, Move
from enterprise.filings.kinds import FilingKind
from enterprise.filings.models import FilingClaim

_CLAIMS = cast(Table, FilingClaim.__table__)


GiveWay = Callable[[UUID, str], bool]
"""Lets the filing that holds a key take a step of the system; whether it could."""


def follow(kind: FilingKind, move: Move, give_way: GiveWay) -> None:
    """Take and free what a filing holds, as it stands after a move; its row was written before.

    409 `already_open` in the claim's own words where another filing holds the key, and does not give way.
    """
    for declared in kind.claims:
        held = move.filing.status in declared.statuses
        if held and move.step.source in declared.statuses and not move.step.sends:
            continue
        mine = (_CLAIMS.c.filing_id == move.filing.id) & (_CLAIMS.c.name == declared.name)
        move.session.execute(delete(_CLAIMS).where(mine))
        if held:
            _take(declared, move, give_way)


def _take(declared: Claim, move: Move, give_way: GiveWay) -> None:
    data = opened(move.filing.data, data_place(move.filing.id))
    # In one order everywhere, so that two that claim the same keys do not wait for each other.
    for key in sorted({privacy.keyed_hash(f"claim {declared.name}", key) for key in declared.keys(move.filing, data)}):
        values = {"name": declared.name, "key": key, "filing_id": move.filing.id}
        if not _taken(move, values) and not (_gives_way(declared, move, key, give_way) and _taken(move, values)):
            raise Problem("already_open", declared.message)


def _taken(move: Move, values: Mapping[str, Any]) -> bool:
    fresh = insert_into(dialect_of(move.session), _CLAIMS).values(**values)
    return move.session.scalar(fresh.on_conflict_do_nothing().returning(_CLAIMS.c.key)) is not None


def _gives_way(declared: Claim, move: Move, key: str, give_way: GiveWay) -> bool:
    if declared.gives_way is None:
        return False
    holds = (_CLAIMS.c.name == declared.name) & (_CLAIMS.c.key == key)
    holder = move.session.scalar(select(_CLAIMS.c.filing_id).where(holds))
    return holder is None or give_way(holder, declared.gives_way)
