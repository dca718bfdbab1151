"""The plan (应检查生产企业): which imported enterprises were visited, and which are left.

An enterprise was visited when a production check of the planned product was submitted, carried out or not possible
(无法检查), by an office in the caller's scope: records that somebody may not read do not count for them here either.
It counts in the region where the enterprise lies, whichever office came, so that figures and lists name the same
enterprises.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select
from sqlalchemy.orm import Session

from core.actor import Actor, Scope
from core.database.paging import Page, PageRequest
from core.db import inlined
from enterprise import queries
from enterprise.models import Enterprise, EnterpriseProduct
from inspection.kinds import PRODUCERS
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.totals import Filters, region_conditions
from inspection.workflows import SUBMITTED

E, P, T = Enterprise, EnterpriseProduct, EnterpriseTally


@dataclass(frozen=True, slots=True)
class Visits:
    """Which visits count: those within a scope, between two check dates (both included)."""

    scope: Scope
    day_from: date | None = None
    day_to: date | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Over the tallies, beside what joins them to an enterprise."""
        within = [T.kind.in_(PRODUCERS), T.records > 0, self.scope.condition(T)]
        if self.day_from is None and self.day_to is None:
            return within
        i = Inspection
        days = [i.check_date >= self.day_from] if self.day_from is not None else []
        days += [i.check_date <= self.day_to] if self.day_to is not None else []
        return [*within, select(i.id).where(i.tally_id == T.id, i.status == inlined(SUBMITTED), *days).exists()]


def visited_by_row(
    session: Session, row_code: ColumnElement[Any], planned: list[ColumnElement[bool]], visits: Visits
) -> dict[str | None, int]:
    """How many of the planned enterprises (conditions over `EnterpriseProduct`) were visited, by row."""
    statement: Select[Any] = (
        select(row_code.label("row_code"), func.count(distinct(P.enterprise_id)).label("visited"))
        .join(E, E.id == P.enterprise_id)
        .join(T, (T.org_key == E.uscc) & (T.product_code == P.product_code))
        .where(*planned, *visits.conditions())
        .group_by("row_code")
    )
    return {row.row_code: row.visited for row in session.execute(statement)}


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """Filters of the list; `visited` None asks for the whole register, planned or not."""

    q: str | None = None
    product_code: str | None = None
    region: str | None = None
    own_office: bool | None = None
    visited: bool | None = None
    day_from: date | None = None
    day_to: date | None = None


def enterprises(session: Session, actor: Actor, wanted: PlanFilter, request: PageRequest) -> Page:
    """The enterprises of the actor's scope by name; with `visited` planned ones that were visited, or that are left."""
    scope = actor.scope
    if wanted.own_office and wanted.region is None:
        wanted = replace(wanted, region=actor.region_code)
    where = Filters(region=wanted.region, own_office=wanted.own_office)
    only: list[ColumnElement[bool]] = []
    if wanted.visited is not None:
        was = _was_visited(wanted.product_code, Visits(scope, wanted.day_from, wanted.day_to))
        only.append(was if wanted.visited else ~was)
        if wanted.product_code is None:
            only.append(select(P.enterprise_id).where(P.enterprise_id == E.id).exists())
    return queries.search(
        session, scope, q=wanted.q, product_code=wanted.product_code, request=request,
        within=region_conditions(session, E, where), only=only,
    )  # fmt: skip


def _was_visited(product_code: str | None, visits: Visits) -> ColumnElement[bool]:
    """Over `Enterprise`: whether it was visited for one of its planned products, or for this one."""
    of = select(T.id).where(T.org_key == E.uscc, *visits.conditions())
    if product_code is not None:
        return of.where(T.product_code == product_code).exists()
    return of.where(P.enterprise_id == E.id, P.product_code == T.product_code).exists()
