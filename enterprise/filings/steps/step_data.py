"""What a step says besides a comment (环节表单): a form and documents of its own.

They are checked like any form, all faults at once, kept as they were sent, and shown to those whom the step names.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from assets.files import claiming
from assets.files.claiming import Claim
from assets.files.form_files import allowed_in_rows
from assets.files.purposes import categories
from core import clock
from core.errors import Fault
from core.forms.sealing import readable, sealed
from core.forms.uploads import ids_in, uploads_in
from core.forms.validation.messages import UNKNOWN_ITEM
from enterprise.catalogues.words import CatalogueWords
from enterprise.filings.content import step_digest, step_place
from enterprise.filings.declaring.declarations import APPLICANT, Move, Step
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.working_copy import parse_documents
from enterprise.filings.models import Filing, FilingStep
from enterprise.filings.sides.access import Standing


def fill(move: Move, body: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[Fault]]:
    """Check what the body says for the step's own form and documents; `move.data` holds it in clear afterwards.

    Returns the row to keep (None: the step has neither), and the faults. Nothing is written but claims of files.
    """
    step, filing = move.step, move.filing
    if step.form is None and not step.documents:
        asked = frozenset({"due_on"} if step.asks_back else ())
        unknown = set(body.get("data") or {}) - asked
        return None, [Fault(f"/data/{name}", "unknown_item", UNKNOWN_ITEM) for name in sorted(unknown)[:50]]
    row: dict[str, Any] = {
        "id": uuid4(), "filing_id": filing.id, "action": step.action, "form_code": None, "form_version": None,
        "data": {}, "documents": [], "by_code": move.by.code,
        "taken_by": move.actor.user_id if move.actor else None,
        "operator_name": move.actor.operator_name if move.actor else None,
        "office_name": move.actor.office_name if move.actor else None, "taken_at": move.now,
    }  # fmt: skip
    faults: list[Fault] = []
    form, in_data = None, list[Claim]()
    if step.form is not None:
        form = move.engine.forms.get(step.form).form
        checked = form.check(
            body.get("data") or {}, submit=True, today=clock.today(), words=CatalogueWords(move.session)
        )
        move.data = checked.values
        faults += [fault.under("/data") for fault in checked.faults]
        row |= {
            "form_code": form.code, "form_version": form.version,
            "data": sealed(form, checked.values, step_place(row["id"])),
        }  # fmt: skip
        in_data = [Claim(one.item.name, one.file_id, f"/data{one.path}") for one in uploads_in(form, checked.values)]
    allowed = {
        **(allowed_in_rows(form) if form is not None else {}),
        **categories(*(d.category for d in step.documents)),
    }
    documents, of_documents = parse_documents(body.get("documents") or [])
    present = {one.category for one in documents}
    of_documents += [
        Fault("/documents", "required", f"请上传“{document.category.label}”")
        for document in step.documents
        if document.required == "always" and document.category.code not in present
    ]
    wanted = [*documents, *in_data]
    if wanted and not of_documents and move.actor is not None:
        of_documents = claiming.claim(move.session, move.actor.user_id, ("filing", filing.id), wanted, allowed)
    row["documents"] = [{"category": one.category, "file_id": str(one.file_id)} for one in documents]
    return row, [*faults, *of_documents]


def told(row: Mapping[str, Any]) -> dict[str, str]:
    """What the history says of a row that is kept."""
    return {"step_data": str(row["id"]), "step_content": step_digest(row)}


def keep(session: Session, row: Mapping[str, Any]) -> None:
    """Keep what a step said that was taken."""
    session.execute(insert(FilingStep).values(**row))


def rows_of(session: Session, kind: FilingKind, filing_id: UUID, stands: Standing | None) -> list[FilingStep]:
    """What the steps of a filing said, as far as it is shown to somebody, oldest first; at most the last 200."""
    if stands is None or not kind.has_step_data:
        return []
    found = session.scalars(
        select(FilingStep).where(FilingStep.filing_id == filing_id).order_by(FilingStep.number.desc()).limit(200)
    ).all()
    return [row for row in reversed(found) if _is_shown(kind, row.action, stands)]


def _is_shown(kind: FilingKind, action: str, stands: Standing) -> bool:
    """Whether one of the steps of that action is shown to them: to all who read the filing, unless it says to whom."""
    return any(_shows(step, stands) for step in kind.steps if step.action == action)


def _shows(step: Step, stands: Standing) -> bool:
    if step.shown_to is None or stands.is_one_of(step.takers) or stands.is_one_of(tuple(step.shown_to)):
        return True
    return stands.own and APPLICANT in step.shown_to


def answers(engine: Filings, kind: FilingKind, rows: Iterable[FilingStep], filing: Filing) -> list[dict[str, Any]]:
    """What steps said, as it is answered; personal data is masked once the filing is finished."""
    labels = {step.action: step.label for step in kind.steps}
    found = []
    for row in rows:
        data: dict[str, Any] = {}
        form = None
        if row.form_code is not None and row.form_version is not None:
            form = engine.forms.get(row.form_code, row.form_version).form
            data = readable(form, row.data, step_place(row.id), clear=filing.finished_at is None)
        found.append({
            "action": row.action,
            "label": labels.get(row.action, row.action),
            "by": row.by_code,
            "office_name": row.office_name,
            "operator_name": row.operator_name,
            "taken_at": clock.rfc3339(row.taken_at),
            "form": {"code": form.code, "version": form.version, "title": form.title} if form else None,
            "data": data,
            "documents": row.documents,
        })  # fmt: skip
    return found


def files_of(session: Session, kind: FilingKind, filing_id: UUID, stands: Standing) -> set[UUID]:
    """The files of steps that are shown to somebody."""
    rows = rows_of(session, kind, filing_id, stands)
    return _files_in(rows)


def all_files(session: Session, kind: FilingKind, filing_id: UUID) -> set[UUID]:
    """The files of all steps, whomever they are shown to."""
    if not kind.has_step_data:
        return set()
    return _files_in(session.scalars(select(FilingStep).where(FilingStep.filing_id == filing_id)).all())


def _files_in(rows: Sequence[FilingStep]) -> set[UUID]:
    documents = {UUID(one["file_id"]) for row in rows for one in row.documents}
    return documents.union(*(ids_in(row.data) for row in rows))
