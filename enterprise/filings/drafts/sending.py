"""Sending the working copy of a filing (提交): what is validated, what is frozen, and what would be said before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.deadlines import clocks
from core.errors import Fault, Problem, not_found
from core.forms.sealing import moved, readable, sealed
from enterprise.catalogues.words import CatalogueWords
from enterprise.filings.clocks.time_limits import as_it_stands
from enterprise.filings.content import CONTENT, data_place, version_place
from enterprise.filings.declaring.declarations import Move
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.locks import holds, is_demanded
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.results import outcomes, rows
from enterprise.filings.sides.access import demanded_standing

_NOT_SAVED = Fault("/data", "not_saved", "填报内容还没有保存，请先保存后再提交")


def check_sending(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID
) -> tuple[list[Fault], Mapping[str, str]]:
    """What sending would say now of the saved working copy: all its faults, and the pointer and printed text of what it
    would owe (容缺); nothing is changed.

    Raises 404 for who may not read the filing, 403 for who may not send it, 409 `wrong_status` where nothing can be
    sent now.
    """
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    kind = engine.kind_of(filing)
    stands = demanded_standing(session, engine, actor, filing)
    filing = as_it_stands(kind, filing, clocks.of(session, [filing.id]).get(filing.id, {}) if kind.clocks else {})
    sending = [step for step in kind.steps if step.sends and step.source == filing.status]
    step = next((step for step in sending if step.falls_to(stands.codes)), None)
    by = step.falls_to(stands.codes) if step is not None else None
    if step is None or by is None:
        raise kind.wrong_status(filing.status) if stands.own else Problem("forbidden")
    if not filing.saved:
        return [_NOT_SAVED], {}
    move = Move(session, engine, filing, actor, by, step, {}, clock.now())
    _, faults = _faults(move)
    return faults, move.owed


def validate(move: Move) -> dict[str, Any]:
    """Validate the working copy whole; 422 with all faults. Returns the data as it is stored.

    What the form found and the data in clear stand in the move afterwards.
    """
    filing = move.filing
    if not filing.saved:
        raise Problem("invalid", errors=[_NOT_SAVED])
    clear, faults = _faults(move)
    if faults:
        raise Problem("invalid", errors=faults)
    if move.data == clear:
        return filing.data
    form = move.engine.forms.get(filing.form_code, filing.form_version).form
    return sealed(form, move.data, data_place(filing.id))


def _faults(move: Move) -> tuple[dict[str, Any], list[Fault]]:
    """The working copy in clear, and what the form, the documents and the kind's own check say of it."""
    filing, kind = move.filing, move.engine.kind_of(move.filing)
    form = move.engine.forms.get(filing.form_code, filing.form_version).form
    clear = readable(form, filing.data, data_place(filing.id), clear=True)
    checked = form.check(clear, submit=True, today=clock.today(), words=CatalogueWords(move.session))
    move.found, move.data = checked, checked.values
    faults = [fault.under("/data") for fault in checked.faults]
    move.owed = {f"/data{path}": wording for path, wording in checked.owed.items()}
    present = {one["category"] for one in filing.documents}
    for document in kind.documents:
        code, label = document.category.code, document.category.label
        demanded = is_demanded(document, form, filing, checked.values, problems=checked.problems_found)
        if not demanded or code in present:
            continue
        if document.owed_when is not None and holds(form, document.owed_when, checked.values):
            move.owed[f"/documents/{code}"] = label
        else:
            faults.append(Fault("/documents", "required", f"请上传“{label}”"))
    if kind.status(filing.status).demands_owed:
        faults += [
            Fault(path if path.startswith("/data") else "/documents", "required", f"请补交“{wording}”")
            for path, wording in move.owed.items()
        ]
    faults += rows.faults(move, kind)
    if kind.check is not None:
        faults += kind.check(move)
    if not checked.faults:
        faults += outcomes.drawing_faults(kind, move)
    return clear, faults


def owed(move: Move) -> dict[str, str]:
    """What the filing owes as it was sent last, for hooks of later steps: pointer and printed text (容缺)."""
    asked = replace(move, data={}, owed={})
    _faults(asked)
    return asked.owed


@dataclass(frozen=True, slots=True)
class Tried:
    """When a sending was tried first: as the server knows (`tries.py`), and as the phone says."""

    at: datetime | None = None
    by_phone: datetime | None = None


NOT_TRIED = Tried()
_PHONE_REMEMBERS = timedelta(days=60)


def phone_says(body: Mapping[str, Any]) -> datetime | None:
    """The phone's time of its first try (`first_tried_at`), as far as it can be true: a phone's clock may be wrong.

    It decides nothing, so that a wrong one is left out and refuses nothing.
    """
    sent, now = body.get("first_tried_at"), clock.now()
    return sent if isinstance(sent, datetime) and now - _PHONE_REMEMBERS < sent <= now else None


def version_row_of(
    filing: Filing, data: dict[str, Any], sent_at: datetime, actor: Actor | None, tried: Tried
) -> dict[str, Any]:
    """The row of `filing_versions` that freezes what is sent."""
    version_id = uuid4()
    frozen = moved(data, data_place(filing.id), version_place(version_id))
    return {
        "id": version_id, "filing_id": filing.id, "number": filing.sent + 1, "form_code": filing.form_code,
        "form_version": filing.form_version, "data": frozen, "documents": filing.documents,
        "sent_by": actor.user_id if actor else None, "operator_name": actor.operator_name if actor else None,
        "sent_at": sent_at, "tried_at": tried.at, "phone_tried_at": tried.by_phone,
        "due_on": filing.due_on_before_outage or filing.due_on,
    }  # fmt: skip


def as_sent(filing: Filing, data: dict[str, Any], tried: Tried) -> dict[str, Any]:
    """What changes on the filing when it is sent; `late` stays set once the filing was sent after its due day.

    The day on which it was sent is that of the first try that reached the server.
    """
    day = (tried.at or clock.now()).astimezone(clock.LOCAL).date()
    late = filing.due_on is not None and day > filing.due_on
    values = {"sent": filing.sent + 1, "sent_at": clock.now(), "late": late or filing.late}
    return values if data == filing.data else values | {"data": data}


def sent_last(session: Session, kind: FilingKind, filing: Filing) -> dict[str, Any]:
    """The working copy as it was sent last; 409 for a filing that never was."""
    newest = (FilingVersion.filing_id == filing.id) & (FilingVersion.number == filing.sent)
    columns = (getattr(FilingVersion, name) for name in CONTENT)
    row = session.execute(select(FilingVersion.id, *columns).where(newest)).first()
    if row is None:
        raise kind.wrong_status(filing.status)
    version_id, *content = row
    sent = dict(zip(CONTENT, content, strict=True))
    return {**sent, "data": moved(sent["data"], version_place(version_id), data_place(filing.id))}
