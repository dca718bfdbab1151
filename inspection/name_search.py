"""Which tallies a name search means, and by which way their records are best read.

Names are looked up in the tallies (a few thousand per city), never in the records. The pair of
characters that fewest names have leads to them; where every pair is common, the tallies of the area
are walked instead. What a term matches decides how its records are read: few are fetched by their
tallies; many are met soon enough when the newest records of the area are walked.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from accounts.queries import provinces_of
from core.actor import Reach
from core.name_search import having, like_pattern, rarest_pair
from inspection.models import EnterpriseTally, TallyBigram

FEW_RECORDS = 2000
_FEW_NAMES = 2000


@dataclass(frozen=True, slots=True)
class Matched:
    """What a term matches in an area: `counted` of its records; `tally_ids` where they are few, else None."""

    counted: int
    tally_ids: list[int] | None


def match(
    session: Session,
    reach: Reach,
    book: str,
    term: str,
    counted: "InstrumentedAttribute[int]",
    *more: ColumnElement[bool],
) -> Matched:
    """Look a term up; `counted` is the column of the tallies that is summed, `more` narrows them."""
    conditions = [
        EnterpriseTally.book == book,
        EnterpriseTally.folded_name.like(like_pattern(term), escape="\\"),
        *more,
    ]
    provinces = provinces_of(session, reach)
    pair, names = rarest_pair(session, TallyBigram, term, provinces, _FEW_NAMES)
    if names == 0:
        return Matched(0, [])
    if names <= _FEW_NAMES:
        conditions += [TallyBigram.tally_id == EnterpriseTally.id, *having(TallyBigram, pair, provinces)]
        conditions.append(reach.unindexed_condition(EnterpriseTally))
    else:
        conditions.append(reach.condition(EnterpriseTally))
    found = session.execute(select(func.sum(counted), func.sum(EnterpriseTally.records)).where(*conditions)).one()
    number, records = int(found[0] or 0), int(found[1] or 0)
    if records > FEW_RECORDS:
        return Matched(number, None)
    ids = session.scalars(select(EnterpriseTally.id).where(*conditions, EnterpriseTally.records > 0)).all()
    return Matched(number, list(ids))
