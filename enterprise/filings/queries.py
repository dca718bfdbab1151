"""What is read of filings, already limited to what the caller may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session

from core import clock, history
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, ascending, count_up_to, cut, fetch, is_whole, newest_first
from core.errors import Problem, Warned, invalid, not_found
from core.forms.sealing import readable
from core.read_only import names_any
from enterprise.filings.engine import Filings, may_read, may_read_filing, party
from enterprise.filings.kinds import ENTERPRISE, FilingKind, FilingStep
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.working_copy import COMPARED, sent_files
from enterprise.models import Enterprise
from enterprise.queries import named

_OLDEST_VERSION_FIRST = ascending("filing_versions", FilingVersion.number)
_FEW, _MANY = 500, 5000
"""Enterprises that a name means: as many are looked up by themselves; as many are told to the database as a list."""
_NEWEST = newest_first("filings", Filing.created_at, Filing.id)
# Literally as in the indexes of the table.
_LIVING = Filing.status != literal_column("'deleted'")
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
    conditions: list[ColumnElement[bool]] = [_LIVING]
    if actor.enterprise_id is not None:
        conditions.append(Filing.enterprise_id == actor.enterprise_id)
    else:
        conditions += [actor.scope.condition(Filing), _SENT]
    if filters.kind is not None:
        conditions.append(Filing.kind == filters.kind)
    if ids is not None:
        # Many, so a page is full soon when the newest filings are walked; an expression, so that they are walked.
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
    if filters.kind is not None and engine.kinds.get(filters.kind) is None:
        raise invalid("/kind", "unknown_kind", "没有这类办件，请从办件类型中重新选择")
    if filters.status is not None and filters.status not in engine.kinds.statuses_of(filters.kind):
        raise invalid("/status", "unknown_option", "没有这个状态，请从该类办件的状态中重新选择")


def _shown_in(engine: Filings, status: str, column: ColumnElement[Any] | Any) -> list[ColumnElement[bool]]:
    """Conditions, of which one holds for a filing that lists show in that status (`FilingKind.shown_as`)."""
    others = [(column == own) & (Filing.kind == kind) for kind, own in engine.kinds.shown_as(status)]
    return [column == status, *others]


def _of_statuses(
    session: Session,
    alternatives: list[ColumnElement[bool]],
    conditions: list[ColumnElement[bool]],
    request: PageRequest,
) -> Page:
    """A page of the filings of some statuses: the newest of each, in the order of the index, merged.

    Asked for all at once, databases walk the filings of every status, or sort all that match.
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
    """A page of ids with the rows that they name."""
    chosen = select(Filing).where(Filing.id.in_([row.id for row in page.items])).order_by(*_NEWEST.clauses())
    return replace(page, items=session.execute(chosen).all())


def _of_enterprises(
    session: Session, engine: Filings, ids: list[UUID], actor: Actor, filters: Filters, request: PageRequest
) -> Page:
    """A page of the filings of a few enterprises: chosen and counted by their index alone, then read."""
    # All else in expressions, so that no plan begins with an area or a status.
    conditions = [Filing.enterprise_id.in_(ids), _LIVING, _SENT, actor.scope.unindexed_condition(Filing)]
    if filters.kind is not None:
        conditions.append(func.coalesce(Filing.kind, "") == filters.kind)
    if filters.status is not None:
        conditions.append(or_(*_shown_in(engine, filters.status, func.coalesce(Filing.status, ""))))
    return _whole_rows(session, fetch(session, select(Filing.id), _NEWEST, request, *conditions))


def show_page(session: Session, engine: Filings, actor: Actor, page: Page) -> dict[str, Any]:
    """A page of the list; what its enterprise is changing is listed to an office as it was sent."""
    sent = _sent_data(session, engine, actor, [row.Filing for row in page.items])
    return page.as_json(lambda row: show_row(engine, actor, row.Filing, sent.get(row.Filing.id)))


