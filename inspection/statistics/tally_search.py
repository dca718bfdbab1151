"""Which tallies match a list, by name or otherwise, and how their records are best read.

Names are looked up in the tallies (a few thousand per city), never in the records: by the pair of characters that the
fewest names have, or, where every pair is common, in all tallies of the area. Few matching records are fetched by their
tallies; many are found quickly enough among the newest records of the area.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from accounts.queries import provinces_of
from core.actor import Scope
from core.database.name_search import having, like_pattern, rarest_pair
from inspection.statistics.models import EnterpriseTally, TallyBigram

FEW_RECORDS = 2000
_FEW_NAMES = 2000


@dataclass(frozen=True, slots=True)
class Matched:
    """What is asked for in an area: `counted` of its records; `tally_ids` where they stand in few, else None.

    `records` is how many records the tallies hold that hold any of these.
    """

    counted: int
    records: int
    tally_ids: list[int] | None


def match(
    session: Session,
    scope: Scope,
    record_type: str,
    term: str | None,
    counted: ColumnElement[int],
    *more: ColumnElement[bool],
) -> Matched:
    """Look in the tallies, for those whose name has the term if there is one; `more` narrows them.

    `counted` is what is summed; tallies that count nothing of it hold nothing that is asked for.
    """
    conditions = [EnterpriseTally.record_type == record_type, *more]
    by_pair = False
    if term:
        conditions.append(EnterpriseTally.folded_name.like(like_pattern(term), escape="\\"))
        provinces = provinces_of(session, scope)
        pair, names = rarest_pair(session, TallyBigram, term, provinces, _FEW_NAMES)
        if names == 0:
            return Matched(0, 0, [])
        by_pair = names <= _FEW_NAMES
        if by_pair:
            conditions += [TallyBigram.tally_id == EnterpriseTally.id, *having(TallyBigram, pair, provinces)]
    # Where a pair of characters leads to them, no index of an area is wanted.
    conditions.append(scope.unindexed_condition(EnterpriseTally) if by_pair else scope.condition(EnterpriseTally))
    holding = func.sum(case((counted > 0, EnterpriseTally.records), else_=0))
    found = session.execute(select(func.sum(counted), holding).where(*conditions)).one()
    number, records = int(found[0] or 0), int(found[1] or 0)
    if number == 0:
        return Matched(0, 0, [])
    if records > FEW_RECORDS:
        return Matched(number, records, None)
    ids = session.scalars(select(EnterpriseTally.id).where(*conditions, counted > 0)).all()
    return Matched(number, records, list(ids))
