"""A rectification (整改) ordered from a check by one call."""

from dataclasses import replace
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from core.errors import Fault, Problem, Warned, invalid
from core.text import demanded
from enterprise.filings import operations as filings
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.models import Filing
from enterprise.filings.sides import access
from enterprise.production import publications
from enterprise.production.kinds.rectification import CANCELLED, KIND
from enterprise.queries import by_uscc
from inspection.kinds import CHECK
from inspection.models import Inspection
from inspection.records.access import get_readable
from inspection.records.content import subject_of
from inspection.workflows import SUBMITTED, VOIDED, WORKFLOWS


def order(
    session: Session, engine: Filings, actor: Actor, record_id: UUID, problem: str, due_on: str
) -> tuple[Filing, bool]:
    """Open a rectification for the enterprise of a submitted check; returns it and whether it is new.

    The filing's id follows from the check, its enterprise and the order, so that the same order sent again,
    by anybody, is answered with the first one; after a correction (更正) to another enterprise it is another order.
    409 `wrong_status` for a check that is a draft, or no longer counts.
    """
    record = get_readable(session, actor, CHECK, record_id)
    filing_id = uuid5(record.id, f"rectification:{record.uscc}:{due_on}:{problem}")
    if session.get(Filing, filing_id) is not None:
        return access.get_readable(session, engine, actor, filing_id), False
    _lock_submitted(session, record.id)
    # Once more under the lock: whoever held it may have given the same order.
    if session.get(Filing, filing_id, populate_existing=True) is not None:
        return access.get_readable(session, engine, actor, filing_id), False
    if record.uscc is None:
        raise invalid("/uscc", "no_uscc", "该检查没有统一社会信用代码，不能下达整改；请先更正检查记录，补上代码")
    if record.name_differs:
        message = "该检查的统一社会信用代码在名录中属于另一企业，不能下达整改；请先更正代码或企业名称"
        raise invalid("/uscc", "name_differs", message)
    problem = demanded(problem, "/problem", "请填写需要整改的问题")
    data = {"problem": problem, "due_on": due_on}
    if record.check_date is not None:
        data["check_date"] = record.check_date.isoformat()
    body = {"kind": "rectification", "uscc": record.uscc, "data": data, "documents": []}
    try:
        ordered, new = filings.save(session, engine, actor, filing_id, body, about=subject_of(CHECK, record.id))
    except Problem as refused:
        if refused.code == "invalid":
            raise Problem("invalid", errors=[_as_sent(fault) for fault in refused.errors]) from refused
        if refused.code != "id_taken":
            raise
        # Somebody else gave the same order at this very moment.
        return access.get_readable(session, engine, actor, filing_id), False
    publications.note_rectification(session, record.id, filing_id)
    return ordered, new


def may_order(session: Session, record: Inspection, actor: Actor) -> bool:
    """Whether the actor may order a rectification from a submitted check: one that found a problem, of an enterprise in
    the register of the own region."""
    if Verb.FILINGS_REVIEW not in actor.verbs or record.record_type != CHECK or not record.problems_found:
        return False
    if record.uscc is None or record.name_differs:
        return False
    enterprise = by_uscc(session, record.uscc)
    return enterprise is not None and actor.scope.contains(enterprise.area1, enterprise.area2, enterprise.area3)


def _lock_submitted(session: Session, record_id: UUID) -> None:
    """Lock the check, so that it is not voided (作废) meanwhile; 409 `wrong_status` for any other status."""
    locked = select(Inspection.status).where(Inspection.id == record_id).with_for_update(read=True)
    status = session.scalar(locked)
    if status != SUBMITTED:
        label = WORKFLOWS[CHECK].statuses.get(status or "", "")
        what = (
            "该检查已作废，不能据此下达整改" if status == VOIDED else f"该检查尚未提交（{label}），请先提交再下达整改"
        )
        raise Problem("wrong_status", what, current_status=status)


def refuse_while_open(session: Session, record_id: UUID) -> None:
    """409 while the enterprise still has to put right what a check found.

    The order is addressed to the enterprise, with a deadline of its own: whoever gave it cancels it first.
    """
    if open_ids := _open_rectifications(session, record_id):
        detail = "该检查已下达整改且尚未办结，请先由下达整改的单位办结或撤销整改，再作废检查记录"
        raise Problem("rectification_open", detail, rectifications=open_ids)


def has_open(session: Session, record_id: UUID) -> bool:
    """Whether the enterprise still has to put right what a check found."""
    return bool(_open_rectifications(session, record_id))


def warnings_of_other_enterprise(session: Session, record_id: UUID) -> list[Warned]:
    """A warning for a correction to another enterprise: a rectification stays with the one to which it was ordered."""
    if not _open_rectifications(session, record_id):
        return []
    message = "已据此检查对原企业下达整改且尚未办结，更正后不会随之撤销；下达有误的，请联系下达单位撤销整改"
    return [{"code": "rectification_open", "path": "/uscc", "message": message}]


def _open_rectifications(session: Session, record_id: UUID) -> list[str]:
    ordered = select(Filing.id).where(
        Filing.subject_id == record_id, Filing.kind == KIND.code, Filing.finished_at.is_(None)
    )
    return [str(found) for found in session.scalars(ordered.order_by(Filing.id))]


def warnings_of(ordered: Filing, *, new: bool) -> list[Warned]:
    """A warning where the same order was given and cancelled before: repeating it does not give it anew."""
    if new or ordered.status not in CANCELLED:
        return []
    message = "相同的整改已下达并撤销，本次未再下达；如需重新下达，请修改存在问题或整改期限后再提交"
    return [{"code": "order_cancelled", "message": message}]


def _as_sent(fault: Fault) -> Fault:
    """A fault of the filing with its path in the body of the order, whose fields do not stand under `data`."""
    return replace(fault, path=fault.path.removeprefix("/data"))
