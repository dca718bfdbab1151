"""How a kind of filing is declared: its form, documents and workflow, with a few hooks.

A kind is one value of `FilingKind` in its system's `kinds/` folder and one line in its list. What is
broken (a step that stands twice, a status nobody reaches, an unknown document) fails when the
declaration is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files.file_types import Category, categories
from core.deadlines.clocks import CONTINUE, NATURAL, WORKING, ZERO
from core.forms.check import Checked
from core.workflow import SYSTEM, Guard, Step
from enterprise.filings.models import Filing
from enterprise.filings.moves import FilingWorkflow

if TYPE_CHECKING:
    from core.actor import Actor
    from enterprise.filings.engine import Filings

ENTERPRISE, OFFICE = Verb.FILINGS_WRITE.value, Verb.FILINGS_REVIEW.value
Effect = Callable[["Filings", Session, Filing], None]
Opened = Callable[[Session, "Actor", Filing], None]


class BrokenKind(Exception):
    """A declaration that cannot work."""


@dataclass(frozen=True, slots=True)
class Document:
    """A category of documents (材料), required always, never, or when the form finds a problem."""

    category: Category
    required: Literal["always", "problems", "never"] = "always"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A clock that a step starts (or lets go on); when its last day is over `rings` is acted, if given."""

    name: str
    unit: str
    days: int
    on_restart: str = "zero"
    rings: str | None = None


@dataclass(frozen=True, slots=True)
class FilingStep:
    """A row of a kind's workflow.

    `who` is ENTERPRISE, OFFICE or SYSTEM. `sends`: the working copy is checked whole and frozen as a
    version. `then`: the step of the system that follows at once, by what the form found in what was sent.
    `restores`: the working copy becomes again what was sent last. `comment`: an opinion or reason must be
    given. `asks_back`: the status is remembered, so that a step to BACK returns there. `confirmations`: how
    many different users must act before the filing moves. `starts`, `pauses`, `stops` name clocks;
    `needs_over` a clock whose time must be over. `guard` raises Problem for a filing that may not take the
    step; it is not offered there either.
    """

    action: str
    label: str
    source: str | None
    target: str
    who: str
    sends: bool = False
    restores: bool = False
    comment: bool = False
    asks_back: bool = False
    confirmations: int = 1
    starts: ClockRule | None = None
    pauses: str | None = None
    stops: str | None = None
    needs_over: str | None = None
    guard: Guard | None = None
    effect: Effect | None = None
    then: Callable[[Checked], str] | None = None


@dataclass(frozen=True, slots=True)
class TodoRule:
    """A to-do that is open while a filing stands in a status, for one of its two sides.

    `dated`: an enterprise's has the filing's due date; not where there is nothing left to be done by then.
    """

    title: str
    side: Literal["enterprise", "office"]
    dated: bool = True


