"""Sending the working copy of a filing (提交): what is validated, what is frozen, and what would be said before."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import Fault, Problem, not_found
from core.forms.sealing import moved, readable, sealed
from core.forms.validation.check import Checked
from enterprise.filings.access import reading_side
from enterprise.filings.content import data_place, version_place
from enterprise.filings.kinds import ENTERPRISE, FilingKind, Filings
from enterprise.filings.models import Filing
from enterprise.filings.moves import find

_NOT_SAVED = Fault("/data", "not_saved", "填报内容还没有保存，请先保存后再提交")


def check_sending(session: Session, engine: Filings, actor: Actor, filing_id: UUID) -> list[Fault]:
    """What sending would say now of the saved working copy: all its faults; nothing is changed.

    Raises 404 for who may not read the filing, 403 for an office, 409 `wrong_status` where nothing can be sent now.
    """
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    kind = engine.kind_of(filing)
    if reading_side(actor, filing) != ENTERPRISE:
        raise Problem("forbidden")
    if not any(step.sends for step in kind.steps_of(ENTERPRISE, filing.status)):
        raise kind.wrong_status(filing.status)
    if not filing.saved:
        return [_NOT_SAVED]
    return _faults(session, engine, kind, filing)[2]


def validate(session: Session, engine: Filings, kind: FilingKind, filing: Filing) -> tuple[Checked, dict[str, Any]]:
    """Validate the working copy whole; 422 with all faults.

    Returns what the form found, and the data as it is stored.
    """
    if not filing.saved:
        raise Problem("invalid", errors=[_NOT_SAVED])
    checked, clear, faults = _faults(session, engine, kind, filing)
    if faults:
        raise Problem("invalid", errors=faults)
    form = engine.forms.get(filing.form_code, filing.form_version).form
    return checked, filing.data if checked.values == clear else sealed(form, checked.values, data_place(filing.id))


def _faults(
    session: Session, engine: Filings, kind: FilingKind, filing: Filing
) -> tuple[Checked, dict[str, Any], list[Fault]]:
    """What the form, the documents and the kind's own check say of the working copy, and its data in clear."""
    form = engine.forms.get(filing.form_code, filing.form_version).form
    today = clock.today()
    clear = readable(form, filing.data, data_place(filing.id), clear=True)
    checked = form.check(clear, submit=True, today=today)
    faults = [Fault(f"/data{fault.path}", fault.code, fault.message) for fault in checked.faults]
    present = {one["category"] for one in filing.documents}
    for document in kind.documents:
        needed = document.required == "always" or (document.required == "problems" and checked.problems_found)
        if needed and document.category.code not in present:
            faults.append(Fault("/documents", "required", f"请上传“{document.category.label}”"))
    if kind.check is not None:
        faults += kind.check(session, filing, checked.values, today)
    return checked, clear, faults


def version_row_of(filing: Filing, data: dict[str, Any], sent_at: datetime, actor: Actor | None) -> dict[str, Any]:
    """The row of `filing_versions` that freezes what is sent."""
    version_id = uuid4()
    frozen = moved(data, data_place(filing.id), version_place(version_id))
    return {
        "id": version_id, "filing_id": filing.id, "number": filing.sent + 1, "form_code": filing.form_code,
        "form_version": filing.form_version, "data": frozen, "documents": filing.documents,
        "sent_by": actor.user_id if actor else None, "operator_name": actor.operator_name if actor else None,
        "sent_at": sent_at,
    }  # fmt: skip


def as_sent(filing: Filing, data: dict[str, Any]) -> dict[str, Any]:
    """What changes on the filing when it is sent; `late` stays set once the filing was sent after its due day."""
    late = filing.due_on is not None and clock.today() > filing.due_on
    values = {"sent": filing.sent + 1, "sent_at": clock.now(), "late": late or filing.late}
    return values if data == filing.data else values | {"data": data}
