"""What is read of law enforcement papers: drafts by their office, the rest by every office above it too."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files.models import File
from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.errors import not_found
from core.forms.library import FormLibrary
from core.forms.sealing import opened
from inspection.enforcement import steps
from inspection.enforcement.content import data_place
from inspection.enforcement.kinds import RECEIPT_FORM, PaperKind, kinds
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.workflows import DELETED, DRAFT, PAPER, STATUSES

_NEWEST = newest_first("enforcement_papers", EnforcementPaper.updated_at, EnforcementPaper.id)
READERS = (Verb.INSPECTION_READ, Verb.INSPECTION_APPROVE)


def find(session: Session, paper_id: UUID) -> EnforcementPaper | None:
    """The paper as it stands now, whoever asks."""
    return session.get(EnforcementPaper, paper_id, populate_existing=True)


def get_readable(session: Session, actor: Actor, paper_id: UUID) -> EnforcementPaper:
    """The paper; 404 where there is none that the actor may read."""
    paper = find(session, paper_id)
    if paper is None or not _may_read(actor, paper):
        raise not_found()
    return paper


def get_own(session: Session, actor: Actor, paper_id: UUID) -> EnforcementPaper:
    """A paper of the actor's office; 404 for any other."""
    paper = find(session, paper_id)
    if paper is None or paper.status == DELETED or paper.office_id not in actor.offices:
        raise not_found()
    return paper


def may_read(session: Session, actor: Actor, paper_id: UUID) -> bool:
    """For the subject registry."""
    paper = find(session, paper_id)
    return paper is not None and _may_read(actor, paper)


def may_fetch(session: Session, actor: Actor, paper_id: UUID, _file_id: UUID) -> bool:
    """The same for the files of a paper."""
    return may_read(session, actor, paper_id)


def _may_read(actor: Actor, paper: EnforcementPaper) -> bool:
    if paper.status == DELETED:
        return False
    own = paper.office_id in actor.offices
    return own or (paper.status != DRAFT and actor.scope.contains(paper.area1, paper.area2, paper.area3))


def papers(
    session: Session, actor: Actor, kind: str | None, status: str | None, inspection_id: UUID | None, q: str | None,
    request: PageRequest,
) -> Page:  # fmt: skip
    """The papers of the own office and of those below, what was worked on last first."""
    shown = or_(EnforcementPaper.office_id.in_(actor.offices), EnforcementPaper.status != DRAFT)
    conditions: list[ColumnElement[bool]] = [
        EnforcementPaper.status != DELETED, actor.scope.condition(EnforcementPaper), shown,
    ]  # fmt: skip
    if kind is not None:
        conditions.append(EnforcementPaper.kind == kind)
    if status is not None:
        conditions.append(EnforcementPaper.status == status)
    if inspection_id is not None:
        conditions.append(EnforcementPaper.inspection_id == inspection_id)
    if q:
        conditions.append(EnforcementPaper.org_name.like(like_pattern(q), escape="\\"))
    return fetch(session, select(EnforcementPaper), _NEWEST, request, *conditions)


def row_answer(forms: FormLibrary, actor: Actor, paper: EnforcementPaper) -> dict[str, Any]:
    """A paper in a list, with what the caller may do now."""
    kind = kinds(forms).get(paper.kind) or PaperKind(paper.kind, paper.kind, paper.form_code)
    return {
        "id": str(paper.id), "kind": paper.kind, "title": kind.title, "status": paper.status,
        "status_label": STATUSES[paper.status], "version": paper.version, "number": paper.number,
        "org_name": paper.org_name, "office": {"id": str(paper.office_id), "name": paper.office_name},
        "inspection_id": str(paper.inspection_id) if paper.inspection_id else None,
        "due_on": paper.due_on.isoformat() if paper.due_on else None,
        "issued_on": paper.issued_on.isoformat() if paper.issued_on else None,
        "updated_at": clock.rfc3339(paper.updated_at), "actions": _actions(actor, paper, kind),
    }  # fmt: skip


def whole_answer(forms: FormLibrary, actor: Actor, paper: EnforcementPaper) -> dict[str, Any]:
    """A whole paper, with the words of what may be done with it."""
    row = row_answer(forms, actor, paper)
    kind = kinds(forms).get(paper.kind) or PaperKind(paper.kind, paper.kind, paper.form_code)
    return {
        **row,
        "steps": steps.offered(row["actions"]), "standing": steps.standing(paper, kind),
        "prints": steps.prints(paper, kind.title), 
        "receipt_form": {"code": RECEIPT_FORM, "version": paper.receipt_version} if paper.receipt_version else None,
        "form_code": paper.form_code, "form_version": paper.form_version,
        "data": opened(paper.data, data_place(paper.id)),
        "receipt": paper.receipt,
        "decided": paper.decided, "operator_name": paper.operator_name,
    }  # fmt: skip


def _actions(actor: Actor, paper: EnforcementPaper, kind: PaperKind) -> list[str]:
    own = paper.office_id in actor.offices
    needless = {"submit": not kind.approved, "issue": kind.approved, "serve": not kind.served}
    found = [one for one in PAPER.actions(paper.status, actor.verbs) if not needless.get(one)]
    deciding = ("approve", "reject")
    return [one for one in found if (paper.created_by != actor.user_id if one in deciding else own)]


def signature_keys(session: Session, paper: EnforcementPaper, data: Mapping[str, Any]) -> dict[str, str]:
    """The drawn signatures of a paper: keys of the storage by the name of the field."""
    named = {name: UUID(value) for name, value in data.items() if name.endswith("_signature") and value}
    files = {file.id: file for file in session.scalars(select(File).where(File.id.in_(named.values())))}
    return {
        f"{name}.{files[one].extension.lstrip('.')}": files[one].stored_key
        for name, one in named.items() if one in files
    }  # fmt: skip
