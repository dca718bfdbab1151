"""Which tallies a name search means, and by which way their records are best read.

Names are looked up in the tallies (a few thousand per city), never in the records. The pair of
characters that fewest names have leads to them; where every pair is common, the tallies of the area
are walked instead. What a term matches decides how its records are read: few are fetched by their
tallies; many are met soon enough when the newest records of the area are walked.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.actor import Reach
from core.name_search import bigrams, fold, like_pattern
from inspection.models import EnterpriseTally, TallyBigram

FEW_RECORDS = 2000
_FEW_NAMES = 2000
# Few enough to look no further for a rarer pair, and how many pairs of a long term are tried.
_RARE, _PAIRS_TRIED = 50, 8


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
    province: str | None,
    counted: "InstrumentedAttribute[int]",
    *more: ColumnElement[bool],
) -> Matched:
    """Look a term up; `counted` is the column of the tallies that is summed, `more` narrows them."""
    conditions = [
        EnterpriseTally.book == book,
        EnterpriseTally.folded_name.like(like_pattern(term), escape="\\"),
        *more,
    ]
    pair, names = _rarest_pair(session, term, province)
    if names == 0:
        return Matched(0, [])
    if names <= _FEW_NAMES:
        conditions += [TallyBigram.tally_id == EnterpriseTally.id, *_having(pair, province), _within(reach)]
    else:
        conditions.append(reach.condition(EnterpriseTally))
    found = session.execute(select(func.sum(counted), func.sum(EnterpriseTally.records)).where(*conditions)).one()
    number, records = int(found[0] or 0), int(found[1] or 0)
    if records > FEW_RECORDS:
        return Matched(number, None)
    ids = session.scalars(select(EnterpriseTally.id).where(*conditions, EnterpriseTally.records > 0)).all()
    return Matched(number, list(ids))


def _having(pair: str, province: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [TallyBigram.bigram == pair]
    if province:
        conditions.append(TallyBigram.area1 == province)
    return conditions


def _rarest_pair(session: Session, term: str, province: str | None) -> tuple[str, int]:
    """A pair that few names of the province have, and how many (counted to just above `_FEW_NAMES`)."""
    best = ("", _FEW_NAMES + 1)
    if len(fold(term)) < 2:
        return best
    for pair in sorted(bigrams(term))[:_PAIRS_TRIED]:
        some = select(TallyBigram.tally_id).where(*_having(pair, province)).limit(best[1]).subquery()
        count = session.execute(select(func.count()).select_from(some)).scalar_one()
        if count < best[1]:
            best = (pair, count)
        if count <= _RARE:
            break
    return best


def _within(reach: Reach) -> ColumnElement[bool]:
    """The reach as a test on tallies found by their pair: expressions, so that no plan begins with an area."""
    if reach.national:
        return true()
    columns = (EnterpriseTally.area1, EnterpriseTally.area2, EnterpriseTally.area3)
    return or_(false(), *(func.coalesce(columns[depth - 1], "") == code for depth, code in reach.areas))
