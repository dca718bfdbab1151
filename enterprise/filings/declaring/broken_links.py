"""What makes a declaration break by what it names elsewhere: rows of a table, other kinds, other filings."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from core.forms.form import Form
from enterprise.filings.declaring.takers import SYSTEM

if TYPE_CHECKING:
    from enterprise.filings.declaring.kinds import FilingKind

Found = Iterator[tuple[str, str]]
"""Faults: the place, and a sentence."""


def of_rows(kind: "FilingKind", form: Form) -> Found:
    """Rows of what is no group, columns that are not there, references by fields that there are not."""
    groups = {item.name: item for item in form.items if item.type == "group"}
    for rows in kind.rows:
        group, columns = groups.get(rows.group), set(rows.table.__table__.columns.keys())
        if group is None:
            yield rows.place, f"rows are of {rows.group}, which is no group of the form {kind.form_code}"
            continue
        for name in (*rows.columns.values(), *([rows.key] if rows.key is not None else [])):
            if name not in group.inner:
                yield rows.place, f"rows of {rows.group} name {name}, a field that they do not have"
        for name in (*rows.columns, *rows.search):
            if name not in columns:
                yield rows.place, f"rows of {rows.group} name the column {name}, which their table does not have"
        for column, name in rows.columns.items():
            if name in group.inner and group.inner[name].sealed:
                yield rows.place, f"rows of {rows.group} keep {name} in clear in {column}, which is sealed in the form"
    fields = {item.name for item in form.items} | {f"{one}/{inner}" for one in groups for inner in groups[one].inner}
    for refers in kind.refers:
        if refers.name not in fields:
            yield refers.place, f"{refers.name} refers to a row, a field that the form {kind.form_code} does not have"


def of_others(kind: "FilingKind", kinds: "Mapping[str, FilingKind]") -> Found:
    for step in kind.steps:
        declared = step.on_other
        for code in declared.kinds if declared is not None else ():
            action = declared.action if declared is not None else ""
            steps = kinds[code].steps if code in kinds else ()
            if not any(one.action == action and SYSTEM in one.takers for one in steps):
                yield step.place, f"{step.action} takes {action} of {code}, no step of the system there"
    for refers in kind.refers:
        other = kinds.get(refers.kind)
        if other is None or refers.rows not in other.rows:
            yield refers.place, f"{refers.name} refers to rows of {refers.kind}, which has none of these"
        elif unknown := set(refers.statuses) - other.labels.keys():
            yield refers.place, f"{refers.name} names the unknown status {min(unknown)} of {refers.kind}"
