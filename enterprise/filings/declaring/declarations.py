"""What the declaration of a kind of filing (办件种类) is made of: who acts, statuses, steps, clocks, documents.

Each part remembers the file and line on which it was written, so that a broken declaration can be found
(`broken_kinds.py`). Hooks get one `Move` and nothing else. Declarations import nothing of the engine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.file_types import FROM_PHONES
from assets.files.purposes import Category, FilePurpose
from core.actor import Actor
from core.deadlines.periods import CONTINUE, DEADLINE, MONTH, NATURAL, WAITING, WORKING, YEAR, ZERO
from core.declared_places import declared_at
from core.forms.validation.check import Checked
from core.workflows.workflow import BACK
from enterprise.certificates.declarations import Drawing, Outcome
from enterprise.filings.declaring.takers import (
    APPLICANT,
    AUTHOR,
    SYSTEM,
    By,
    Named,
    Party,
    Post,
    System,
    each,
)

if TYPE_CHECKING:
    from enterprise.filings.declaring.kinds import Filings
    from enterprise.filings.models import Filing

__all__ = [
    "APPLICANT", "AUTHOR", "BACK", "CONTINUE", "DEADLINE", "MONTH", "NATURAL", "STAYS", "SYSTEM", "WAITING", "WORKING",
    "YEAR", "ZERO", "By", "Named", "Party", "Post", "System", "declared_at",
]  # fmt: skip

STAYS = "«stays»"
"""Target of a step that leaves the status as it is."""
DECLARATION_ATTACHMENT = FilePurpose(
    "declaration_attachment",
    "申报附件",
    (".pdf", ".jpg", ".jpeg", ".png", *FROM_PHONES, ".doc", ".docx", ".xls", ".xlsx", ".zip"),
)
"""What any filing may have beside its form, unless its kind declares a purpose of its own."""


@dataclass(slots=True)
class Move:
    """A step that is being taken (办理), as every hook gets it.

    `by`: the post or party from which the actor acts; `actor` is None for the system. `data`: in clear, what the form
    of the kind holds where the step sends it, else that of the step's own form. `filing` is as it stood before the step
    in `guard` and `check`, and as it stands after it in `then` and `effect`. `found`: what the form found in what is
    sent; `owed`: the pointer and printed text of what may be owed of it (容缺).
    """

    session: Session
    engine: "Filings"
    filing: "Filing"
    actor: Actor | None
    by: By
    step: "Step"
    data: dict[str, Any]
    now: datetime
    found: Checked | None = None
    owed: dict[str, str] = field(default_factory=dict)


Route = Callable[[Move], UUID | None]
"""The office that is to handle a filing; None where there is none."""
Names = Callable[[Move], Mapping[Party, Sequence[Named]]]
"""Who are the parties from now on; of one that is not mentioned nothing changes."""
Guard = Callable[[Move], None]
"""Raises Problem for a filing that may not take the step, which is then not offered either."""
Check = Callable[[Move], list[Any]]
"""Faults that a form cannot know."""
Effect = Callable[[Move], None]
"""Called once the filing has moved, in the same transaction."""
Then = Callable[[Move], str | None]
"""The step of the system that follows at once, if one does."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A field, or `documents/<category>`, that may not be changed while the condition is true of the filing's data."""

    name: str
    when: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """A status (状态). `turn`: whose turn it is. `edits`: who may change the working copy there.

    `todo` is the title of the to-do of whose turn it is; `dated`: it carries the due day. `end`: no step leaves it.
    `finished`: the filing is done with there (办结), which an end always is; from one that is no end the applicant may
    still acknowledge, or the office reopen it. `shown_as`: lists show and find it under that status, with its own label
    as a tag beside it. `locks`: fields and `documents/<category>` that whoever edits may not change there; `opens`: the
    only ones that they may. `demands_owed`: what could be owed (容缺) has to be there when it is sent from here.
    """

    code: str
    label: str
    turn: By | Sequence[By] = ()
    edits: By | Sequence[By] = ()
    todo: str | None = None
    dated: bool = True
    end: bool = False
    finished: bool = False
    shown_as: str | None = None
    locks: Sequence[str | Lock] = ()
    opens: Sequence[str] | None = None
    demands_owed: bool = False
    place: str = field(default_factory=declared_at, compare=False, repr=False)

    @property
    def turns(self) -> tuple[By, ...]:
        """Whose turn it is."""
        return each(self.turn)

    @property
    def editors(self) -> tuple[By, ...]:
        """Who may change the working copy."""
        return each(self.edits)

    @property
    def is_finished(self) -> bool:
        """Whether a filing is done with there."""
        return self.end or self.finished


