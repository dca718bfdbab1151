"""What is read of field records, already limited to what the caller may see."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, func, literal, select
from sqlalchemy.orm import Session

from core import clock, history
from core.actor import Actor
from core.db import Database
from core.errors import Problem, not_found
from core.forms.library import FormLibrary
from core.name_search import like_pattern
from core.paging import COUNT_LIMIT, Page, PageRequest, count_up_to, cut, fetch, is_whole, newest_first, walk
from core.privacy import mask_phone, unseal
from core.text import fold
from inspection import rules
from inspection.judging import find
from inspection.models import EnterpriseTally, Inspection, InspectionVersion
from inspection.name_search import Matched, match
from inspection.totals import Counted, Filters, counted_by, region_conditions, tally_conditions, total
from inspection.workflows import DELETED, DRAFT, SUBMITTED


def spelled(value: str) -> ColumnElement[str]:
    """A value written into the statement itself: only then does a partial index fit at once."""
    return literal(value, String, literal_execute=True)


IS_SUBMITTED = Inspection.status == spelled(SUBMITTED)
EXPORT_LIMIT = 100_000
VERSIONS_SHOWN = 200
LAST_CHANGED = newest_first("drafts", Inspection.updated_at, Inspection.id)
NEWEST = newest_first("records", Inspection.submitted_at, Inspection.id)


def drafts(session: Session, actor: Actor, book: str, filters: Filters, request: PageRequest) -> Page:
    """The drafts of this user name (本用户暂存的), the last changed first."""
    conditions = [
        Inspection.created_by == actor.user_id,
        Inspection.status == DRAFT,
        Inspection.book == book,
        *_own_conditions(filters),
    ]
    if filters.q:
        # One user name has few drafts and they stand in no tally: their names are folded here.
        named = session.execute(select(Inspection.id, Inspection.org_name).where(*conditions).limit(COUNT_LIMIT)).all()
        conditions.append(Inspection.id.in_([i for i, name in named if fold(filters.q) in fold(name or "")]))
    return fetch(session, select(Inspection), LAST_CHANGED, request, *conditions)


def _own_conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (Inspection.kind, filters.kind),
        (Inspection.product_code, filters.product_code),
        (Inspection.conclusion, filters.conclusion),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.disposal is not None:
        conditions.append(Inspection.disposal_state == spelled(filters.disposal))
    for flag, wanted in ((Inspection.problems_found, filters.problem), (Inspection.unable, filters.unable)):
        if wanted is not None:
            conditions.append(flag.is_(wanted))
    if filters.day_from is not None:
        conditions.append(Inspection.check_date >= filters.day_from)
    if filters.day_to is not None:
        conditions.append(Inspection.check_date <= filters.day_to)
    return conditions


def submitted(session: Session, actor: Actor, book: str, filters: Filters, request: PageRequest) -> Page:
    """Submitted records of the actor's regions (本辖区), newest first.

    The total comes from the tallies where they count what is asked for; else records are counted,
    up to 10 000.
    """
    filters = _with_own_region(actor, filters)
    counted = counted_by(book, filters)
    matched = _matched(session, actor, book, filters, counted)
    if matched is not None and matched.tally_ids == []:
        return Page([], request, 0, True)
    conditions = _submitted_conditions(session, actor, book, filters, matched)
    # Sorted by an index alone: a row with its answers is large, and only those of the page are read.
    ids, next_after = cut(session, select(Inspection.id), NEWEST, request, *conditions)
    chosen = select(Inspection).where(Inspection.id.in_([row.id for row in ids])).order_by(*NEWEST.clauses())
    rows = session.execute(chosen).all()
    if is_whole(request, rows, next_after):
        return Page(rows, request, len(rows), True)
    if counted is None:
        number, exact = count_up_to(session, Inspection.id, *conditions)
    else:
        number = matched.counted if matched else total(session, actor, book, filters, counted)
        number, exact = min(number, COUNT_LIMIT), number <= COUNT_LIMIT
    return Page(rows, request, number, exact, next_after)


def _with_own_region(actor: Actor, filters: Filters) -> Filters:
    return replace(filters, region=actor.region_code) if filters.own_office and filters.region is None else filters


def _matched(session: Session, actor: Actor, book: str, filters: Filters, counted: Counted | None) -> Matched | None:
    if not filters.q:
        return None
    column = EnterpriseTally.records if counted is None else counted
    narrowed = tally_conditions(session, filters)
    return match(session, actor.reach, book, filters.q, column, *narrowed)


def _submitted_conditions(
    session: Session, actor: Actor, book: str, filters: Filters, matched: Matched | None
) -> list[ColumnElement[bool]]:
    if matched is not None and matched.tally_ids is not None:
        # Few records: by their tallies, which are of this book, kind and product and lie within reach already.
        rest = replace(filters, kind=None, product_code=None)
        return [Inspection.tally_id.in_(matched.tally_ids), *_own_conditions(rest)]
    conditions = [
        actor.reach.condition(Inspection),
        *region_conditions(session, Inspection, filters),
        IS_SUBMITTED,
        Inspection.book == book,
        *_own_conditions(filters),
    ]
    if filters.q:
        named = select(EnterpriseTally.id).where(
            EnterpriseTally.id == Inspection.tally_id,
            EnterpriseTally.folded_name.like(like_pattern(filters.q), escape="\\"),
        )
        conditions.append(named.exists())
    return conditions


def export_rows(database: Database, actor: Actor, book: str, status: str, filters: Filters) -> Iterator[Inspection]:
    """All rows of a list, in chunks, so that neither memory nor a transaction is held.

    Raises 422 `export_too_large` at the first row when there are more than `EXPORT_LIMIT`.
    """
    with database.read() as session:
        if status == DRAFT:
            page = drafts(session, actor, book, filters, PageRequest(page_size=COUNT_LIMIT))
            yield from (row.Inspection for row in page.items)
            return
        filters = _with_own_region(actor, filters)
        matched = _matched(session, actor, book, filters, None)
        if matched is not None and matched.counted == 0:
            return
        conditions = _submitted_conditions(session, actor, book, filters, matched)
        over = select(Inspection.id).where(*conditions).limit(EXPORT_LIMIT + 1).subquery()
        if session.execute(select(func.count()).select_from(over)).scalar_one() > EXPORT_LIMIT:
            raise Problem("export_too_large", f"超过 {EXPORT_LIMIT} 条，请缩小筛选范围后重试")
    for row in walk(database, select(Inspection), NEWEST, *conditions):
        yield row.Inspection


def show_row(row: Any) -> dict[str, Any]:
    """A record in a list."""
    record: Inspection = row.Inspection
    return {
        "id": str(record.id),
        "kind": record.kind,
        "status": record.status,
        "version": record.version,
        "product_code": record.product_code,
        "uscc": record.uscc,
        "org_name": record.org_name,
        "check_date": record.check_date.isoformat() if record.check_date else None,
        "unable": record.unable,
        "problems_found": record.problems_found,
        "disposal_state": record.disposal_state,
        "conclusion": record.conclusion,
        "office": {"id": str(record.office_id), "name": record.office_name},
        "region_code": record.region_code,
        "username": record.username,
        "operator_name": record.operator_name,
        "updated_at": clock.rfc3339(record.updated_at),
        "submitted_at": clock.rfc3339(record.submitted_at) if record.submitted_at else None,
    }


def show(record: Inspection, actor: Actor, forms: FormLibrary) -> dict[str, Any]:
    """A whole record: what it says, and what the server knows of it.

    Telephone numbers are clear for the office that handles it and masked for all others.
    """
    form = forms.get(record.form_code, record.form_version).form
    warned = rules.warnings_of(record.data, record.problems_found) if record.status == SUBMITTED else []
    return {
        **_readable(record.data, form.sensitive, clear=record.office_id in actor.offices),
        "id": str(record.id),
        "kind": record.kind,
        "form_code": record.form_code,
        "form_version": record.form_version,
        "status": record.status,
        "version": record.version,
        "campaign_id": str(record.campaign_id) if record.campaign_id else None,
        "product_code": record.product_code,
        "level": record.level,
        "office": {"id": str(record.office_id), "name": record.office_name},
        "region": {"code": record.region_code},
        "username": record.username,
        "operator_name": record.operator_name,
        "org_prefilled": record.org_prefilled,
        "problems_found": record.problems_found,
        "disposal_state": record.disposal_state,
        **({"conclusion": record.conclusion} if record.book == "spot_check" else {}),
        "photos": record.data.get("photos", []),
        "signatures": record.data.get("signatures", []),
        "warnings": warned,
        "created_at": clock.rfc3339(record.created_at),
        "updated_at": clock.rfc3339(record.updated_at),
        "submitted_at": clock.rfc3339(record.submitted_at) if record.submitted_at else None,
    }


def _readable(data: dict[str, Any], sensitive: frozenset[str], *, clear: bool) -> dict[str, Any]:
    shown = dict(data)
    for name in sensitive & data.keys():
        text = unseal(data[name]) if isinstance(data[name], str) else data[name]
        shown[name] = text if clear else mask_phone(text)
    return shown


def visible(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    """One record; 404 if it is not there or the actor may not see it."""
    record = find(session, actor, book, record_id)
    if record is None or record.status == DELETED:
        raise not_found()
    return record


def versions(session: Session, record: Inspection) -> list[dict[str, Any]]:
    """The contents that corrections replaced, oldest first."""
    rows = session.execute(
        select(InspectionVersion.version, InspectionVersion.reason, InspectionVersion.replaced_at)
        .where(InspectionVersion.inspection_id == record.id)
        .order_by(InspectionVersion.version)
        .limit(VERSIONS_SHOWN)
    ).all()
    return [
        {"version": row.version, "reason": row.reason, "replaced_at": clock.rfc3339(row.replaced_at)} for row in rows
    ]


def version(session: Session, record: Inspection, number: int, actor: Actor, forms: FormLibrary) -> dict[str, Any]:
    """What the record said at a version that a correction replaced; 404 for any other number."""
    # What was replaced is older than the record; and no number too large for the column is asked for.
    row = session.get(InspectionVersion, (record.id, number)) if number < record.version else None
    if row is None:
        raise not_found()
    form = forms.get(row.form_code, row.form_version).form
    return {
        **_readable(row.data, form.sensitive, clear=record.office_id in actor.offices),
        "id": str(record.id),
        "version": row.version,
        "form_code": row.form_code,
        "form_version": row.form_version,
        "product_code": row.product_code,
        "reason": row.reason,
        "replaced_at": clock.rfc3339(row.replaced_at),
    }


def history_of(session: Session, record: Inspection) -> list[dict[str, Any]]:
    """The moves of a record, oldest first."""
    return history.read(session, record.id)


def may_see(book: str, session: Session, actor: Actor, record_id: UUID) -> bool:
    """For the subject registry."""
    try:
        visible(session, actor, book, record_id)
    except Problem:
        return False
    return True