def _sent_data(session: Session, engine: Filings, actor: Actor, filings: list[Filing]) -> dict[UUID, dict[str, Any]]:
    """By filing, the data that was sent last of those that are being changed since; asked by offices only."""
    changing = [
        filing.id
        for filing in filings
        if filing.sent and filing.status in engine.kind_of(filing).editable and party(actor, filing) != ENTERPRISE
    ]
    if not changing:
        return {}
    newest = (FilingVersion.filing_id == Filing.id) & (FilingVersion.number == Filing.sent)
    rows = session.execute(
        select(Filing.id, FilingVersion.data).join(FilingVersion, newest).where(Filing.id.in_(changing))
    )
    return {row.id: row.data for row in rows}


def show_row(engine: Filings, actor: Actor, filing: Filing, sent: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A filing in a list, with what the caller may do now.

    `sent`: the data that was sent last, for an office while the enterprise changes it. `tag` is the label of a
    status that is shown as another (`FilingKind.shown_as`).
    """
    kind = engine.kind_of(filing)
    shown_as = kind.shown_as.get(filing.status)
    return {
        "id": str(filing.id),
        "kind": filing.kind,
        "title": filing.title,
        "status": filing.status,
        "status_label": kind.statuses[shown_as or filing.status],
        "tag": kind.statuses[filing.status] if shown_as else None,
        "version": filing.version,
        "uscc": filing.uscc,
        "org_name": filing.org_name,
        "subject": _subject(filing),
        "summary": _summary(kind, actor, filing, sent),
        "opinion": filing.opinion,
        "due_on": filing.due_on.isoformat() if filing.due_on else None,
        "colour": _colour(kind, filing),
        "late": filing.late,
        "sent": filing.sent,
        "created_at": clock.rfc3339(filing.created_at),
        "sent_at": clock.rfc3339(filing.sent_at) if filing.sent_at else None,
        "finished_at": clock.rfc3339(filing.finished_at) if filing.finished_at else None,
        "actions": actions(kind, actor, filing),
    }


def actions(kind: FilingKind, actor: Actor, filing: Filing) -> list[str]:
    """What the caller may do now; `save` where the working copy may be changed."""
    side = party(actor, filing)
    if side is None:
        return []
    saving = ["save"] if side == ENTERPRISE and filing.status in kind.editable else []
    return saving + [step.action for step in kind.steps_of(side, filing.status) if _is_open(step, actor, filing)]


def _is_open(step: FilingStep, actor: Actor, filing: Filing) -> bool:
    """Whether the step's guard, if it has one, lets the actor pass."""
    if step.guard is None:
        return True
    try:
        step.guard(filing, actor)
    except Problem:
        return False
    return True


def _summary(kind: FilingKind, actor: Actor, filing: Filing, sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the kind's list shows of the data; to an office nothing that the enterprise is still changing."""
    data = filing.data
    if party(actor, filing) != ENTERPRISE and filing.status in kind.editable:
        data = {**(sent or {}), **{name: data[name] for name in kind.fixed & data.keys()}}
    return {name: data[name] for name in kind.listed if name in data}


def _subject(filing: Filing) -> dict[str, str] | None:
    if filing.subject_id is None or filing.subject_type is None:
        return None
    return {"type": filing.subject_type, "id": str(filing.subject_id)}


def _colour(kind: FilingKind, filing: Filing) -> str | None:
    """Yellow until due, red after (未超期黄灯，已超期红灯), while it is the enterprise's turn (spec/c §2.6)."""
    if filing.due_on is None or filing.status not in kind.editable:
        return None
    return "red" if clock.today() > filing.due_on else "yellow"


def content_of(session: Session, actor: Actor, filing: Filing) -> Filing | FilingVersion:
    """What an actor reads of a filing: the enterprise its working copy, an office the version that was sent to it."""
    if party(actor, filing) == ENTERPRISE or filing.sent == 0:
        return filing
    return _version(session, filing, filing.sent)


def show(
    session: Session, engine: Filings, actor: Actor, filing: Filing, warnings: Sequence[Warned] = ()
) -> dict[str, Any]:
    """A whole filing, as the actor may read it; `warnings` of the write that is answered with it."""
    return show_with(engine, actor, filing, content_of(session, actor, filing), warnings)


def show_with(
    engine: Filings,
    actor: Actor,
    filing: Filing,
    content: Filing | FilingVersion,
    warnings: Sequence[Warned] = (),
) -> dict[str, Any]:
    """The same with its content read before; asks the database nothing."""
    own = party(actor, filing) == ENTERPRISE
    shown = _content(engine, content, filing, clear=own or filing.finished_at is None)
    kind = engine.kind_of(filing)
    if not own and filing.sent == 0:
        # What the enterprise prepares is its own until it is sent; the office reads what was ordered.
        data = {name: shown["data"][name] for name in shown["data"] if name in kind.fixed}
        shown |= {"data": data, "documents": []}
    elif not own and filing.status in kind.editable:
        # What was ordered may be ordered anew when it comes back (a later 整改期限): it stands as it stands now.
        shown["data"] |= {name: filing.data[name] for name in kind.fixed & filing.data.keys()}
    sent = content.data if isinstance(content, FilingVersion) else None
    return {**show_row(engine, actor, filing, sent), **shown, "warnings": list(warnings)}


def read_before(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The filing as the actor reads it before a write, where the body says anything that must be compared with it."""
    filing = find(session, filing_id) if names_any(body, COMPARED) else None
    return show(session, engine, actor, filing) if filing is not None and may_read(actor, filing) else {}


def may_fetch(session: Session, actor: Actor, filing_id: UUID, file_id: UUID) -> bool:
    """For the subject registry: the enterprise fetches all files of its filing, an office those that were sent."""
    if not may_read_filing(session, actor, filing_id):
        return False
    return actor.enterprise_id is not None or file_id in sent_files(session, filing_id)


def _content(engine: Filings, row: Filing | FilingVersion, filing: Filing, *, clear: bool) -> dict[str, Any]:
    """What a filing or one of its versions says; `form.title` is what its paper is headed by."""
    form = engine.forms.get(row.form_code, row.form_version).form
    title = form.title if filing.title_region is None else f"{filing.title_region}{engine.kind_of(filing).title}"
    return {
        "form": {"code": row.form_code, "version": row.form_version, "title": title},
        "data": readable(form, row.data, clear=clear),
        "documents": row.documents,
    }


def _version(session: Session, filing: Filing, number: int) -> FilingVersion:
    row = session.scalar(
        select(FilingVersion).where(FilingVersion.filing_id == filing.id, FilingVersion.number == number)
    )
    if row is None:
        raise not_found()
    return row


def versions(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The versions that were sent, oldest first."""
    sent = select(FilingVersion)
    return fetch(session, sent, _OLDEST_VERSION_FIRST, request, FilingVersion.filing_id == filing.id)


def show_version(engine: Filings, filing: Filing, row: Any) -> dict[str, Any]:
    """A version in a list."""
    version: FilingVersion = row.FilingVersion
    return {
        "number": version.number,
        "sent_at": clock.rfc3339(version.sent_at),
        "operator_name": version.operator_name,
        **_content(engine, version, filing, clear=False),
    }


def history_of(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The moves of a filing, oldest first."""
    return history.page(session, filing.id, request)


def show_kind(kind: FilingKind, definition: Mapping[str, Any], verbs: frozenset[str]) -> dict[str, Any]:
    """A kind as the phone needs it: form, documents, workflow with what the caller may ever do."""
    return {
        "code": kind.code,
        "title": kind.title,
        "rateable": kind.rateable,
        "opened_by": kind.opened_by,
        "subject_type": kind.subject_type,
        "listed": list(kind.listed),
        "form": definition,
        "documents": [
            {
                "category": d.category.code,
                "title": d.category.label,
                "required": d.required,
                "extensions": list(d.category.allowed),
                "purposes": sorted(d.category.purposes),
                "max_count": d.category.max_count,
                "max_bytes": d.category.largest,
            }
            for d in kind.documents
        ],
        "statuses": [{"code": code, "label": label} for code, label in kind.statuses.items()],
        "steps": [
            {
                "action": s.action,
                "label": s.label,
                "from": s.source,
                "to": s.target,
                "comment_required": s.comment,
                "mine": s.who in verbs,
            }
            for s in kind.steps
        ],
    }
