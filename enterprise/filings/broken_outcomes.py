"""What breaks what a kind of filing declares of numbers, certificates and counters: see `broken_kinds.py`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from enterprise.certificates import broken

if TYPE_CHECKING:
    from enterprise.filings.kinds import FilingKind

Found = Iterator[tuple[str, str]]


def faults(kind: "FilingKind") -> Found:
    """What the declaration shows by itself."""
    actions = {step.action for step in kind.steps}
    if kind.number is not None:
        yield from broken.of_number(kind.number, None, "")
        if not kind.numbered_by and not any(step.sends for step in kind.steps):
            yield kind.number.place, "its number is given by no step: nothing is sent, and numbered_by names none"
    for action in kind.numbered_by:
        if action not in actions:
            yield kind.place, f"numbered_by names {action}, an action that no step declares"
        if kind.number is None:
            yield kind.place, f"numbered_by names {action}, but there is no number"


def unfit(kind: "FilingKind", forms: Mapping[str, Mapping[str, Any]]) -> Found:
    """What only the forms can tell."""
    if kind.number is not None:
        yield from broken.of_number(kind.number, broken.fields_of(forms[kind.form_code]), kind.form_code)
