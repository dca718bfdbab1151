"""How many records a list holds, from the tallies wherever they count exactly that."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, literal
from sqlalchemy.orm import Session

from accounts.regions.abolished import get_region
from inspection.kinds import DISPOSING, SPOT_CHECK
from inspection.statistics.models import EnterpriseTally


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the lists (信息暂存, 信息查看); all optional, combined with AND.

    `disposal` is a disposal state; `sampled`: whether a spot check has a sample; `own_office` keeps only records
    of the region itself, without those of the regions below (本级).
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
    sampled: bool | None = None
    own_office: bool | None = None


@dataclass(frozen=True, slots=True)
class TallyCount:
    """A sum over columns of the tallies; `exact`, or else at least as many as the list holds."""

    expression: ColumnElement[int]
    exact: bool


def tally_count(record_type: str, filters: Filters) -> TallyCount:
    """What the tallies count of what the filters ask for.

    What a tally is about (kind, name, product, region) does not matter here: it narrows which tallies are summed.
    """
    expression, exact = (_of_spot_checks if record_type == SPOT_CHECK else _of_checks)(filters)
    dated = filters.day_from is not None or filters.day_to is not None
    return TallyCount(expression, exact and not dated)


def _of_checks(filters: Filters) -> tuple[ColumnElement[int], bool]:
    t: Any = EnterpriseTally
    plain = filters.conclusion is None and filters.sampled is None  # which no check has
    # Of kinds that dispose of problems a check has a state of disposal just when one was found; others never have one.
    to_dispose = case((t.kind.in_(DISPOSING), t.problems), else_=0)
    by_state = {
        "in_progress": t.disposal_in_progress,
        "done": t.disposal_done,
        "na": to_dispose - t.disposal_in_progress - t.disposal_done,
        "none": t.records - to_dispose,
    }
    if filters.disposal is not None:
        found = by_state[filters.disposal]
        if filters.problem is not None:
            without = {True: t.problems - to_dispose, False: t.records - t.problems}
            found = without[filters.problem] if filters.disposal == "none" else found if filters.problem else literal(0)
    elif filters.problem is not None:
        found = t.problems if filters.problem else t.records - t.problems
    elif filters.unable is not None:
        return (t.unable if filters.unable else t.carried_out), plain
    else:
        found = t.records
    return found, filters.unable is None and plain


def _of_spot_checks(filters: Filters) -> tuple[ColumnElement[int], bool]:
    t: Any = EnterpriseTally
    plain = filters.problem is None and filters.disposal is None and filters.unable is None
    if filters.conclusion is None:
        counted = {None: t.records, True: t.batches, False: t.records - t.batches}
        return counted[filters.sampled], plain
    failed = filters.conclusion == "fail"
    return (t.failed if failed else t.batches - t.failed), failed and plain and filters.sampled is None


def region_conditions(session: Session, model: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """The region filter over a table with `area1..3`; a replaced code means its successor, an unknown one is 422."""
    if filters.region is None:  # 本级 of an office without a region: of the whole country
        return [model.area1 == ""] if filters.own_office else []
    region = get_region(session, filters.region)
    columns = [model.area1, model.area2, model.area3]
    conditions: list[ColumnElement[bool]] = [columns[region.depth - 1] == region.code]
    if filters.own_office and region.depth < 3:
        conditions.append(columns[region.depth].is_(None))
    return conditions


def tally_conditions(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """The tallies of the records that the filters ask for, name and scope aside."""
    conditions = region_conditions(session, EnterpriseTally, filters)
    if filters.kind is not None:
        conditions.append(EnterpriseTally.kind == filters.kind)
    if filters.product_code is not None:
        conditions.append(EnterpriseTally.product_code == filters.product_code)
    return conditions
