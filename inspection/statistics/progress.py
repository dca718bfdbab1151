"""Work statistics (工作统计): progress by sub-region, as the HTTP contract §3 defines it.

One row for each region directly below, one for the region's own office (本级) where it has records,
and a total that counts distinct enterprises over the whole area, both from one statement. Without a date
filter the figures come from the kept tallies; with one, from what each tally counts on those days.
Progress is about the plan alone (`plan.py`): never is an enterprise above the line that is not below it.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, String, case, distinct, func, literal, null, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions.abolished import get_region
from core.actor import Actor
from enterprise.models import EnterpriseProduct
from inspection.kinds import COUNTED, DISPOSING, PRODUCERS, SELLERS, SPOT_CHECK
from inspection.models import Inspection
from inspection.statistics.day_counts import counted_on_days
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.plan import Visits, visited_by_row

T = EnterpriseTally
NO_ROW = sql_cast(null(), String)
"""The row of what belongs to no region below."""

_FIGURES = (
    "checked", "unable", "sales_checked", "sales_unable", "problem_enterprises", "disposal_done",
    "disposal_in_progress", "without_disposal", "spot_enterprises", "spot_batches", "spot_without_sample",
    "failed_batches",
)  # fmt: skip


_SUMMED = (
    "produced", "unable", "sold", "sales_unable", "problems", "to_dispose", "done", "in_progress", "spot_checks",
    "batches", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Area:
    """What a table of statistics is about: conditions for what lies within, and the rows below."""

    code: str | None
    name: str | None
    depth: int


@dataclass(frozen=True, slots=True)
class StatisticsFilter:
    """All optional. Dates are check dates (for spot checks: sampling dates), both ends included."""

    product_code: str | None = None
    region: str | None = None
    day_from: date | None = None
    day_to: date | None = None

    @property
    def dated(self) -> bool:
        """Whether single records have to be read."""
        return self.day_from is not None or self.day_to is not None


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many enterprises are planned somewhere, and how many of these were visited."""

    planned: int = 0
    visited: int = 0


def progress(session: Session, actor: Actor, wanted: StatisticsFilter) -> dict[str, Any]:
    """`{rows, total}`; a region outside the actor's scope gives no rows and zeros."""
    area = _area(session, actor, wanted.region)
    if area is None:
        return {"rows": [], "total": _row(None, None, {}, None)}
    below = _regions_below(session, actor, area)
    figures, total = _figures(session, actor, area, wanted)
    planned, all_planned = _planned(session, actor, area, wanted)
    # A region whose records are on their way to another superior is counted here until they have moved.
    below += _named(session, (figures.keys() | planned.keys()) - {code for code, *_ in below})
    rows = [
        {**_row(code, name, figures.get(code, {}), planned.get(code)), "own_office": False}
        for code, name, abolished in below
        if not abolished or code in figures or code in planned
    ]
    if None in figures or None in planned:
        own = _row(area.code, area.name, figures.get(None, {}), planned.get(None))
        rows.append({**own, "region_name": f"{area.name or '总局'}（本级）", "own_office": True})
    return {"rows": rows, "total": _row(area.code, area.name, total, all_planned)}


def _area(session: Session, actor: Actor, region_code: str | None) -> Area | None:
    if region_code is not None:
        region = get_region(session, region_code)
        if not actor.scope.contains(region.area1, region.area2, region.area3):
            return None
        return Area(region.code, region.name, region.depth)
    if actor.scope.national:
        return Area(None, None, 0)
    if len(actor.scope.areas) == 1:
        depth, code = actor.scope.areas[0]
        name = session.scalar(select(Region.name).where(Region.code == code))
        return Area(code, name, depth)
    return Area(None, actor.office_name, -1)


def _regions_below(session: Session, actor: Actor, area: Area) -> list[tuple[str, str, bool]]:
    """Code, name, and whether the region is abolished: records made there keep it."""
    statement = select(Region.code, Region.name, Region.valid_to).order_by(Region.code).limit(500)
    if area.depth == -1:  # an office that covers several regions: a row for each
        statement = statement.where(Region.code.in_([code for _, code in actor.scope.areas]))
    else:
        statement = statement.where(Region.parent_code == area.code)
    return [(row.code, row.name, row.valid_to is not None) for row in session.execute(statement)]


def _named(session: Session, codes: Set[str | None]) -> list[tuple[str, str, bool]]:
    wanted = [code for code in codes if code is not None]
    if not wanted:
        return []
    rows = session.execute(select(Region.code, Region.name).where(Region.code.in_(wanted)).order_by(Region.code))
    return [(row.code, row.name, True) for row in rows]


def _group(model: Any, actor: Actor, area: Area) -> ColumnElement[Any]:
    """The region of the row that a record belongs to; NULL stands for 本级."""
    columns = [model.area1, model.area2, model.area3]
    if area.depth == -1:
        return case(*((columns[depth - 1] == code, literal(code)) for depth, code in actor.scope.areas))
    if area.depth == 0:  # the office of the whole country lies in no province
        return func.nullif(model.area1, "")
    return cast("ColumnElement[Any]", columns[area.depth]) if area.depth < 3 else NO_ROW


def _within(model: Any, actor: Actor, area: Area) -> list[ColumnElement[bool]]:
    columns = [model.area1, model.area2, model.area3]
    conditions = [actor.scope.condition(model)]
    # All of the own area is what the scope says: with records that are on their way to it.
    if area.depth > 0 and actor.scope.areas != ((area.depth, area.code),):
        conditions.append(columns[area.depth - 1] == area.code)
    return conditions