@dataclass(frozen=True, slots=True)
class Step:
    """A step (环节): from `origin` (None: it opens the filing; several: it is declared for each) to `target`.

    `sends`: the working copy is validated whole and frozen as a version. `restores`: the working copy becomes again
    what was sent last. `comment`: an opinion or reason must be given. `asks_back`: the status is remembered, so that a
    step to BACK returns there. `needs_over` names a clock whose period must be over. `many`: it may be taken for many
    filings at once (批量办理).

    `form` is the code of a form of its own, `documents` its categories; what it said is shown to whom `shown_to` names,
    or to all who read the filing. `check` finds faults that this form cannot know. `route` passes the filing on to
    another office. `names` says who are the parties from now on. `confirms`: each of the party that takes it confirms
    by it and it stays where it is; `needs_confirmed`: a party of which all must have confirmed; `clears`: one whose
    confirmations fall. `other_than` names actions: whoever took one of them last may not take this one. `extends` a
    clock by so many of its units, once (延长). `on_other`: it takes a step of the system on other filings besides.

    `certificate`: it issues, amends or turns one (发证、变更、注销). `draw`: it reserves, settles, releases or takes
    what the kind's `draws` say of the certificate's counters.
    """

    action: str
    label: str
    origin: str | Sequence[str] | None
    target: str
    by: By | Sequence[By]
    sends: bool = False
    restores: bool = False
    comment: bool = False
    asks_back: bool = False
    needs_over: str | None = None
    form: str | None = None
    documents: Sequence["Document"] = ()
    shown_to: Sequence[By] | None = None
    check: Check | None = None
    route: Route | None = None
    names: Names | None = None
    confirms: bool = False
    needs_confirmed: Party | None = None
    clears: Party | None = None
    other_than: Sequence[str] = ()
    extends: tuple[str, int] | None = None
    on_other: "OnOther | None" = None
    guard: Guard | None = None
    effect: Effect | None = None
    then: Then | None = None
    many: bool = False
    certificate: Outcome | None = None
    draw: Drawing | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)

    @property
    def takers(self) -> tuple[By, ...]:
        """Who may take it."""
        return each(self.by)

    @property
    def sources(self) -> tuple[str | None, ...]:
        """The statuses from which it leads."""
        return (self.origin,) if self.origin is None or isinstance(self.origin, str) else tuple(self.origin)

    @property
    def source(self) -> str | None:
        """The one status from which it leads, once its kind has declared it for each."""
        assert self.origin is None or isinstance(self.origin, str)
        return self.origin

    def falls_to(self, codes: frozenset[str]) -> By | None:
        """The post or party among those codes from which it may be taken."""
        return next((taker for taker in self.takers if taker.code in codes), None)


@dataclass(frozen=True, slots=True)
class OnOther:
    """An action on other filings (对其他办件的操作), such as ending one: a step of the system there, at once.

    `which` names them by their id; they are of one of the `kinds`, and of the same applicant. One that cannot take the
    step where it stands refuses the whole.
    """

    action: str
    kinds: Sequence[str]
    which: "Callable[[Move], Sequence[UUID]]"


@dataclass(frozen=True, slots=True)
class Days:
    """How long a clock takes, by the values of fields of the filing's data (方式 × 类型); `default` for all others."""

    by: Sequence[str]
    table: Mapping[tuple[str, ...], int]
    default: int

    def of(self, data: Mapping[str, Any]) -> int:
        """How long it takes for a filing with this data."""
        return self.table.get(tuple(str(data.get(name)) for name in self.by), self.default)


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock (时限) that runs while a filing stands in `runs_in`, so that no step forgets it.

    It takes `days` in `unit`, counted as a DEADLINE or a WAITING period (`core/deadlines/periods.py`); `shift`: a
    deadline moves off rest days. It begins on the day on which the filing comes there, or on that of the field
    `starts_from`. In `pauses_in` it pauses; when it goes on it starts from ZERO or goes on where it was (CONTINUE). In
    any other status there is none. When its last day is over the system takes the step `rings`, if one is named.

    The earliest deadline that runs is the filing's due day. Its light is green before its last `amber_days`; without
    them it is yellow from the start (seed 000).
    """

    name: str
    days: int | Days
    unit: str
    counting: str
    runs_in: Sequence[str]
    pauses_in: Sequence[str] = ()
    again: str = ZERO
    rings: str | None = None
    label: str = "办理期限"
    shift: bool = True
    starts_from: str | None = None
    amber_days: int | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim (占用): keys that one filing may hold at a time, among all kinds with a claim of that name.

    `keys` reads them from the filing and its data in clear; they are held in `statuses`. `message` is what the other
    one is told; it names nobody. `gives_way`: a step of the system that the holder takes when another filing claims its
    key (覆盖), where it stands so that it may; else the other one is refused.
    """

    name: str
    keys: "Callable[[Filing, Mapping[str, Any]], Sequence[str]]"
    statuses: Sequence[str]
    message: str
    gives_way: str | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A category of documents (材料), required always, never, or when the form finds a problem.

    `when`: only where this condition is true of the data; `statuses`: only when it is sent from one of these.
    `owed_when`: it may be owed (容缺) where this condition is true, until a status demands what is owed.
    """

    category: Category
    required: Literal["always", "problems", "never"] = "always"
    when: Mapping[str, Any] | None = None
    statuses: Sequence[str] | None = None
    owed_when: Mapping[str, Any] | None = None
