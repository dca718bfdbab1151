"""The list of filings (办件列表), limited to what the caller may read, by where each filing truly stands.

A list is one statement, or several of which each is found by an index that is in its order, merged: by status, by
kind, by whose turn it is. So a page costs the same at 100 000 filings. Newest first; overdue ones by their due day, the
oldest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_, select, true, union_all
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import (
    COUNT_LIMIT,
    Order,
    Page,
    PageRequest,
    ascending,
    count_up_to,
    cut,
    fetch,
    is_whole,
    newest_first,
    nothing,
)
from core.errors import invalid
from enterprise.filings.clocks.overtaken import Overtaken, overtaken
from enterprise.filings.declaring.declarations import APPLICANT
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.reading import turns
from enterprise.filings.reading.reach import beyond_its_regions, reach, readable
from enterprise.models import Enterprise
from enterprise.queries import named

_FEW, _MANY = 500, 5000
"""Enterprises whose name matches: up to so many are looked up by their index; up to so many are a list in the query."""
_NEWEST = newest_first("filings", Filing.created_at, Filing.id)
_SOONEST = ascending("filings_overdue", Filing.due_on, Filing.id)
# Written exactly as in the indexes of the table, so that these are used.
_NOT_DELETED = Filing.status != literal_column("'deleted'")
_SENT = or_(Filing.sent > literal_column("0"), Filing.opened_by_office)
_DUE = (Filing.finished_at.is_(None), Filing.due_on.is_not(None))

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND; `q` is a fragment of the enterprise's name.

    `system`: the business system of the kinds; `turn`: the caller is awaited; `overdue`: those whose light is red.
    """

    kind: str | None = None
    status: str | None = None
    q: str | None = None
    system: str | None = None
    turn: bool = False
    overdue: bool = False


