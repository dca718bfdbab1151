"""What law enforcement papers there are: `kinds.json`, and every published form of the kind `enforcement` besides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import invalid
from core.forms.library import FormLibrary

FORM_KIND = "enforcement"
RECEIPT_FORM = "le-service-receipt"
"""The form of a 送达回证, which belongs to a paper that is served."""


@dataclass(frozen=True, slots=True)
class PaperKind:
    """`mark` stands in the number (责改); `approved`: somebody approves it (负责人审批); `served`: it has a 送达回证;
    `due_from`: the field with the day until which something is to be done."""

    code: str
    title: str
    form: str
    mark: str = "执"
    approved: bool = False
    served: bool = False
    due_from: str | None = None


@cache
def _declared() -> dict[str, PaperKind]:
    rows = json.loads(Path(__file__).with_name("kinds.json").read_text(encoding="utf-8"))
    return {row["code"]: PaperKind(**row) for row in rows}


def kinds(forms: FormLibrary) -> Mapping[str, PaperKind]:
    """All kinds by code. A form that a bureau has published beside the built-in ones is a kind with the form's code."""
    found = dict(_declared())
    known = {one.form for one in found.values()} | {RECEIPT_FORM}
    for published in forms.newest():
        form = published.form
        if form.kind == FORM_KIND and form.code not in known:
            found[form.code] = PaperKind(form.code, form.title, form.code)
    return found


def kind_of(forms: FormLibrary, code: str) -> PaperKind:
    """The kind of that code; 422 where there is none."""
    found = kinds(forms).get(code)
    if found is None:
        raise invalid("/kind", "unknown_kind", "没有这种执法文书，请从文书种类中重新选择")
    return found
