"""How a kind of filing is declared: its form, documents and workflow, with a few hooks.

A kind is one value of `FilingKind` in its system's `kinds/` folder and one line in its list. A broken declaration (a
repeated step, a status to which no step leads, an unknown document) fails when it is loaded.

Declarations import nothing of the engine: the other files of this folder read them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from accounts.verbs import Verb
from assets.files.file_types import FROM_PHONES
from assets.files.purposes import Category, FilePurpose, categories
from core.actor import Actor
from core.deadlines.clocks import CONTINUE, NATURAL, WORKING, ZERO
from core.errors import Problem
from core.forms.library import FormLibrary
from core.forms.validation.check import Checked
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from core.workflows.workflow import SYSTEM, Guard, Step, Workflow
from enterprise.filings.models import Filing

ENTERPRISE, OFFICE = Verb.FILINGS_WRITE.value, Verb.FILINGS_REVIEW.value
"""The two sides of a filing, named by the verb that whoever acts for them holds."""
Effect = Callable[["Filings", Session, Filing], None]
DECLARATION_ATTACHMENT = FilePurpose(
    "declaration_attachment",
    "申报附件",
    (".pdf", ".jpg", ".jpeg", ".png", *FROM_PHONES, ".doc", ".docx", ".xls", ".xlsx", ".zip"),
)
"""What any filing may have beside its form, unless its kind declares a purpose of its own."""
Opened = Callable[[Session, Actor, Filing], None]


class BrokenKind(Exception):
    """A declaration that cannot work."""


@dataclass(frozen=True, slots=True)
class Document:
    """A category of documents (材料), required always, never, or when the form finds a problem."""

    category: Category
    required: Literal["always", "problems", "never"] = "always"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A clock that a step starts or lets go on. `days` are counted in `unit` (natural or working days).

    When its last day is over the system takes the step `rings`, if one is named. `on_restart`: whether a paused clock
    starts from `zero` or goes on (`continue`) where it was.
    """

    name: str
    unit: str
    days: int
    on_restart: str = "zero"
    rings: str | None = None


@dataclass(frozen=True, slots=True)
class FilingStep:
    """A row of a kind's workflow.

    `who` is ENTERPRISE, OFFICE or SYSTEM. `sends`: the working copy is validated whole and frozen as a version. `then`
    chooses the step of the system that follows at once, by what the form found in what was sent. `restores`: the
    working copy becomes again what was sent last. `comment`: an opinion or reason must be given. `asks_back`: the
    status is remembered, so that a step to BACK returns there. `confirmations`: how many different users must act
    before the filing moves. `starts`, `pauses`, `stops` name clocks, `needs_over` a clock whose last day must be over.
    `guard` raises Problem for a filing that may not take the step, which is then not offered either. `effect` is
    called once the filing has moved, in the same transaction. `many`: it may be taken for many filings at once
    (批量办理).
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
    many: bool = False
    then: Callable[[Checked], str] | None = None


@dataclass(frozen=True, slots=True)
class TodoRule:
    """A to-do that is open while a filing stands in a status, for one of its two sides.

    `dated`: that of an enterprise carries the filing's due date; False where nothing is to be done by that day.
    """

    title: str
    side: Literal["enterprise", "office"]
    dated: bool = True


@dataclass(frozen=True)
class FilingKind:
    """A kind of filing.

    `editable`: statuses in which the enterprise may change the working copy. `opened_by`: who may open one (`system`:
    only effects and imports do). `subject_type`: what it is about; with `one_open` there is at most one unfinished
    filing of an enterprise for a subject. `due_from`: the field of its data that holds the due date. `check` returns
    faults that the form cannot know (session, filing, data, today). `opened` is called when somebody has opened one,
    with what they filled in. `rateable`: the enterprise may rate the service when it is finished. `fixed`: fields that
    the enterprise cannot change once the filing is open (what the office ordered, what the register says). `listed`:
    fields that its list shows beside the status; none of them is sensitive. `titled` returns a title that says what
    the filing is about. `titled_by_region`: its paper is headed by a region (`Filing.title_region`) before the kind's
    title. `refusals`: what is answered instead of the common sentence, by status and action. `shown_as`: a status that
    lists show and find under another one, with its own label as a tag beside it.
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
    workflow: Workflow = field(init=False)

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
        """The step of the system that follows at once from that status; raises BrokenKind when none is declared."""
        step = self.step(action, status)
        if step is None or step.who != SYSTEM:
            raise BrokenKind(f"{self.code}: no step {action} of the system from {status}")
        return step

    def steps_of(self, side: str, status: str) -> list[FilingStep]:
        """The steps that this side may take from a status."""
        return [step for step in self.steps if step.source == status and step.who == side]

    def opening(self) -> FilingStep:
        """The step that opens one."""
        return next(step for step in self.steps if step.source is None)

    def wrong_status(self, status: str, action: str = "save") -> Problem:
        """409 with the status in which a filing stands, in the kind's own words where it has some for that action."""
        label = self.statuses.get(status, status)
        detail = self.refusals.get((status, action)) or f"当前状态为“{label}”，不能执行该操作"
        return Problem("wrong_status", detail, current_status=status)


def _workflow(kind: FilingKind) -> Workflow:
    """The same steps as the workflow of `core`, which refuses broken ones and creates the filing.

    Who opens a filing is asked in `opening.py`; an administrator's campaign opens those of any kind, without a user.
    """
    steps = [
        Step(s.action, s.source, s.target, s.who if s.source else SYSTEM, s.guard, s.asks_back) for s in kind.steps
    ]
    return Workflow("filing", Filing, kind.statuses, steps)


class FilingKinds(dict[str, FilingKind]):
    """All kinds of all systems by their code. Raises BrokenKind for a code that stands twice."""

    def __init__(self, kinds: Sequence[FilingKind]) -> None:
        super().__init__({kind.code: kind for kind in kinds})
        if len(self) != len(kinds):
            raise BrokenKind(f"a kind is declared twice: {sorted(kind.code for kind in kinds)}")

    def named(self, code: Any) -> FilingKind | None:
        """The kind of that code, whatever a caller sent as one."""
        return self.get(code) if isinstance(code, str) else None

    def statuses_of(self, code: str | None) -> frozenset[str]:
        """All statuses of a kind, or of every kind."""
        return frozenset(s for kind in self.values() if code in (None, kind.code) for s in kind.statuses)

    def shown_as(self, status: str) -> list[tuple[str, str]]:
        """Kind and own status of what lists show under that status."""
        return [(kind.code, own) for kind in self.values() for own, as_ in kind.shown_as.items() if as_ == status]


@dataclass(frozen=True, slots=True)
class Filings:
    """What the engine and the hooks of kinds need besides the session; one per process."""

    kinds: FilingKinds
    forms: FormLibrary
    events: Events
    subjects: SubjectRegistry

    def kind_of(self, filing: Filing) -> FilingKind:
        """The declaration of a filing's kind."""
        return self.kinds[filing.kind]
