"""The paper of law enforcement (打印): its data and template, its 送达回证, and what holds of a print later."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.paper.form_sheet import fields_of, groups_of, sheet
from assets.paper.papers import Paper, data_of
from core.clock import LOCAL
from core.errors import not_found
from core.forms.library import FormLibrary
from core.forms.sealing import opened
from core.prints import operations as prints
from core.prints.operations import Look, Shown
from inspection.enforcement import queries
from inspection.enforcement.content import data_place
from inspection.enforcement.kinds import RECEIPT_FORM, PaperKind, kinds
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.workflows import DELETED, DRAFT, ISSUED, PENDING, SERVED, VOIDED

PAPERS = Path(__file__).resolve().parent / "papers"
_PLAIN = "enforcement"
"""The template of papers that have none of their own, as those that a bureau adds."""
_ACROSS = {DRAFT: "草稿", PENDING: "待审批", VOIDED: "作废"}


def prepared(
    session: Session, forms: FormLibrary, paper: EnforcementPaper, public_url: str | None, *, receipt: bool = False
) -> Paper:
    """What is printed of a paper now; one that is in force gets a code.

    `receipt`: its 送达回证; 404 where it has none.
    """
    if receipt and paper.receipt is None:
        raise not_found()
    said = _said(forms, paper, receipt=receipt)
    digest, url = prints.digest(said), ""
    if paper.status in (ISSUED, SERVED) and public_url is not None:
        url = f"{public_url}{prints.PAGE}{prints.issue(session, 'enforcement_paper', paper.id, digest)}"
    keys = {} if receipt else queries.signature_keys(session, paper, opened(paper.data, data_place(paper.id)))
    signatures = [{"name": name.rpartition(".")[0], "file": name} for name in keys]
    data = data_of(said, digest, url, across=_ACROSS.get(paper.status, ""), signatures=signatures)
    own = PAPERS / f"{said['form']}.typ"
    return Paper(said["number"], own if own.is_file() else PAPERS / f"{_PLAIN}.typ", data, keys)


def look(forms: FormLibrary) -> Look:
    """For the page of a print: the paper, and its 送达回证, as they are now."""

    def shown(session: Session, paper_id: UUID) -> Shown | None:
        paper = queries.find(session, paper_id)
        if paper is None or paper.status in (DRAFT, PENDING, DELETED):
            return None
        said = _said(forms, paper, receipt=False)
        digests = {prints.digest(said): ""}
        if paper.receipt is not None:
            digests[prints.digest(_said(forms, paper, receipt=True))] = "送达回证"
        return Shown(
            said["title"], said["number"], paper.issued_on, paper.org_name or "", digests, paper.status == VOIDED
        )

    return shown


def _said(forms: FormLibrary, paper: EnforcementPaper, *, receipt: bool) -> dict[str, Any]:
    """What the paper says, whenever it is printed."""
    if receipt:
        form = forms.get(RECEIPT_FORM, paper.receipt_version).form
        data = paper.receipt or {}
    else:
        form = forms.get(paper.form_code, paper.form_version).form
        data = opened(paper.data, data_place(paper.id))
    kind = kinds(forms).get(paper.kind) or PaperKind(paper.kind, form.title, form.code)
    decided = {**(paper.decided or {})}
    if decided:
        # The day on paper is that of the office's clock, not that of UTC.
        decided["at"] = datetime.fromisoformat(decided["at"]).astimezone(LOCAL).date().isoformat()
    return {
        "form": form.code, "title": form.title, "office": paper.office_name, "district": "",
        "year": paper.created_at.astimezone(LOCAL).year, "number": paper.number or f"WS-{paper.id.hex[:8].upper()}",
        "issued_on": paper.issued_on.isoformat() if paper.issued_on else "", "served_title": kind.title,
        "decided": {name: str(decided.get(name) or "") for name in ("at", "by", "opinion")},
        "prepared_by": paper.operator_name or "", "fields": fields_of(form, data), "groups": groups_of(form, data),
        **sheet(form, data),
    }  # fmt: skip
