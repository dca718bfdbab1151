"""What is read of filings, already limited to what the caller may read."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, ascending, count_up_to, cut, fetch, is_whole, newest_first
from core.errors import invalid
from core.workflows import history
from enterprise.filings import parties, step_data
from enterprise.filings.access import posts_of, standing
from enterprise.filings.kinds import FilingKind, Filings
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.working_copy import sent_files
from enterprise.models import Enterprise
from enterprise.queries import named

_OLDEST_VERSION_FIRST = ascending("filing_versions", FilingVersion.number)
_FEW, _MANY = 500, 5000
"""Enterprises whose name matches: up to so many are looked up by their index; up to so many are a list in the query."""
_NEWEST = newest_first("filings", Filing.created_at, Filing.id)
# Written exactly as in the indexes of the table, so that these are used.
_NOT_DELETED = Filing.status != literal_column("'deleted'")
_SENT = or_(Filing.sent > literal_column("0"), Filing.opened_by_office)


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND; `q` is a fragment of the enterprise's name."""

    kind: str | None = None
    status: str | None = None
    q: str | None = None


def filings(session: Session, engine: Filings, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """The own filings of an enterprise, or those sent to (or opened by) the actor's office, newest first."""
    _refuse_unknown(engine, filters)
    by_region = actor.enterprise_id is None and not _beyond_its_regions(engine, actor)
    ids = named(session, actor.scope, filters.q, _MANY) if filters.q and by_region else None
    if ids is not None and len(ids) <= _FEW:
        return _of_enterprises(session, engine, ids, actor, filters, request)
    conditions: list[ColumnElement[bool]] = [_NOT_DELETED]
    if actor.enterprise_id is not None:
        conditions.append(Filing.enterprise_id == actor.enterprise_id)
    else:
        conditions += [_SENT, _reach(engine, actor, actor.scope.condition(Filing), filters.kind, Filing.kind)]
    if actor.enterprise_id is not None and filters.kind is not None:
        conditions.append(Filing.kind == filters.kind)
    if ids is not None:
        # With so many, walking the newest filings fills a page soon; the expression keeps the planner from the index.
        conditions.append(func.coalesce(Filing.enterprise_id, Filing.id).in_(ids))
    elif filters.q:
        name = select(Enterprise.folded_name).where(Enterprise.id == Filing.enterprise_id).scalar_subquery()
        conditions.append(name.like(like_pattern(filters.q), escape="\\"))
    if filters.status is not None:
        alternatives = _shown_in(engine, filters.status, Filing.status)
        if len(alternatives) > 1:
            return _of_statuses(session, alternatives, conditions, request)
        conditions += alternatives
    return fetch(session, select(Filing), _NEWEST, request, *conditions)


def _refuse_unknown(engine: Filings, filters: Filters) -> None:
    if filters.kind is not None and engine.kinds.named(filters.kind) is None:
        raise invalid("/kind", "unknown_kind", "没有这类办件，请从办件类型中重新选择")
    if filters.status is not None and filters.status not in engine.kinds.statuses_of(filters.kind):
        raise invalid("/status", "unknown_option", "没有这个状态，请从该类办件的状态中重新选择")


def _beyond_its_regions(engine: Filings, actor: Actor) -> bool:
    """Whether the actor may read filings that lie outside the regions of the own office."""
    for kind in engine.kinds.values():
        # An office may be chosen for an enterprise that sits elsewhere.
        elsewhere = {post.verb for post in kind.posts if post.anywhere or kind.route is not None}
        verbs = elsewhere | {party.verb for party in kind.parties}
        if not verbs.isdisjoint(actor.verbs):
            return True
    return False


def _reach(
    engine: Filings, actor: Actor, covered: ColumnElement[bool], kind: str | None, column: ColumnElement[Any] | Any
) -> ColumnElement[bool]:
    """Which filings somebody of an office reads: those of `access.standing`, as a condition.

    `covered`: those in the regions of the office; `kind`: of one kind alone; `column`: the kind's, perhaps in an
    expression.
    """
    asked = [one for one in engine.kinds.values() if kind in (None, one.code)]
    held = [one for one in asked if posts_of(actor, one)]
    sides = [and_(covered, *_of_kinds(engine, held, kind, column), *_of_office(actor, held))] if held else []
    everywhere = [one.code for one in held if any(post.anywhere and post.verb in actor.verbs for post in one.posts)]
    if everywhere:
        sides.append(column.in_(everywhere))
    sides += [stands for one in asked if (stands := parties.stands_to(actor, one)) is not None]
    return or_(false(), *sides) if len(sides) != 1 else sides[0]


def _of_kinds(
    engine: Filings, held: list[FilingKind], kind: str | None, column: ColumnElement[Any] | Any
) -> list[ColumnElement[bool]]:
    if kind is not None:
        return [column == kind]
    return [column.in_(sorted(one.code for one in held))] if len(held) < len(engine.kinds) else []


def _of_office(actor: Actor, held: list[FilingKind]) -> list[ColumnElement[bool]]:
    """Of what one office alone handles: the own, and that of offices below."""
    if not any(one.route for one in held):
        return []
    above = actor.scope.strictly_above_condition(Filing)
    return [or_(Filing.office_id.is_(None), Filing.office_id.in_(actor.offices), above)]


def _shown_in(engine: Filings, status: str, column: ColumnElement[Any] | Any) -> list[ColumnElement[bool]]:
    """Conditions of which one holds for each filing that lists show under that status (`FilingKind.shown_as`)."""
    others = [(column == own) & (Filing.kind == kind) for kind, own in engine.kinds.shown_as(status)]
    return [column == status, *others]


def _of_statuses(
    session: Session,
    alternatives: list[ColumnElement[bool]],
    conditions: list[ColumnElement[bool]],
    request: PageRequest,
) -> Page:
    """A page of the filings of some statuses: the newest of each, in the order of the index, merged.

    In one query for all statuses, databases walk the filings of every status, or sort all that match.
    """
    of_each = [select(Filing.id, Filing.created_at).where(*conditions, one) for one in alternatives]
    deepest = request.offset + request.page_size + 1
    behind = _NEWEST.behind(request)
    newest = [select(keys.where(*behind).order_by(*_NEWEST.clauses()).limit(deepest).subquery()) for keys in of_each]
    merged = union_all(*newest).subquery()
    rows, next_after = cut(
        session, select(merged.c.id), newest_first(_NEWEST.name, merged.c.created_at, merged.c.id), request
    )
    total, exact = len(rows), True
    if not is_whole(request, rows, next_after):
        total, exact = count_up_to(session, union_all(*of_each).subquery().c.id)
    return _whole_rows(session, Page(rows, request, total, exact, next_after))


def _whole_rows(session: Session, page: Page) -> Page:
    """A page of ids, with the whole rows in their place."""
    chosen = select(Filing).where(Filing.id.in_([row.id for row in page.items])).order_by(*_NEWEST.clauses())
    return replace(page, items=session.execute(chosen).all())


def _of_enterprises(
    session: Session, engine: Filings, ids: list[UUID], actor: Actor, filters: Filters, request: PageRequest
) -> Page:
    """A page of the filings of a few enterprises: chosen and counted by their index alone, then read."""
    # All other columns in expressions, so that no plan begins with an area or a status.
    covered = actor.scope.unindexed_condition(Filing)
    reach = _reach(engine, actor, covered, filters.kind, func.coalesce(Filing.kind, ""))
    conditions = [Filing.enterprise_id.in_(ids), _NOT_DELETED, _SENT, reach]
    if filters.status is not None:
        conditions.append(or_(*_shown_in(engine, filters.status, func.coalesce(Filing.status, ""))))
    return _whole_rows(session, fetch(session, select(Filing.id), _NEWEST, request, *conditions))


def versions(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The versions that were sent, oldest first."""
    sent = select(FilingVersion)
    return fetch(session, sent, _OLDEST_VERSION_FIRST, request, FilingVersion.filing_id == filing.id)


def history_of(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The moves of a filing, oldest first."""
    return history.page(session, filing.id, request)


def may_fetch(session: Session, engine: Filings, actor: Actor, filing_id: UUID, file_id: UUID) -> bool:
    """For the subject registry: who may fetch a file of a filing.

    The enterprise fetches what it put there itself, everybody else what was sent; files of steps are for those to whom
    the step is shown.
    """
    filing = find(session, filing_id)
    stands = standing(session, engine, actor, filing) if filing is not None else None
    if filing is None or stands is None:
        return False
    kind = engine.kind_of(filing)
    if file_id in step_data.files_of(session, kind, filing_id, stands):
        return True
    if stands.own or stands.is_one_of(kind.status(filing.status).editors):
        return file_id not in step_data.all_files(session, kind, filing_id)
    return file_id in sent_files(session, filing_id)
