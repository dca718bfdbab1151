"""How many records a list holds, told by the tallies wherever they count just that."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from accounts.regions import current_region
from core.actor import Actor
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.models import EnterpriseTally

Counted = InstrumentedAttribute[int]


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the lists (信息暂存, 信息查看); all optional, combined with AND.

    `disposal` is a disposal state; `own_office` keeps only records of the region itself, without
    those of the regions below (本级).
    """

    kind: str | None = None
    q: str | None = None
    product_code: str | None = None
    region: str | None = None
    day_from: date | None = None
    day_to: date | None = None
    problem: bool | None = None
    disposal: str | None = None
    unable: bool | None = None
    conclusion: str | None = None
    own_office: bool | None = None


_COUNTED: dict[tuple[str, Filters], Counted] = {
    (CHECK, Filters()): EnterpriseTally.records,
    (CHECK, Filters(problem=True)): EnterpriseTally.problems,
    (CHECK, Filters(unable=True)): EnterpriseTally.unable,
    (CHECK, Filters(unable=False)): EnterpriseTally.carried_out,
    (CHECK, Filters(disposal="in_progress")): EnterpriseTally.disposal_in_progress,
    (CHECK, Filters(disposal="done")): EnterpriseTally.disposal_done,
    (SPOT_CHECK, Filters()): EnterpriseTally.records,
    (SPOT_CHECK, Filters(conclusion="fail")): EnterpriseTally.failed,
}


def counted_by(book: str, filters: Filters) -> Counted | None:
    """The column of the tallies that counts what the filters ask for; None: records must be counted."""
    # What a tally is about does not matter here: it narrows which tallies are summed.
    asked = replace(filters, kind=None, q=None, product_code=None, region=None, own_office=None)
    return _COUNTED.get((book, asked))


def region_conditions(session: Session, model: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """The region filter over a table with `area1..3`; a replaced code means its successor, an unknown one nothing."""
    if filters.region is None:
        return []
    region = current_region(session, filters.region)
    columns = [model.area1, model.area2, model.area3]
    if region is None:
        return [model.area1 == "-"]
    conditions: list[ColumnElement[bool]] = [columns[region.depth - 1] == region.code]
    if filters.own_office and region.depth < 3:
        conditions.append(columns[region.depth].is_(None))
    return conditions


def tally_conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """The tallies of the records that the filters ask for, name and reach aside."""
    conditions = region_conditions(session, EnterpriseTally, filters)
    if filters.kind is not None:
        conditions.append(EnterpriseTally.kind == filters.kind)
    if filters.product_code is not None:
        conditions.append(EnterpriseTally.product_code == filters.product_code)
    return conditions


def total(session: Session, actor: Actor, book: str, filters: Filters, counted: Counted) -> int:
    """The sum of that column over the tallies within reach."""
    conditions = [actor.reach.condition(EnterpriseTally), EnterpriseTally.book == book]
    found = session.scalar(select(func.sum(counted)).where(*conditions, *tally_conditions(session, filters)))
    return int(found or 0)
