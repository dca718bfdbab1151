"""Writing, approving, issuing, serving and voiding law enforcement papers (执法文书).

Who prepares a paper approves none of it; an urgent check (紧急检查) is approved afterwards, any other before its day.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files import claiming
from assets.files.claiming import Claim
from assets.files.form_files import allowed_in_rows
from core import clock
from core.actor import Actor
from core.db import dialect_of, insert_into
from core.errors import Fault, Problem, invalid
from core.forms.form import Form
from core.forms.library import FormLibrary
from core.forms.sealing import opened, sealed
from core.forms.uploads import uploads_in
from core.text import clean, demanded
from core.workflows import history, idempotency, todos
from core.workflows.versions import refuse_stale
from enterprise.certificates.models import NumberSeries
from inspection.enforcement import officers, queries
from inspection.enforcement.content import content_digest, data_place, unlike, values_of
from inspection.enforcement.kinds import RECEIPT_FORM, PaperKind, kind_of
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.prefill import prefilled, registered
from inspection.enforcement.workflows import PAPER
from inspection.kinds import CHECK
from inspection.models import Inspection
from inspection.records import access

TODO_APPROVE, TODO_DUE, TODO_REJECTED = "enforcement_approval", "correction_due", "enforcement_rejected"
SUBJECT = "enforcement_paper"
_NEEDLESS = {
    "submit": "该文书无需审批，请直接出具", "issue": "该文书须经负责人审批，请提交审批", "serve": "该文书无需送达回证",
}  # fmt: skip
_PAST = "检查日期已过；确系紧急检查的，请选择“紧急检查”并说明情况，事后补批"
_SIGNERS = ("inspectors", "servers")
"""Groups of officers, each with the 执法证号."""


def save(
    session: Session, forms: FormLibrary, actor: Actor, paper_id: UUID, body: Mapping[str, Any]
) -> tuple[EnforcementPaper, bool]:
    """Save a draft; only its types are validated. Returns it and whether it is new."""
    there = queries.find(session, paper_id)
    if there is not None:
        queries.get_own(session, actor, paper_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"{SUBJECT}.save", paper_id, body)):
        return queries.get_own(session, actor, paper_id), False
    kind = kind_of(forms, body["kind"] if there is None else there.kind)
    if there is not None:
        refuse_stale(there.version, body)
    form = forms.get(kind.form).form
    check = _check_of(session, actor, body.get("inspection_id"))
    given = body.get("data") or {}
    known = registered(session, form, given) if there else prefilled(session, actor, form, given, check)
    checked = form.check(known, submit=False, today=clock.today())
    if checked.faults:
        raise Problem("invalid", errors=[fault.under("/data") for fault in checked.faults])
    inspection_id = check.id if check else (there.inspection_id if there else None)
    now = clock.now()
    values: dict[str, Any] = {
        "data": sealed(form, checked.values, data_place(paper_id)), "form_code": form.code,
        "form_version": form.version, "org_name": checked.values.get("org_name"), "inspection_id": inspection_id,
        "operator_name": actor.operator_name, "updated_at": now,
    }  # fmt: skip
    if there is None:
        area1, area2, area3 = actor.chain
        fresh = {
            "id": paper_id, "kind": kind.code, "office_id": actor.office_id, "office_name": actor.office_name,
            "area1": area1, "area2": area2, "area3": area3, "number": None, "receipt": None, "receipt_version": None,
            "created_by": actor.user_id, "decided": None, "due_on": None, "issued_on": None, "created_at": now,
            **values,
        }  # fmt: skip
        if not PAPER.enter(session, actor, "save", fresh, {"content": content_digest(paper_id, fresh)}):
            raise Problem("id_taken")
    else:
        _moved(session, actor, there, "save", values)
    _claim(session, actor, paper_id, form, checked.values)
    return queries.get_own(session, actor, paper_id), there is None


def act(
    session: Session, forms: FormLibrary, actor: Actor, paper_id: UUID, action: str, body: Mapping[str, Any]
) -> EnforcementPaper:
    """Take a step. Raises 409 `wrong_status` and `stale_version`, 403 for who may not, 422 with all faults."""
    paper = queries.get_readable(session, actor, paper_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"{SUBJECT}.{action}", paper_id, body)):
        # It may have waited for the very same step, which moved the paper meanwhile.
        return queries.get_readable(session, actor, paper_id)
    kind = kind_of(forms, paper.kind)
    PAPER.step(action, paper.status, actor)
    _refuse_unfit(kind, actor, paper, action)
    refuse_stale(paper.version, body)
    _STEPS[action](session, forms, actor, paper, kind, body)
    return queries.get_readable(session, actor, paper_id)


def _refuse_unfit(kind: PaperKind, actor: Actor, paper: EnforcementPaper, action: str) -> None:
    if action in ("approve", "reject"):
        if paper.created_by == actor.user_id:
            raise Problem("forbidden", "不能审批自己填报的文书，请由其他负责人审批")
    elif paper.office_id not in actor.offices:
        raise Problem("forbidden", "只能办理本机关的文书")
    needless = {"submit": not kind.approved, "issue": kind.approved, "serve": not kind.served}
    if needless.get(action):
        raise Problem("wrong_status", _NEEDLESS[action], current_status=paper.status)


def _submit(
    session: Session, forms: FormLibrary, actor: Actor, paper: EnforcementPaper, kind: PaperKind, _body: Any
) -> None:
    values, data = _complete(session, forms, actor, paper)
    day, urgent = date.fromisoformat(data["check_date"]), data.get("urgent")
    if not urgent and day < clock.today():
        raise invalid("/data/check_date", "out_of_range", _PAST)
    _moved(session, actor, paper, "submit", values)
    word = "（紧急检查，事后补批）" if urgent else ""
    todos.open_for_office(
        session, TODO_APPROVE, f"待审批：{kind.title}{word} {paper.org_name}", (SUBJECT, paper.id),
        verb=Verb.INSPECTION_APPROVE, office_id=paper.office_id, due_on=day, urgent=bool(urgent),
    )  # fmt: skip


def _approve(
    session: Session, _forms: FormLibrary, actor: Actor, paper: EnforcementPaper, kind: PaperKind,
    body: Mapping[str, Any],
) -> None:  # fmt: skip
    values = {**_numbered(session, paper, kind), "decided": _decision(actor, body, approved=True)}
    _moved(session, actor, paper, "approve", values)
    todos.close(session, paper.id, TODO_APPROVE)


def _reject(
    session: Session, _forms: FormLibrary, actor: Actor, paper: EnforcementPaper, kind: PaperKind,
    body: Mapping[str, Any],
) -> None:  # fmt: skip
    opinion = demanded(clean(body.get("comment") or "") or None, "/comment", "请填写不同意的理由")
    _moved(session, actor, paper, "reject", {"decided": _decision(actor, body, approved=False)})
    todos.close(session, paper.id, TODO_APPROVE)
    title = f"审批未通过：{kind.title} {paper.org_name}（{opinion}）"
    todos.open_for_user(session, TODO_REJECTED, title[:200], (SUBJECT, paper.id), user_id=paper.created_by)


def _withdraw(session: Session, _forms: Any, actor: Actor, paper: EnforcementPaper, _kind: Any, _body: Any) -> None:
    _moved(session, actor, paper, "withdraw", {})
    todos.close(session, paper.id, TODO_APPROVE)


def _issue(
    session: Session, forms: FormLibrary, actor: Actor, paper: EnforcementPaper, kind: PaperKind, _body: Any
) -> None:
    values, data = _complete(session, forms, actor, paper)
    due_on = date.fromisoformat(data[kind.due_from]) if kind.due_from and data.get(kind.due_from) else None
    if due_on is not None and due_on < clock.today():
        raise invalid(f"/data/{kind.due_from}", "out_of_range", "期限不能早于出具当日，请重新选择")
    _moved(session, actor, paper, "issue", {**values, **_numbered(session, paper, kind), "due_on": due_on})
    if due_on is not None:
        todos.open_for_office(
            session, TODO_DUE, f"责令改正期限届满，请复查：{paper.org_name}", (SUBJECT, paper.id),
            verb=Verb.INSPECTION_WRITE, office_id=paper.office_id, due_on=due_on,
        )  # fmt: skip


def _serve(
    session: Session, forms: FormLibrary, actor: Actor, paper: EnforcementPaper, _kind: PaperKind,
    body: Mapping[str, Any],
) -> None:  # fmt: skip
    form = forms.get(RECEIPT_FORM).form
    checked = form.check(body.get("data") or {}, submit=True, today=clock.today())
    faults = [fault.under("/data") for fault in checked.faults]
    data = checked.values
    faults += officers.filled_in(session, actor, data, _SIGNERS)
    if not faults and paper.issued_on is not None and date.fromisoformat(data["served_on"]) < paper.issued_on:
        faults.append(Fault("/data/served_on", "out_of_range", "送达日期不能早于文书出具日期，请核对后重新填写"))
    if faults:
        raise Problem("invalid", errors=faults)
    _moved(session, actor, paper, "serve", {"receipt": data, "receipt_version": form.version})


def _recheck(
    session: Session, _forms: Any, actor: Actor, paper: EnforcementPaper, _kind: Any, body: Mapping[str, Any]
) -> None:
    found = demanded(clean(body.get("comment") or "") or None, "/comment", "请填写复查情况")
    _moved(session, actor, paper, "recheck", {}, {"found": found})
    todos.close(session, paper.id, TODO_DUE)


def _void(
    session: Session, _forms: Any, actor: Actor, paper: EnforcementPaper, _kind: Any, body: Mapping[str, Any]
) -> None:
    reason = demanded(clean(body.get("comment") or "") or None, "/comment", "请填写作废原因")
    _moved(session, actor, paper, "void", {}, {"reason": reason})
    todos.close_all(session, paper.id)


def _delete(session: Session, _forms: Any, actor: Actor, paper: EnforcementPaper, _kind: Any, _body: Any) -> None:
    _moved(session, actor, paper, "delete", {})
    claiming.release(session, (SUBJECT, paper.id), frozenset())
    todos.close_all(session, paper.id)


_STEPS = {
    "submit": _submit, "approve": _approve, "reject": _reject, "withdraw": _withdraw, "issue": _issue,
    "serve": _serve, "recheck": _recheck, "void": _void, "delete": _delete,
}  # fmt: skip
ACTIONS = tuple(_STEPS)


def _complete(
    session: Session, forms: FormLibrary, actor: Actor, paper: EnforcementPaper
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of a paper that is whole, 执法证号 filled in, and its answers in clear; 422 with all faults."""
    form = forms.get(paper.form_code, paper.form_version).form
    checked = form.check(opened(paper.data, data_place(paper.id)), submit=True, today=clock.today())
    faults = [fault.under("/data") for fault in checked.faults]
    faults += officers.filled_in(session, actor, checked.values, _SIGNERS)
    if faults:
        raise Problem("invalid", errors=faults)
    return {"data": sealed(form, checked.values, data_place(paper.id))}, checked.values


