"""Kinds of field records: which form answers them, which type of record they are, what they count as."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from core.errors import Problem, invalid
from core.forms.library import FormLibrary
from core.text import fold

CHECK, SPOT_CHECK = "check", "spot_check"


@dataclass(frozen=True, slots=True)
class Kind:
    """`date_field` holds the day of the check, by which lists and statistics filter.

    `about`: of whom the check is, a producer or a seller, by which statistics count it. `disposes`: its form has the
    disposal of a problem (处置); the papers of the annexes (附件4–6) have none.
    """

    name: str
    label: str
    record_type: str
    form_code: str
    date_field: str
    duplicate_warning: bool
    about: Literal["producer", "seller"] | None = None
    disposes: bool = False


_ALL = (
    Kind("production", "生产企业检查", CHECK, "gpc-production", "check_date", True, "producer", disposes=True),
    Kind("sales", "销售企业检查", CHECK, "gpc-sales", "check_date", True, "seller", disposes=True),
    Kind("onsite_sales", "销售经营者现场检查", CHECK, "onsite-sales", "check_date", True, "seller"),
    Kind("onsite_production", "生产企业现场检查", CHECK, "onsite-production", "check_date", True, "producer"),
    Kind("ccc_production", "CCC生产企业监督检查", CHECK, "ccc-production", "check_date", True, "producer"),
    Kind("spot_check", "监督抽查", SPOT_CHECK, "gpc-spot-check", "sampled_on", False),
)
KINDS = {kind.name: kind for kind in _ALL}
PRODUCERS = tuple(kind.name for kind in KINDS.values() if kind.about == "producer")
SELLERS = tuple(kind.name for kind in KINDS.values() if kind.about == "seller")
DISPOSING = tuple(kind.name for kind in KINDS.values() if kind.disposes)
"""Names of the kinds of checks of producers, of sellers, and of those that dispose of problems."""


def resolve(forms: FormLibrary, record_type: str, sent: Any) -> tuple[Kind, str]:
    """The kind and form code for a body's `kind`: a kind of this record type, or the code of a form of such a kind."""
    if record_type == SPOT_CHECK and sent is None:
        sent = SPOT_CHECK
    if isinstance(sent, str):
        kind = KINDS.get(sent)
        code = kind.form_code if kind else sent
        if kind is None:
            try:
                kind = KINDS.get(forms.get(sent).form.kind)
            except Problem:
                kind = None
        if kind is not None and kind.record_type == record_type:
            return kind, code
    offered = "、".join(f"{kind.label}（{kind.name}）" for kind in KINDS.values() if kind.record_type == record_type)
    raise invalid("/kind", "unknown_kind", f"请选择检查类型：{offered}")


def resolve_kind_name(forms: FormLibrary, record_type: str, filter_: str) -> str:
    """The name of the kind that a list is filtered by, which may be given as the code of a form of that kind."""
    return resolve(forms, record_type, filter_)[0].name


@dataclass(frozen=True, slots=True)
class Counts:
    """What one record adds to the tally of its enterprise: 0 or 1 each."""

    records: int = 0
    carried_out: int = 0
    unable: int = 0
    problems: int = 0
    disposal_done: int = 0
    disposal_in_progress: int = 0
    batches: int = 0
    failed: int = 0

    def minus(self, other: "Counts") -> "Counts":
        """The difference, field by field."""
        return Counts(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


COUNTED = tuple(f.name for f in fields(Counts))


def counts_of(
    record_type: str, unable: bool, problems_found: bool, disposal_state: str, conclusion: str | None
) -> Counts:
    """What a submitted record counts as; the same function recomputes the tallies."""
    if record_type == SPOT_CHECK:
        return Counts(records=1, batches=int(conclusion is not None), failed=int(conclusion == "fail"))
    return Counts(
        records=1,
        carried_out=int(not unable),
        unable=int(unable),
        problems=int(problems_found),
        disposal_done=int(disposal_state == "done"),
        disposal_in_progress=int(disposal_state == "in_progress"),
    )


def disposal_state(problems_found: bool, disposals: Mapping[str, Any]) -> str:
    """`none` without a problem, `in_progress` while any is, `done` when at least one is, else `na`."""
    if not problems_found:
        return "none"
    values = set(disposals.values())
    if "in_progress" in values:
        return "in_progress"
    return "done" if "done" in values else "na"


def org_key(uscc: str | None, name: str | None, address: str | None) -> str:
    """Which enterprise a record is about: its USCC, or name and address where it has none.

    Callers leave out a code that belongs to another enterprise in the register (`submissions/register_checks.py`).
    """
    if uscc:
        return uscc
    text = f"{fold(name or '')}\x1f{fold(address or '')}"
    return "n:" + hashlib.sha256(text.encode()).hexdigest()[:32]
