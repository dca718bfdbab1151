"""Which tallies a name search means, and by which way their records are best read.

Names are looked up in the tallies (a few thousand per city), never in the records. What a term
matches decides the way: few records are fetched by their tallies; many are met soon enough when
the newest records of the area are walked.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.actor import Reach
from core.name_search import bigrams, fold, like_pattern
from inspection.models import EnterpriseTally, TallyBigram

FEW_RECORDS = 2000


@dataclass(frozen=True, slots=True)
class Matched:
    """What a term matches in an area: `records` in all; `tally_ids` where they are few, else None."""

    records: int
    tally_ids: list[int] | None


def tally_conditions(
    reach: Reach, book: str, term: str, province: str | None, *more: ColumnElement[bool]
) -> list[ColumnElement[bool]]:
    """The tallies within reach whose name contains the term, narrowed by the bigrams of the province."""
    conditions: list[ColumnElement[bool]] = [
        reach.condition(EnterpriseTally),
        EnterpriseTally.book == book,
        EnterpriseTally.folded_name.like(like_pattern(term), escape="\\"),
        *more,
    ]
    if len(fold(term)) >= 2:
        for pair in sorted(bigrams(term)):
            bigram = aliased(TallyBigram)
            found = [bigram.tally_id == EnterpriseTally.id, bigram.bigram == pair]
            if province:
                found.append(bigram.area1 == province)
            conditions.append(exists().where(*found))
    return conditions


def match(
    session: Session, reach: Reach, book: str, term: str, province: str | None, *more: ColumnElement[bool]
) -> Matched:
    """Look a term up; see `Matched`."""
    if len(fold(term)) >= 2 and _absent(session, term, province):
        return Matched(0, [])
    conditions = tally_conditions(reach, book, term, province, *more)
    records = session.execute(
        select(func.coalesce(func.sum(EnterpriseTally.records), 0)).where(*conditions)
    ).scalar_one()
    if records > FEW_RECORDS:
        return Matched(int(records), None)
    ids = session.scalars(
        select(EnterpriseTally.id).where(*conditions, EnterpriseTally.records > 0).limit(FEW_RECORDS)
    ).all()
    return Matched(int(records), list(ids))


def _absent(session: Session, term: str, province: str | None) -> bool:
    """Whether some pair of the term stands in no name of the province."""
    for pair in sorted(bigrams(term)):
        statement = select(TallyBigram.tally_id).where(TallyBigram.bigram == pair)
        if province:
            statement = statement.where(TallyBigram.area1 == province)
        if session.execute(statement.limit(1)).first() is None:
            return True
    return False
