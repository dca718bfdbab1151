"""The lists of field records: own drafts (信息暂存), and what was submitted in the own regions (信息查看).

A row with its answers is wide, so a page is chosen by an index alone and only its own rows are read. What the tallies
count is not counted again, and where they count few records or none, the records of the area are not searched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from assets.tables.exports import whole_list
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import (
    COUNT_LIMIT,
    Page,
    PageRequest,
    count_up_to,
    cut,
    fetch,
    is_whole,
    newest_first,
    nothing,
)
from core.db import Database, inlined
from core.text import fold
from inspection.models import Inspection
from inspection.records.date_ranges import newest_of_days, of_days
from inspection.statistics.day_counts import outside_if_less
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.tally_search import Matched, match
from inspection.statistics.totals import Filters, region_conditions, tally_conditions, tally_count
from inspection.workflows import DRAFT, SUBMITTED, VOIDED

_MANY_NAMED = 20_000
LAST_CHANGED = newest_first("drafts", Inspection.updated_at, Inspection.id)
NEWEST = newest_first("records", Inspection.submitted_at, Inspection.id)


def drafts(session: Session, actor: Actor, record_type: str, filters: Filters, request: PageRequest) -> Page:
    """The drafts of this user name (本用户暂存的), the last changed first."""
    conditions = [
        *region_conditions(session, Inspection, _at_home(actor, filters)),
        Inspection.created_by == actor.user_id,
        Inspection.status == DRAFT,
        Inspection.record_type == record_type,
        *_own_conditions(Inspection, filters),
        *of_days(Inspection, filters),
    ]
    if filters.q:
        # One user name has few drafts and they stand in no tally: their names are folded here.
        named = session.execute(select(Inspection.id, Inspection.org_name).where(*conditions).limit(COUNT_LIMIT)).all()
        conditions.append(Inspection.id.in_([i for i, name in named if fold(filters.q) in fold(name or "")]))
    return fetch(session, select(Inspection), LAST_CHANGED, request, *conditions)


def _own_conditions(model: Any, filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (model.kind, filters.kind),
        (model.product_code, filters.product_code),
        (model.conclusion, filters.conclusion),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.sampled is not None:
        conditions.append(model.conclusion.is_not(None) if filters.sampled else model.conclusion.is_(None))
    if filters.disposal is not None:
        conditions.append(model.disposal_state == inlined(filters.disposal))
        if filters.disposal != "none":
            conditions.append(model.disposal_state != inlined("none"))  # as the index of these says
    for flag, wanted in ((model.problems_found, filters.problem), (model.unable, filters.unable)):
        if wanted is not None:
            conditions.append(flag.is_(wanted))
    return conditions


@dataclass(frozen=True, slots=True)
class _ListQuery:
    """A list of submitted records: its filters within a scope, and what the tallies know of it."""

    session: Session
    actor: Actor
    record_type: str
    filters: Filters
    matched: Matched

    @property
    def dated(self) -> bool:
        """Whether days are asked for, which the tallies do not count."""
        return self.filters.day_from is not None or self.filters.day_to is not None

    @property
    def disposed(self) -> bool:
        """Whether a state of disposal is asked for that few have, so that its index leads to them."""
        return self.filters.disposal not in (None, "none")

    @property
    def everywhere(self) -> bool:
        """Whether the whole country is asked for, over which no index leads to days."""
        return self.actor.scope.national and self.filters.region is None

    def everything(self) -> list[ColumnElement[bool]]:
        """All that is asked for."""
        days = of_days(_UNINDEXED if self.disposed else Inspection, self.filters)
        return [*self.area(Inspection), *self.filtered(Inspection), *days]

    def area(self, model: Any) -> list[ColumnElement[bool]]:
        """Where: the scope and the region, or few tallies within them. An index begins with it."""
        if self.matched.tally_ids is not None:
            return [model.tally_id.in_(self.matched.tally_ids), _is_submitted(model)]
        return [*self.within(model), model.record_type == self.record_type, _is_submitted(model)]

    def within(self, model: Any) -> list[ColumnElement[bool]]:
        """The scope and the region; where a region is named, its index is the one to use."""
        region, scope = region_conditions(self.session, model, self.filters), self.actor.scope
        return [*region, scope.unindexed_condition(model)] if region else [scope.condition(model)]

    def filtered(self, model: Any) -> list[ColumnElement[bool]]:
        """What, the days aside."""
        if self.matched.tally_ids is not None:  # which are of this kind, product and name already
            return self._of_tallies(model)
        conditions = _own_conditions(model, self.filters)
        if self.filters.q and self.dated:
            conditions.append(model.tally_id.in_(self._named()))  # looked up once, because many days are gone through
        elif self.filters.q:
            conditions.append(self._named().where(EnterpriseTally.id == model.tally_id).exists())
        return conditions

    def by_tallies(self) -> list[ColumnElement[bool]]:
        """All that is asked for of a name, found by its tallies and their days."""
        days = of_days(Inspection, self.filters)
        return [Inspection.tally_id.in_(self._named()), _is_submitted(Inspection), *self._of_tallies(Inspection), *days]

    def _of_tallies(self, model: Any) -> list[ColumnElement[bool]]:
        return _own_conditions(model, replace(self.filters, kind=None, product_code=None))

    def _named(self) -> Select[int]:
        t = EnterpriseTally
        named = t.folded_name.like(like_pattern(self.filters.q or ""), escape="\\")
        where = [
            self.actor.scope.condition(t),
            t.record_type == self.record_type,
            *tally_conditions(self.session, self.filters),
        ]
        return select(t.id).where(*where, named)


_UNINDEXED = SimpleNamespace(check_date=func.coalesce(Inspection.check_date, Inspection.check_date))
"""For conditions of days that leave the choice of an index to something rarer."""


def _is_submitted(model: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = model.status == inlined(SUBMITTED)  # as the indexes say it
    return condition


def _at_home(actor: Actor, filters: Filters) -> Filters:
    """Without a region 本级 is the actor's own."""
    return replace(filters, region=actor.region_code) if filters.own_office and filters.region is None else filters