def _figures(
    session: Session, actor: Actor, area: Area, wanted: StatisticsFilter
) -> tuple[dict[str | None, dict[str, int]], dict[str, int]]:
    """By row, and of the whole area, where an enterprise that stands in several rows counts once."""
    per_row = _per_enterprise(session, actor, area, wanted).cte("per_row")
    summed = (func.sum(per_row.c[name]).label(name) for name in _SUMMED)
    per_enterprise = select(*summed).group_by(per_row.c.org_key).subquery()

    def having(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    def figures(e: Any) -> list[Any]:
        return [
            having(e.c.produced > 0).label("checked"),
            having((e.c.produced == 0) & (e.c.unable > 0)).label("unable"),
            having(e.c.sold > 0).label("sales_checked"),
            having((e.c.sold == 0) & (e.c.sales_unable > 0)).label("sales_unable"),
            having(e.c.problems > 0).label("problem_enterprises"),
            having((e.c.done > 0) & (e.c.in_progress == 0)).label("disposal_done"),
            having(e.c.in_progress > 0).label("disposal_in_progress"),
            having((e.c.to_dispose > 0) & (e.c.done == 0) & (e.c.in_progress == 0)).label("without_disposal"),
            having(e.c.batches > 0).label("spot_enterprises"),
            func.coalesce(func.sum(e.c.batches), 0).label("spot_batches"),
            func.coalesce(func.sum(e.c.spot_checks - e.c.batches), 0).label("spot_without_sample"),
            func.coalesce(func.sum(e.c.failed), 0).label("failed_batches"),
        ]

    rows = select(literal(0).label("whole"), per_row.c.row_code, *figures(per_row)).group_by(per_row.c.row_code)
    whole = select(literal(1), NO_ROW, *figures(per_enterprise))
    counted = session.execute(union_all(rows, whole)).all()
    by_kind = [(row.whole, row.row_code, {name: int(getattr(row, name)) for name in _FIGURES}) for row in counted]
    total = next(found for is_whole, _, found in by_kind if is_whole)
    return {code: found for is_whole, code, found in by_kind if not is_whole}, total


def _per_enterprise(session: Session, actor: Actor, area: Area, wanted: StatisticsFilter) -> Select[Any]:
    """Per row and enterprise, the sums of its tallies, or of what its tallies count of those days."""
    conditions = [*_within(T, actor, area), T.records > 0]
    if wanted.product_code is not None:
        conditions.append(T.product_code == wanted.product_code)
    counts: dict[str, Any] = {name: getattr(T, name) for name in COUNTED}
    tables: Any = T.__table__
    if wanted.dated:
        where = [] if actor.scope.national and area.depth <= 0 else _within(Inspection, actor, area)
        counts, tables = counted_on_days(session, conditions, where, wanted.day_from, wanted.day_to)

    def total(name: str, kinds: tuple[str, ...] = ()) -> ColumnElement[int]:
        return func.sum(case((T.kind.in_(kinds), counts[name]), else_=0) if kinds else counts[name])

    return (
        select(
            _group(T, actor, area).label("row_code"),
            T.org_key,
            total("carried_out", PRODUCERS).label("produced"),
            total("unable", PRODUCERS).label("unable"),
            total("carried_out", SELLERS).label("sold"),
            total("unable", SELLERS).label("sales_unable"),
            total("problems").label("problems"),
            total("problems", DISPOSING).label("to_dispose"),
            total("disposal_done").label("done"),
            total("disposal_in_progress").label("in_progress"),
            total("records", (SPOT_CHECK,)).label("spot_checks"),
            total("batches").label("batches"),
            total("failed").label("failed"),
        )
        .select_from(tables)
        .where(*conditions)
        .group_by("row_code", T.org_key)
        .having(func.sum(counts["records"]) > 0)
    )


def _planned(
    session: Session, actor: Actor, area: Area, wanted: StatisticsFilter
) -> tuple[dict[str | None, _Plan], _Plan]:
    """Imported enterprises of the product (应检查生产企业数) and how many of them were visited, by row and in all.

    An enterprise lies in one row.
    """
    p = EnterpriseProduct
    conditions = _within(p, actor, area)
    if wanted.product_code is not None:
        conditions.append(p.product_code == wanted.product_code)
    row_code = _group(p, actor, area)
    statement = select(row_code.label("row_code"), func.count(distinct(p.enterprise_id)).label("planned"))
    statement = statement.where(*conditions).group_by("row_code")
    visits = Visits(actor.scope, wanted.day_from, wanted.day_to)
    visited = visited_by_row(session, row_code, conditions, visits)
    by_row = {
        row.row_code: _Plan(row.planned, visited.get(row.row_code, 0))
        for row in session.execute(statement)
        if row.planned
    }
    return by_row, _Plan(sum(p.planned for p in by_row.values()), sum(visited.values()))


def _row(code: str | None, name: str | None, figures: dict[str, int], plan: _Plan | None) -> dict[str, Any]:
    counted = {figure: figures.get(figure, 0) for figure in _FIGURES}
    plan, batches = plan or _Plan(), counted["spot_batches"]
    return {
        "region_code": code,
        "region_name": name,
        "planned": plan.planned,
        "planned_visited": plan.visited,
        **counted,
        "progress": round(plan.visited / plan.planned, 4) if plan.planned else None,
        "failed_rate": round(counted["failed_batches"] / batches, 4) if batches else None,
    }
