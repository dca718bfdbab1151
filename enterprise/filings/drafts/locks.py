"""What may not be changed in a status (锁定), and which documents are demanded, as declarations say it.

A condition is that of a form (`core/forms/definitions/conditions.py`), over the data of the filing.
"""

from collections.abc import Mapping
from typing import Any

from core.errors import Fault
from core.forms.definitions.conditions import read_condition
from core.forms.form import Form
from enterprise.filings.declaring.declarations import Document, Lock
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing

DOCUMENTS = "documents/"
"""What the name of a lock on a category of documents begins with."""


def holds(form: Form, condition: Mapping[str, Any] | None, values: Mapping[str, Any]) -> bool:
    """Whether a condition is true of the data of a filing; no condition always is."""
    if condition is None:
        return True
    read = read_condition(condition, "", {item.name: item for item in form.items}, [])
    return read is not None and read.test({**values, **(values.get("answers") or {})})


def locked(kind: FilingKind, form: Form, filing: Filing) -> frozenset[str]:
    """The fields that cannot be changed now, and `documents/<category>` for categories of documents."""
    status = kind.status(filing.status)
    named = {
        one if isinstance(one, str) else one.name
        for one in status.locks
        if not isinstance(one, Lock) or holds(form, one.when, filing.data)
    }
    if status.opens is not None:
        named |= {item.name for item in form.items}
        named |= {f"{DOCUMENTS}{document.category.code}" for document in kind.documents}
        named -= set(status.opens)
    return frozenset(named)


def changed(names: frozenset[str], before: Mapping[str, Any], after: Mapping[str, Any], form: Form) -> list[Fault]:
    """A fault for each locked field that would be changed; both data are in clear.

    One that comes back unchanged, or not at all, is none.
    """
    texts = {item.name: item.text for item in form.items}
    return [
        Fault(f"/data/{name}", "locked", f"“{texts.get(name, name)}”现在不能修改，请恢复原来的内容后再保存")
        for name in sorted(names)
        if name in after and after[name] != before.get(name)
    ]


def changed_documents(
    names: frozenset[str], kind: FilingKind, before: list[dict[str, str]], after: list[dict[str, str]]
) -> list[Fault]:
    """A fault for each locked category of which a file would go or come."""
    faults = []
    for document in kind.documents:
        code = document.category.code
        files = [
            sorted(one["file_id"] for one in documents if one["category"] == code) for documents in (before, after)
        ]
        if f"{DOCUMENTS}{code}" in names and files[0] != files[1]:
            said = f"“{document.category.label}”现在不能增减，请恢复原来的文件后再保存"
            faults.append(Fault("/documents", "locked", said))
    return faults


def is_demanded(document: Document, form: Form, filing: Filing, values: Mapping[str, Any], *, problems: bool) -> bool:
    """Whether a category must have a file when the filing is sent from where it stands."""
    if document.required == "never" or (document.required == "problems" and not problems):
        return False
    if document.statuses is not None and filing.status not in document.statuses:
        return False
    return holds(form, document.when, values)
