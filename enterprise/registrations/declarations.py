"""Which systems take registrations, and of whom: declared, so that a system adds its own by a line."""

from collections.abc import Iterable
from dataclasses import dataclass

from enterprise.filings.declaring.declarations import APPLICANT, Step
from enterprise.filings.declaring.kinds import ApplicantKind, FilingKind, FilingKinds


class BrokenRegistration(Exception):
    """A declaration that cannot work; the text names it."""


@dataclass(frozen=True, slots=True)
class Registration:
    """Who may register in a system, and the kind of filing (办件种类) that a registration opens.

    `kind` is a kind that its applicant opens. `hint` says in Chinese what is to be known before.
    """

    system: str
    kind: str
    title: str
    applicant: ApplicantKind
    hint: str = ""


class Registrations:
    """The registrations of all systems."""

    def __init__(self, declared: Iterable[Registration], kinds: FilingKinds) -> None:
        """Raises `BrokenRegistration` for a kind that is unknown, not opened by its applicant, not for it, or
        named twice."""
        self.all = tuple(declared)
        for one in self.all:
            if one.kind not in kinds:
                raise BrokenRegistration(f"registration {one.system}/{one.kind}: there is no such kind of filing")
            if opening_by_applicant(kinds[one.kind]) is None:
                raise BrokenRegistration(f"registration {one.system}/{one.kind}: its applicant opens none of these")
            if one.applicant not in kinds[one.kind].applicants:
                raise BrokenRegistration(f"registration {one.system}/{one.kind}: no {one.applicant} may apply for it")
        if len({(one.system, one.kind) for one in self.all}) != len(self.all):
            raise BrokenRegistration("a registration is declared twice")

    def of_system(self, system: str) -> tuple[Registration, ...]:
        """Those of a system; none for one that there is not."""
        return tuple(one for one in self.all if one.system == system)

    def find(self, system: str, kind: str | None) -> Registration | None:
        """The one that a call means; without a kind the only one of the system."""
        found = [one for one in self.of_system(system) if kind in (None, one.kind)]
        return found[0] if len(found) == 1 else None


def opening_by_applicant(kind: FilingKind) -> Step | None:
    """The step by which an applicant opens one, if there is one."""
    return next((step for step in kind.openings if step.falls_to(frozenset({APPLICANT.code})) is not None), None)