def _list_query(session: Session, actor: Actor, record_type: str, filters: Filters) -> _ListQuery:
    filters = _at_home(actor, filters)
    narrowed = tally_conditions(session, filters)
    matched = match(
        session, actor.scope, record_type, filters.q, tally_count(record_type, filters).expression, *narrowed
    )
    if matched.counted and filters == Filters(region=filters.region, day_from=filters.day_from, day_to=filters.day_to):
        # All records of an area: its index is the shortest way to the newest of them.
        matched = replace(matched, tally_ids=None)
    return _ListQuery(session, actor, record_type, filters, matched)


def submitted(session: Session, actor: Actor, record_type: str, filters: Filters, request: PageRequest) -> Page:
    """Submitted records of the actor's regions (本辖区), newest first.

    The total comes from the tallies where they count what is asked for; else records are counted,
    up to 10 000.
    """
    query = _list_query(session, actor, record_type, filters)
    if query.matched.counted == 0:
        return nothing(NEWEST, request)
    rows, next_after = _page(query, request)
    chosen = select(Inspection).where(Inspection.id.in_([row.id for row in rows])).order_by(*NEWEST.clauses())
    whole_rows = session.execute(chosen).all()
    if is_whole(request, whole_rows, next_after):
        return Page(whole_rows, request, len(whole_rows), True)
    number, exact = _count(query)
    return Page(whole_rows, request, number, exact, next_after)


def _page(query: _ListQuery, request: PageRequest) -> tuple[Sequence[Any], str | None]:
    """Ids of the page."""
    conditions = query.everything()
    if query.dated and query.matched.tally_ids is None and not query.disposed:
        if query.filters.q and query.matched.records <= _MANY_NAMED:
            conditions = query.by_tallies()
        elif not query.everywhere:
            return newest_of_days(query.session, query, NEWEST, request)
    return cut(query.session, select(Inspection.id), NEWEST, request, *conditions)


def _count(query: _ListQuery) -> tuple[int, bool]:
    filters, counted = query.filters, query.matched.counted
    of_all_days = tally_count(query.record_type, replace(filters, day_from=None, day_to=None)).exact
    if of_all_days and (not query.dated or _are_all_days(query)):
        return min(counted, COUNT_LIMIT), counted <= COUNT_LIMIT
    named = filters.q and query.matched.tally_ids is None
    return count_up_to(query.session, Inspection.id, *(query.by_tallies() if named else query.everything()))


def _are_all_days(query: _ListQuery) -> bool:
    """Whether no record of the area lies outside of the days."""
    if query.matched.tally_ids is not None or query.everywhere:
        return False
    filters, within = query.filters, query.within(Inspection)
    return outside_if_less(query.session, within, [query.record_type], filters.day_from, filters.day_to) == []


def voided(session: Session, actor: Actor, record_type: str, filters: Filters, request: PageRequest) -> Page:
    """What was voided (作废) of the submitted records of the actor's regions, newest first; no tally counts it."""
    return fetch(session, select(Inspection), NEWEST, request, *_of_voided(session, actor, record_type, filters))


def _of_voided(session: Session, actor: Actor, record_type: str, filters: Filters) -> list[ColumnElement[bool]]:
    query = _ListQuery(session, actor, record_type, _at_home(actor, filters), Matched(0, 0, None))
    conditions = [
        *query.within(Inspection),
        Inspection.record_type == record_type,
        Inspection.status == inlined(VOIDED),
    ]
    return [*conditions, *query.filtered(Inspection), *of_days(Inspection, filters)]


def export_rows(
    database: Database, actor: Actor, record_type: str, status: str, filters: Filters
) -> Iterator[Inspection]:
    """All rows of a list (`status` says which), in chunks, so that neither memory nor a transaction is held.

    Raises 422 `export_too_large` at the first row when there are too many.
    """
    with database.read() as session:
        if status == DRAFT:
            page = drafts(session, actor, record_type, filters, PageRequest(page_size=COUNT_LIMIT))
            yield from (row.Inspection for row in page.items)
            return
        if status == VOIDED:
            conditions = _of_voided(session, actor, record_type, filters)
        else:
            query = _list_query(session, actor, record_type, filters)
            if query.matched.counted == 0:
                return
            conditions = query.everything()
    for row in whole_list(database, select(Inspection), NEWEST, *conditions):
        yield row.Inspection