def filings(session: Session, engine: Filings, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """The own filings of an enterprise, or those sent to (or opened by) the actor's office."""
    _refuse_unknown(engine, filters)
    asked = [
        kind
        for kind in engine.kinds.values()
        if filters.kind in (None, kind.code) and filters.system in (None, kind.system) and actor.works_in(kind.system)
    ]
    order = _SOONEST if filters.overdue else _NEWEST
    states = _states(session, engine, actor, asked, filters)
    if actor.enterprise_id is not None:
        own = [Filing.enterprise_id == actor.enterprise_id, _NOT_DELETED, *_of_kind(engine, asked)]
        turn = [turns.of_enterprise(actor, asked)] if filters.turn else []
        of_name = _named_like(filters.q)
        return _page(session, order, request, states.of([[*own, *turn, *of_name]], [*own, *of_name]))
    by_region = not beyond_its_regions(engine, actor)
    ids = named(session, actor.scope, filters.q, _MANY) if filters.q and by_region else None
    if ids is not None and len(ids) <= _FEW:
        return _of_enterprises(session, engine, ids, actor, asked, filters, states, request)
    # With so many, walking the newest filings fills a page soon; the expression keeps the planner from the index.
    few_of_many = ids is not None and [func.coalesce(Filing.enterprise_id, Filing.id).in_(ids)]
    sent = [_NOT_DELETED, _SENT, *(few_of_many or _named_like(filters.q))]
    ones = [[*sent, *one] for one in _readable_ones(session, engine, actor, asked, filters)]
    by_id = [
        *sent,
        reach(session, engine, actor, actor.scope.unindexed_condition(Filing), asked, func.coalesce(Filing.kind, "")),
    ]
    return _page(session, order, request, states.of(ones, by_id))


def _refuse_unknown(engine: Filings, filters: Filters) -> None:
    if filters.kind is not None and engine.kinds.named(filters.kind) is None:
        raise invalid("/kind", "unknown_kind", "没有这类办件，请从办件类型中重新选择")
    if filters.system is not None and all(kind.system != filters.system for kind in engine.kinds.values()):
        raise invalid("/system", "unknown_option", "没有这个业务系统，请重新选择")
    if filters.status is not None and filters.status not in engine.kinds.statuses_of(filters.kind):
        raise invalid("/status", "unknown_option", "没有这个状态，请从该类办件的状态中重新选择")


def _readable_ones(
    session: Session, engine: Filings, actor: Actor, asked: Sequence[FilingKind], filters: Filters
) -> list[Conditions]:
    """Alternatives of what an office reads, or in which it is awaited."""
    held, covered = readable(actor, asked), actor.scope.condition(Filing)
    if filters.turn:
        return list(turns.of_office(session, actor, held, covered))
    # Of some kinds alone, each is walked by its own index; those of a status, or overdue, are found by another one.
    apart = len(held) < len(engine.kinds) and filters.status is None and not filters.overdue
    each = [[kind] for kind in held] if apart else [held]
    return [[reach(session, engine, actor, covered, kinds, Filing.kind)] for kinds in each]


def _of_kind(engine: Filings, asked: Sequence[FilingKind]) -> Conditions:
    codes = [kind.code for kind in asked]
    return [] if len(codes) == len(engine.kinds) else [Filing.kind.in_(codes)]


def _named_like(q: str | None) -> Conditions:
    if not q:
        return []
    name = select(Enterprise.folded_name).where(Enterprise.id == Filing.enterprise_id).scalar_subquery()
    return [name.like(like_pattern(q), escape="\\")]


@dataclass(frozen=True, slots=True)
class _States:
    """Where filings must truly stand: alternatives over the rows as they are stored, and the ids of those that a clock
    has moved there and no job has rung yet."""

    stored: list[Conditions]
    come: list[UUID]

    def of(self, ones: Sequence[Conditions], by_id: Conditions) -> list[Conditions]:
        """Each of some alternatives in each of the states; `by_id`: the same of rows that are found by their id."""
        found = [[*one, *state] for one in ones for state in self.stored]
        return [*found, [*by_id, Filing.id.in_(self.come)]] if self.come else found


def _states(session: Session, engine: Filings, actor: Actor, asked: Sequence[FilingKind], filters: Filters) -> _States:
    filtered = filters.status is not None or filters.turn or filters.overdue
    moved = overtaken(session, [kind for kind in asked if filtered or kind.rings_away])
    away = [one.id for one in moved if filtered or one.status == DELETED]
    state: Conditions = [Filing.id.not_in(away)] if away else []
    if filters.overdue:
        state += [*_DUE, Filing.due_on < clock.today(), _lit(asked)]
    stored = [state]
    if filters.status is not None:
        stored = [[one, *state] for one in _shown_in(engine, filters.status)]
    # What a clock has just moved has no due day that is over.
    come = [
        one
        for one in moved
        if one.status != DELETED and filters.status in (None, _shown(engine, one)) and not filters.overdue
    ]
    if not filtered:
        come = []
    if filters.turn:
        come = turns.awaiting(session, engine, actor, come)
    return _States(stored, [one.id for one in come])


def _shown(engine: Filings, one: Overtaken) -> str:
    return engine.kinds[one.kind].shown_as.get(one.status, one.status)


def _shown_in(engine: Filings, status: str) -> Conditions:
    """Conditions of which one holds for each filing that lists show under that status (`FilingKind.shown_as`)."""
    others = [(Filing.status == own) & (Filing.kind == kind) for kind, own in engine.kinds.shown_as(status)]
    return [Filing.status == status, *others]


def _lit(asked: Sequence[FilingKind]) -> ColumnElement[bool]:
    """Those whose due day has a light: of a clock, or of the data while it is the applicant's turn (`answers.py`)."""
    by_data = [
        and_(Filing.kind == kind.code, Filing.status.in_([s.code for s in kind.statuses if APPLICANT in s.turns]))
        for kind in asked
        if kind.due_from is not None
    ]
    return or_(Filing.due_clock.is_not(None), *by_data)


def _page(session: Session, order: Order, request: PageRequest, alternatives: list[Conditions]) -> Page:
    if not alternatives:
        return nothing(order, request)
    if len(alternatives) == 1:
        return fetch(session, select(Filing), order, request, *alternatives[0])
    return _merged(session, order, request, alternatives)


def _merged(session: Session, order: Order, request: PageRequest, alternatives: list[Conditions]) -> Page:
    """A page of what one of some alternatives finds: the first of each, in the order of its index, merged.

    In one query for all, databases walk the filings of every one, or sort all that match.
    """
    first, key = order.columns[0][0], order.key
    of_each = [select(key, first).where(*conditions) for conditions in alternatives]
    deepest = request.offset + request.page_size + 1
    behind = order.behind(request)
    begun = [keys.where(*behind).order_by(*order.clauses()).limit(deepest).subquery() for keys in of_each]
    # Several alternatives may find one filing: of a region, and as a party.
    merged = union_all(*(select(one) for one in begun)).subquery()
    rising = replace(order, columns=((merged.c[first.key], order.columns[0][1]), (merged.c.id, order.columns[1][1])))
    distinct = select(merged.c.id).group_by(merged.c.id, merged.c[first.key])
    rows, next_after = cut(session, distinct, rising, request)
    total, exact = len(rows), True
    if not is_whole(request, rows, next_after):
        # No alternative needs counting further than all of them together.
        some = (select(key).where(*one).limit(COUNT_LIMIT + 1).subquery() for one in alternatives)
        counted = union_all(*(select(one) for one in some)).subquery()
        total, exact = count_up_to(session, select(counted.c.id).distinct().subquery().c.id)
    return _whole_rows(session, order, Page(rows, request, total, exact, next_after))


def _whole_rows(session: Session, order: Order, page: Page) -> Page:
    """A page of ids, with the whole rows in their place."""
    chosen = select(Filing).where(Filing.id.in_([row.id for row in page.items])).order_by(*order.clauses())
    return replace(page, items=session.execute(chosen).all())


def _of_enterprises(
    session: Session, engine: Filings, ids: list[UUID], actor: Actor, asked: Sequence[FilingKind], filters: Filters,
    states: _States, request: PageRequest,
) -> Page:  # fmt: skip
    """A page of the filings of a few enterprises: chosen and counted by their index alone, then read."""
    # All other columns in expressions, so that no plan begins with an area or a status.
    covered, order = actor.scope.unindexed_condition(Filing), _SOONEST if filters.overdue else _NEWEST
    mine = reach(session, engine, actor, covered, asked, func.coalesce(Filing.kind, ""))
    ones = [[mine]]
    if filters.turn:
        ones = list(turns.of_office(session, actor, readable(actor, asked), covered))
    either = or_(false(), *(and_(true(), *one) for one in states.of(ones, [mine])))
    conditions = [Filing.enterprise_id.in_(ids), _NOT_DELETED, _SENT, either]
    return _whole_rows(session, order, fetch(session, select(Filing.id), order, request, *conditions))