@dataclass(frozen=True)
class FilingKind:
    """A kind of filing.

    `editable`: statuses in which the enterprise may change the working copy. `opened_by`: who may
    open one (`system` ones appear by themselves). `subject_type`: what it is about; with `one_open`
    there is at most one unfinished filing for a subject. `opened`: what follows when somebody has opened one, with
    what they filled in. `rateable`: the enterprise may rate the
    service when it is finished. `fixed`: fields that stand once the filing is open (what the office
    ordered, what the register says); the enterprise's copy keeps them. `listed`: fields that its list
    shows beside the status (none that is sensitive). `titled`: a title that says what the filing is about.
    `titled_by_region`: its paper is headed by a region (`Filing.title_region`) before the kind's title.
    `refusals`: what is answered instead of the common sentence, by status and action. `shown_as`: a status
    that lists show under the label of another, its own label a tag beside it, and find with that other one.
    """

    code: str
    title: str
    form_code: str
    statuses: Mapping[str, str]
    steps: Sequence[FilingStep]
    final: frozenset[str]
    editable: frozenset[str]
    opened_by: Literal["enterprise", "office", "system"]
    documents: Sequence[Document] = ()
    todos: Mapping[str, TodoRule] = field(default_factory=dict)
    subject_type: str | None = None
    one_open: bool = False
    rateable: bool = False
    due_from: str | None = None
    fixed: frozenset[str] = frozenset()
    listed: Sequence[str] = ()
    titled: Callable[[Session, UUID], str] | None = None
    titled_by_region: bool = False
    refusals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    shown_as: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Session, Filing, dict[str, Any], date], list[Any]] | None = None
    opened: Opened | None = None
    workflow: FilingWorkflow = field(init=False)

    def __post_init__(self) -> None:
        self._refuse_broken()
        object.__setattr__(self, "workflow", _workflow(self))

    def _refuse_broken(self) -> None:
        named = {*self.final, *self.editable, *self.todos, *(status for status, _ in self.refusals)}
        named |= {*self.shown_as, *self.shown_as.values()}
        unknown = sorted(named - set(self.statuses))
        if unknown:
            raise BrokenKind(f"{self.code}: unknown status {unknown}")
        try:
            categories(*(document.category for document in self.documents))
        except ValueError as error:
            raise BrokenKind(f"{self.code}: {error}") from error
        if sum(step.source is None for step in self.steps) != 1:
            raise BrokenKind(f"{self.code}: there must be one step that opens it")
        if any(self.step(action, status) for status, action in self.refusals):
            raise BrokenKind(f"{self.code}: a step that can be taken is refused")
        rules = {step.starts for step in self.steps if step.starts}
        clocks = {rule.name for rule in rules}
        if len(clocks) != len(rules):
            raise BrokenKind(f"{self.code}: a clock is declared twice, differently")
        for rule in rules:
            if rule.unit not in (NATURAL, WORKING) or rule.on_restart not in (ZERO, CONTINUE) or rule.days < 1:
                raise BrokenKind(f"{self.code}: the clock {rule.name} cannot run")
        for step in self.steps:
            for name in (step.pauses, step.stops, step.needs_over):
                if name is not None and name not in clocks:
                    raise BrokenKind(f"{self.code}: {step.action} names the unknown clock {name}")
            rings = step.starts.rings if step.starts else None
            if rings is not None and not any(s.action == rings and s.who == SYSTEM for s in self.steps):
                raise BrokenKind(f"{self.code}: no step of the system for the clock's {rings}")
            if step.confirmations < 1:
                raise BrokenKind(f"{self.code}: {step.action} waits for no confirmation")
            if step.source in self.final and (self.one_open or self.rateable):
                raise BrokenKind(f"{self.code}: {step.action} reopens what another may have taken the place of")
            if step.restores and step.sends:
                raise BrokenKind(f"{self.code}: {step.action} sends what it takes back")
            if step.then is not None and not step.sends:
                raise BrokenKind(f"{self.code}: {step.action} sends nothing that its `then` could go by")

    def allowed_documents(self) -> dict[str, Category]:
        """The categories of documents, by code."""
        return categories(*(document.category for document in self.documents))

    def step(self, action: str, status: str | None) -> FilingStep | None:
        """The step of that action from that status."""
        return next((s for s in self.steps if s.action == action and s.source == status), None)

    def following(self, action: str, status: str) -> FilingStep:
        """The step of the system that follows at once from that status; it must be declared."""
        step = self.step(action, status)
        if step is None or step.who != SYSTEM:
            raise BrokenKind(f"{self.code}: no step {action} of the system from {status}")
        return step

    def steps_of(self, side: str, status: str) -> list[FilingStep]:
        """The steps that this side may take from a status."""
        return [step for step in self.steps if step.source == status and step.who == side]


def _workflow(kind: FilingKind) -> FilingWorkflow:
    steps = [Step(s.action, s.source, s.target, s.who, s.guard, s.asks_back) for s in kind.steps]
    return FilingWorkflow("filing", Filing, kind.statuses, steps)


class KindRegistry:
    """All kinds of all systems; a code that stands twice fails."""

    def __init__(self, kinds: Sequence[FilingKind]) -> None:
        self.kinds: dict[str, FilingKind] = {}
        for kind in kinds:
            if kind.code in self.kinds:
                raise BrokenKind(f"{kind.code} is declared twice")
            self.kinds[kind.code] = kind

    def get(self, code: Any) -> FilingKind | None:
        """The kind of that code."""
        return self.kinds.get(code) if isinstance(code, str) else None

    def statuses_of(self, code: str | None) -> frozenset[str]:
        """All statuses of a kind, or of every kind."""
        return frozenset(s for kind in self.kinds.values() if code in (None, kind.code) for s in kind.statuses)

    def shown_as(self, status: str) -> list[tuple[str, str]]:
        """Kind and status of what lists show as that status though it stands in another."""
        return [(kind.code, own) for kind in self.kinds.values() for own, as_ in kind.shown_as.items() if as_ == status]