def _numbered(session: Session, paper: EnforcementPaper, kind: PaperKind) -> dict[str, Any]:
    """The next number by office, year and kind: 天宁区市监责改〔2026〕1号. Given with the step, so without gaps."""
    today = clock.today()
    stem = f"{paper.office_name.replace('市场监督管理局', '市监')}{kind.mark}〔{today.year}〕"
    fresh = insert_into(dialect_of(session), NumberSeries).values(series=f"le.{paper.office_id.hex}", stem=stem, last=1)
    counted = fresh.on_conflict_do_update(index_elements=["series", "stem"], set_={"last": NumberSeries.last + 1})
    running = session.scalars(counted.returning(NumberSeries.last)).one()
    return {"number": f"{stem}{running}号", "issued_on": today}


def _moved(
    session: Session, actor: Actor, paper: EnforcementPaper, action: str, values: Mapping[str, Any],
    payload: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    marked = history.marked(unlike(session, paper))
    said = {**(payload or {}), **marked, "content": content_digest(paper.id, {**values_of(paper), **values})}
    PAPER.move(session, actor, paper, action, {"updated_at": clock.now(), **values}, said)


def _decision(actor: Actor, body: Mapping[str, Any], *, approved: bool) -> dict[str, Any]:
    return {
        "at": clock.rfc3339(clock.now()), "by": actor.operator_name or actor.username, "office": actor.office_name,
        "approved": approved, "opinion": clean(body.get("comment") or "") or ("同意" if approved else None),
    }  # fmt: skip


def _check_of(session: Session, actor: Actor, inspection_id: Any) -> Inspection | None:
    if inspection_id is None:
        return None
    return access.get_readable(session, actor, CHECK, UUID(str(inspection_id)))


def _claim(session: Session, actor: Actor, paper_id: UUID, form: Form, data: Mapping[str, Any]) -> None:
    wanted = [Claim(one.item.name, one.file_id, f"/data{one.path}") for one in uploads_in(form, data)]
    if not form.files:
        return
    faults = claiming.claim(session, actor.user_id, (SUBJECT, paper_id), wanted, allowed_in_rows(form))
    if faults:
        raise Problem("invalid", errors=faults)
    claiming.release(session, (SUBJECT, paper_id), frozenset(one.file_id for one in wanted))
