"""Applications for corrections (更正申请), as applicants and superiors read them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import User, UserStatus
from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.errors import Problem, not_found
from core.forms.library import FormLibrary
from core.forms.sealing import readable
from enterprise.products import PRODUCTS
from inspection.corrections.authority import TOPMOST, works_at
from inspection.models import CorrectionRequest, Inspection
from inspection.records.content import request_place, subject_of
from inspection.records.differences import Content, differences
from inspection.workflows import PENDING, REJECTED

R = CorrectionRequest
NEWEST = newest_first("correction_requests", R.created_at, R.id)


def requests(session: Session, actor: Actor, status: str | None, request: PageRequest) -> Page:
    """Those the actor sent, took over or may decide, newest first; rows for `row_as_json`."""
    conditions = [actor.scope.condition(R), _readable(actor)]
    if status is not None:
        conditions.append(R.status == status)
    both = select(R, Inspection).join(Inspection, Inspection.id == R.inspection_id)
    return fetch(session, both, NEWEST, request, *conditions)


def _readable(actor: Actor) -> ColumnElement[bool]:
    """Own ones, those of a colleague who has left, and those that the actor may decide (`authority.may_decide`)."""
    there = exists().where(
        User.id == R.requested_by, User.status == UserStatus.ACTIVE.value, User.office_id.in_(actor.offices)
    )
    above = [
        actor.scope.strictly_above_condition(R),
        R.office_id.in_(offices.below(actor.office_id)),
        and_(R.level.in_(TOPMOST), R.office_id.in_(actor.offices)),
    ]
    return or_(R.requested_by == actor.user_id, and_(R.office_id.in_(actor.offices), ~there), *above)


def is_for(session: Session, request: CorrectionRequest, actor: Actor) -> bool:
    """Whether the application is the actor's own, or of a colleague who has left."""
    if request.requested_by == actor.user_id:
        return True
    return request.office_id in actor.offices and not works_at(session, request.requested_by, request.office_id)


def get_readable(session: Session, actor: Actor, request_id: UUID) -> CorrectionRequest:
    """One application; 404 if it is not there or the actor may not read it."""
    found = session.scalar(
        select(R).where(R.id == request_id, actor.scope.condition(R), _readable(actor)),
        execution_options={"populate_existing": True},
    )
    if found is None:
        raise not_found()
    return found


def may_read(session: Session, actor: Actor, request_id: UUID) -> bool:
    """For the subject registry."""
    try:
        get_readable(session, actor, request_id)
    except Problem:
        return False
    return True


def row_as_json(row: Any, session: Session, actor: Actor) -> dict[str, Any]:
    """An application in a list."""
    return _shown(session, row.CorrectionRequest, row.Inspection, actor)


def _shown(session: Session, request: CorrectionRequest, record: Inspection, actor: Actor) -> dict[str, Any]:
    own = is_for(session, request, actor)
    # What a colleague at the topmost level left is decided there too.
    decides = not own or (request.level in TOPMOST and request.requested_by != actor.user_id)
    actions = {PENDING: ["approve", "reject"] if decides else ["withdraw"], REJECTED: ["read"] if own else []}
    return {
        "id": str(request.id),
        "status": request.status,
        "version": request.version,
        "record": {
            "id": str(record.id),
            "type": subject_of(record.record_type, record.id)[0],
            "kind": record.kind,
            "product_code": record.product_code,
            "product_name": PRODUCTS[record.product_code].name,
            "org_name": record.org_name,
            "check_date": record.check_date.isoformat() if record.check_date else None,
            "office": {"id": str(record.office_id), "name": record.office_name},
            "status": record.status,
            "version": record.version,
        },
        "base_version": request.base_version,
        "outdated": request.status == PENDING and request.base_version != record.version,
        "reason": request.reason,
        "requested": request.requested,
        "decided": request.decided,
        "actions": actions.get(request.status, []),
        "created_at": clock.rfc3339(request.created_at),
        "updated_at": clock.rfc3339(request.updated_at),
    }


def request_answer(session: Session, request: CorrectionRequest, actor: Actor, forms: FormLibrary) -> dict[str, Any]:
    """A whole application: both versions beside each other, and the places at which they differ.

    Telephone numbers are clear for the office of the record until it is decided.
    """
    record = session.get_one(Inspection, request.inspection_id)
    clear = request.office_id in actor.offices and request.status == PENDING
    before, asked = (
        Content.of(stored, request_place(request.id, column))
        for column, stored in (("before", request.before), ("asked", request.asked))
    )
    return {
        **_shown(session, request, record, actor),
        "confirmed": request.confirmed,
        "before": _content(before, forms, clear=clear),
        "after": _content(asked, forms, clear=clear),
        "differences": differences(forms, before, asked, clear=clear),
    }


def _content(content: Content, forms: FormLibrary, *, clear: bool) -> dict[str, Any]:
    form = forms.get(content.form_code, content.form_version).form
    return {
        **readable(form, content.data, content.where, clear=clear),
        "form_code": content.form_code,
        "form_version": content.form_version,
        "product_code": content.product_code,
    }
