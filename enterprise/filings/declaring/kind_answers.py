"""What endpoints answer of kinds of filings (办件种类), so that a client can show any of them from its declaration."""

from typing import Any

from core.forms.library import FormLibrary
from enterprise.filings.declaring.declarations import APPLICANT, Document, System
from enterprise.filings.declaring.kinds import FilingKind


def summary(kind: FilingKind) -> dict[str, Any]:
    """A kind in the list of all."""
    return {
        "code": kind.code, "title": kind.title, "system": kind.system, "rateable": kind.rateable,
        "opened_by": kind.opened_by,
    }  # fmt: skip


def kind_answer(kind: FilingKind, forms: FormLibrary, verbs: frozenset[str]) -> dict[str, Any]:
    """A kind as the phone needs it: form, documents, and the workflow with the steps that fall to the caller."""
    return {
        **summary(kind),
        "subject_type": kind.subject_type,
        "listed": list(kind.listed),
        "fixed": sorted(kind.fixed),
        "prints": kind.paper is not None,
        "form": forms.get(kind.form_code).form.definition,
        "documents": [_document(document) for document in kind.documents],
        "rows": [rows.group for rows in kind.rows],
        "posts": [{"code": post.code, "label": post.label} for post in kind.posts],
        "parties": [{"code": party.code, "label": party.label} for party in (APPLICANT, *kind.parties)],
        "clocks": [
            {"name": one.name, "label": one.label, "unit": one.unit, "counting": one.counting} for one in kind.clocks
        ],
        "statuses": [
            {
                "code": status.code,
                "label": status.label,
                "editable": bool(status.editors),
                "final": status.is_finished,
                "turn": [taker.code for taker in status.turns],
            }
            for status in kind.statuses
        ],
        "steps": [
            {
                "action": s.action,
                "label": s.label,
                "from": s.source,
                "to": s.target,
                "comment_required": s.comment,
                "sends": s.sends,
                "restores": s.restores,
                "many": s.many,
                "confirms": s.confirms,
                "form": forms.get(s.form).form.definition if s.form is not None else None,
                "documents": [_document(document) for document in s.documents],
                "by": [taker.code for taker in s.takers],
                "mine": any(not isinstance(taker, System) and taker.verb in verbs for taker in s.takers),
            }
            for s in kind.steps
        ],
    }


def _document(document: Document) -> dict[str, Any]:
    category = document.category
    return {
        "category": category.code,
        "title": category.label,
        "required": document.required,
        "extensions": list(category.allowed),
        "purposes": sorted(purpose.code for purpose in category.purposes),
        "max_count": category.max_count,
        "max_bytes": category.largest,
    }
