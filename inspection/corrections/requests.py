"""Applications for a correction (更正申请): the owner sends how a record should read, and a superior decides.

What is applied for is validated when it is sent, and again when it is approved; then the record says exactly that.
Refusals come in the order of the HTTP contract §1.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Problem, invalid, not_found
from core.forms.sealing import readable
from core.text import demanded
from core.workflows import idempotency, todos
from core.workflows.versions import refuse_stale
from inspection.corrections import correcting, request_queries
from inspection.corrections.authority import refuse_to_ask, refuse_to_decide
from inspection.corrections.changes import mark_of, text_of
from inspection.corrections.correction_todos import (
    TODO_ASKED,
    TODO_REJECTED,
    open_todo_for_owner,
    open_todo_for_superior,
)
from inspection.corrections.request_queries import is_for
from inspection.models import AREAS, CorrectionRequest, Inspection
from inspection.records.access import get_readable, refuse_unsubmitted
from inspection.records.content import answers_place, request_place
from inspection.records.differences import Content, differences
from inspection.submissions.validation import Tools
from inspection.workflows import PENDING, REJECTED, REQUEST, WORKFLOWS

QUESTIONS = ("confirm_duplicate", "confirm_name")


def apply_for_correction(
    session: Session, tools: Tools, actor: Actor, record_type: str, record_id: UUID, body: Mapping[str, Any]
) -> tuple[CorrectionRequest, bool]:
    """Apply for a correction; returns the application and whether it is new. One that is pending gives way to it.

    Its id follows from what was sent, so that the same sent again is answered with the first one.
    """
    record = get_readable(session, actor, record_type, record_id)
    key = idempotency.key(actor.user_id, f"{record_type}.ask_correction", record_id, body)
    request_id = uuid5(record_id, key.hex())
    if not idempotency.claim(session, key):
        return session.get_one(CorrectionRequest, request_id, populate_existing=True), False
    record = _locked(session, actor, record)
    refuse_unsubmitted(record)
    WORKFLOWS[record_type].step("correct", record.status, actor)
    refuse_to_ask(session, record, actor)
    refuse_stale(record.version, body)
    reason = demanded(text_of(body), "/reason", "请填写更正原因，说明原来为什么填错")
    validated = correcting.validate_correction(session, tools, actor, record, body)
    if validated.columns["sheet_key"] != record.sheet_key:
        validated.sheet_number.refuse_taken(session, record_id)
    own = answers_place(record_id)
    before = Content(record.form_code, record.form_version, record.product_code, record.data, own)
    asked = Content(
        validated.form.code, validated.form.version, validated.columns["product_code"], validated.columns["data"], own
    )
    if not differences(tools.forms, before, asked, clear=False):
        raise invalid("", "no_difference", "申请的内容与现有记录相同，请修改需要更正的项目后再提交")
    pending = pending_of(session, record_id)
    if pending is not None:
        _move(session, actor, pending, "withdraw")
    forget_refusals(session, record)
    now = clock.now()
    values = {
        "id": request_id, "inspection_id": record_id, "base_version": record.version, "level": record.level,
        "office_id": record.office_id, "area1": record.area1, "area2": record.area2, "area3": record.area3,
        "requested_by": actor.user_id, "requested": mark_of(actor, now), "reason": reason,
        "before": before.stored_in(request_place(request_id, "before")),
        "asked": asked.stored_in(request_place(request_id, "asked")),
        "confirmed": [name for name in QUESTIONS if body.get(name) is True],
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    REQUEST.enter(session, actor, "ask", values, {"reason": reason, "record": str(record_id)})
    open_todo_for_superior(
        session, record, TODO_ASKED, f"待审核更正申请：{record.org_name}（{reason}）", _subject(request_id)
    )
    return session.get_one(CorrectionRequest, request_id), True


def approve(
    session: Session, tools: Tools, actor: Actor, request_id: UUID, body: Mapping[str, Any]
) -> CorrectionRequest:
    """Accept an application: the record says what was applied for, with its owner as author and who approved it."""
    request, record, fresh = _to_decide(session, actor, request_id, "approve", body)
    if not fresh:
        return request
    if record.version != request.base_version:
        detail = (
            "申请提交后，该记录又有变更（处置、更正或退回），不能再按原申请采纳；"
            "请驳回本申请并说明情况，由填报人按最新内容重新申请"
        )
        raise Problem("stale_version", detail, current_version=record.version)
    asked = Content.of(request.asked, request_place(request_id, "asked"))
    form = tools.forms.get(asked.form_code, asked.form_version).form
    clear = readable(form, asked.data, asked.where, clear=True)
    confirmed = {name: True for name in QUESTIONS if name in request.confirmed or body.get(name) is True}
    named = {"kind": asked.form_code, "form_version": asked.form_version, "product_code": asked.product_code}
    validated = correcting.validate_correction(session, tools, actor, record, {**clear, **named, **confirmed})
    decider = mark_of(actor, clock.now())
    author = {
        **request.requested, "at": decider["at"], "approved_by": decider["by"], "approved_office": decider["office"],
    }  # fmt: skip
    said = {"author": request.requested["by"], "request": str(request.id)}
    correcting.store_correction(session, actor, record, validated, request.reason, author, said)
    return _move(session, actor, request, "approve", {"decided": {**decider, "opinion": None}})


def reject(session: Session, actor: Actor, request_id: UUID, body: Mapping[str, Any]) -> CorrectionRequest:
    """Reject an application with an opinion, which opens a to-do for its owner."""
    request, record, fresh = _to_decide(session, actor, request_id, "reject", body)
    if not fresh:
        return request
    opinion = demanded(text_of(body, "opinion"), "/opinion", "请填写驳回意见，说明不予采纳的理由")
    decided = {**mark_of(actor, clock.now()), "opinion": opinion}
    request = _move(session, actor, request, "reject", {"decided": decided}, {"opinion": opinion})
    title = f"更正申请未采纳：{record.org_name}（{opinion}）"
    open_todo_for_owner(session, record, TODO_REJECTED, title, _subject(request_id))
    return request


def withdraw(session: Session, actor: Actor, request_id: UUID) -> CorrectionRequest:
    """Take an application back before it was decided."""
    return _by_who_asked(session, actor, request_id, "withdraw")


def read(session: Session, actor: Actor, request_id: UUID) -> CorrectionRequest:
    """Confirm having read why the own application was rejected: closes its to-do."""
    return _by_who_asked(session, actor, request_id, "read")


def lapse(session: Session, record: Inspection) -> None:
    """Close the application about a record that was voided."""
    pending = pending_of(session, record.id)
    if pending is not None:
        _move(session, None, pending, "lapse")
    forget_refusals(session, record)


def forget_refusals(session: Session, record: Inspection) -> None:
    """Close the to-dos of earlier refusals: the owner applied anew, or the record was returned or voided."""
    # By the index on the area: there is none on the record.
    place = [getattr(CorrectionRequest, area) == getattr(record, area) for area in AREAS]
    refused = select(CorrectionRequest.id).where(
        *place, CorrectionRequest.inspection_id == record.id, CorrectionRequest.status == REJECTED
    )
    for request_id in session.scalars(refused).all():
        todos.close(session, request_id, TODO_REJECTED)


def pending_of(session: Session, record_id: UUID) -> CorrectionRequest | None:
    """The application about a record that nobody has decided yet; there is one at most."""
    undecided = select(CorrectionRequest).where(
        CorrectionRequest.inspection_id == record_id, CorrectionRequest.status == PENDING
    )
    return session.scalar(undecided.execution_options(populate_existing=True))


def _subject(request_id: UUID) -> tuple[str, UUID]:
    return (REQUEST.subject_type, request_id)


def _locked(session: Session, actor: Actor, record: Inspection) -> Inspection:
    """The record, locked until the end, so that it is not voided, returned or applied for meanwhile."""
    session.execute(select(Inspection.id).where(Inspection.id == record.id).with_for_update())
    return get_readable(session, actor, record.record_type, record.id)


def _to_decide(
    session: Session, actor: Actor, request_id: UUID, action: str, body: Mapping[str, Any]
) -> tuple[CorrectionRequest, Inspection, bool]:
    """The application and its record, and whether to go on; False: the call repeats one that was accepted."""
    # The application is not locked yet: everywhere the tally is locked first, then the record, then the application.
    request_queries.get_readable(session, actor, request_id)
    fresh = idempotency.claim(session, idempotency.key(actor.user_id, f"correction_request.{action}", request_id, body))
    request = request_queries.get_readable(session, actor, request_id)
    record = session.get_one(Inspection, request.inspection_id, populate_existing=True)
    if not fresh:
        return request, record, False
    REQUEST.step(action, request.status, actor)
    refuse_to_decide(session, record, actor, asked_by=request.requested_by)
    return request, record, True


def _by_who_asked(session: Session, actor: Actor, request_id: UUID, action: str) -> CorrectionRequest:
    request = request_queries.get_readable(session, actor, request_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"correction_request.{action}", request_id, {})):
        return request_queries.get_readable(session, actor, request_id)
    REQUEST.step(action, request.status, actor)
    if not is_for(session, request, actor):
        raise Problem("forbidden", "只有申请人可以执行该操作；申请人已离开的，由本单位同事办理")
    return _move(session, actor, request, action)


def _move(
    session: Session,
    actor: Actor | None,
    request: CorrectionRequest,
    action: str,
    values: Mapping[str, Any] | None = None,
    said: Mapping[str, Any] | None = None,
) -> CorrectionRequest:
    REQUEST.move(session, actor, request, action, {"updated_at": clock.now(), **(values or {})}, said)
    todos.close_all(session, request.id)
    found = session.get(CorrectionRequest, request.id, populate_existing=True)
    if found is None:
        raise not_found()
    return found
