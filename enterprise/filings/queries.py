"""What is read of filings, already limited to what the caller may read."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, ascending, count_up_to, cut, fetch, is_whole, newest_first
from core.errors import invalid
from core.workflows import history
from enterprise.filings.access import may_read_filing, posts_of
from enterprise.filings.kinds import Filings
from enterprise.filings.models import Filing, FilingVersion
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
    ids = named(session, actor.scope, filters.q, _MANY) if filters.q and not actor.enterprise_id else None
    if ids is not None and len(ids) <= _FEW:
        return _of_enterprises(session, engine, ids, actor, filters, request)
    conditions: list[ColumnElement[bool]] = [_NOT_DELETED]
    if actor.enterprise_id is not None:
        conditions.append(Filing.enterprise_id == actor.enterprise_id)
    else:
        conditions += [actor.scope.condition(Filing), _SENT]
    conditions += _of_kinds(engine, actor, filters.kind, Filing.kind)
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


def _of_kinds(
    engine: Filings, actor: Actor, kind: str | None, column: ColumnElement[Any] | Any
) -> list[ColumnElement[bool]]:
    """The kinds that are asked for, and of all others those of which an officer holds a post."""
    read = {code for code, each in engine.kinds.items() if actor.enterprise_id is not None or posts_of(actor, each)}
    if kind is not None:
        return [column == kind if kind in read else false()]
    return [column.in_(sorted(read))] if len(read) < len(engine.kinds) else []


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
    conditions = [Filing.enterprise_id.in_(ids), _NOT_DELETED, _SENT, actor.scope.unindexed_condition(Filing)]
    conditions += _of_kinds(engine, actor, filters.kind, func.coalesce(Filing.kind, ""))
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
    """For the subject registry: the enterprise fetches all files of its filing, an office those that were sent."""
    if not may_read_filing(session, engine, actor, filing_id):
        return False
    return actor.enterprise_id is not None or file_id in sent_files(session, filing_id)
