"""Who takes the steps of a filing: posts (岗), parties (当事方), the system."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from accounts.verbs import Verb
from core.declared_places import passes_over

passes_over(__file__, str(Path(__file__).with_name("declarations.py")))


@dataclass(frozen=True, slots=True)
class Post:
    """A post (岗): whoever holds `verb` at the office that handles the filing; `anywhere`: at any office.

    `delegable_to`: kinds of offices to which an office may delegate it (委托, `sides/delegations.py`).
    """

    code: str
    label: str
    verb: str
    anywhere: bool = False
    delegable_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """A party (当事方): who stands to this very filing, and holds `verb`.

    A step names them (`Step.names`): at `least` so many, one of them the `leader` where there is one. `named_in`: the
    field of that step's form in which they stand, for its faults.
    """

    code: str
    label: str
    verb: str
    least: int = 1
    leader: bool = False
    named_in: str | None = None


@dataclass(frozen=True, slots=True)
class System:
    """The system itself: a clock that rang, or what another step brings about."""

    code: str = "system"
    label: str = "系统"


By = Post | Party | System
APPLICANT = Party("applicant", "企业", Verb.FILINGS_WRITE.value)
"""The enterprise that a filing is of."""
AUTHOR = Party("author", "填报人", Verb.FILINGS_WRITE.value)
"""Whoever opened a filing: colleagues read it."""
SYSTEM = System()


def each(one: By | Sequence[By]) -> tuple[By, ...]:
    return (one,) if isinstance(one, Post | Party | System) else tuple(one)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who is named as a party: a user or an office; `shown` is how the history names them."""

    shown: str
    user_id: UUID | None = None
    office_id: UUID | None = None
    leader: bool = False
