"""A kind of filing (办件种类): one value in its system's `kinds/` folder, and one line in its list.

Its parts stand in `declarations.py`, what breaks it in `broken_kinds.py`: a broken declaration fails when it is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.purposes import Category, categories
from core.deadlines.periods import DEADLINE
from core.errors import Problem
from core.forms.library import FormLibrary
from core.workflows import workflow
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from core.workflows.workflow import Workflow
from enterprise.certificates.declarations import About, CertificateKind, Draws, Number
from enterprise.certificates.register import SUBJECT
from enterprise.filings.declaring.broken_kinds import BrokenKind, refuse_broken, refuse_strange, refuse_unfit
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    AUTHOR,
    STAYS,
    SYSTEM,
    By,
    Check,
    Claim,
    Clock,
    Document,
    Effect,
    Party,
    Post,
    Route,
    Status,
    Step,
    declared_at,
)
from enterprise.filings.declaring.row_tables import Refers, Rows
from enterprise.filings.models import DELETED, Filing

ApplicantKind = Literal["organisation", "person"]


@dataclass(frozen=True)
class FilingKind:
    """A kind of filing.

    `steps` holds one for each status from which it leads. `subject_type`: what it is about; with `one_open` there is
    at most one unfinished filing of an enterprise for a subject. `due_from`: the field of its data that holds the
    applicant's due date, beside which clocks may run, and which a step that asks for a correction may set anew.
    `check` returns faults that the form cannot know. `opened` is called when somebody has opened one, with what they
    filled in. `rateable`: the enterprise may rate the service when it is finished. `fixed`: fields that the enterprise
    cannot change once the filing is open (what the office ordered, what the register says). `listed`: fields that its
    list shows beside the status; none of them is sensitive. `titled` returns a title that says what the filing is
    about. `titled_by_region`: its paper is headed by a region (`Filing.title_region`) before the kind's title.
    `refusals`: what is answered instead of the common sentence, by status and action. `system`: the business system
    (业务系统) by which lists filter; the beginning of its code where none is said. `readers`: posts that read it
    beside those that take its steps. `route` chooses the office that handles it when it is sent first; without one it
    is any office with the post whose regions it lies in.
    `number` is given when it is sent first, or by the first step of one of the actions `numbered_by`.
    `rows`: groups that become rows of a table; `refers`: fields that name rows of an earlier filing.
    `matter`: the field that says its business type (业务类型), by which its posts are delegated.
    `applicants`: who may be the applicant, an organisation, a person, or either.
    `paper`: the template by which it is printed (`reading/papers.py`); without one it has no paper.
    `about` names the certificates that it can be about, on whose counters its steps may draw as `draws` says.
    """

    code: str
    title: str
    form_code: str
    statuses: Sequence[Status]
    steps: Sequence[Step]
    clocks: Sequence[Clock] = ()
    claims: Sequence[Claim] = ()
    documents: Sequence[Document] = ()
    rows: Sequence[Rows] = ()
    refers: Sequence[Refers] = ()
    readers: Sequence[Post] = ()
    applicants: Sequence[ApplicantKind] = ("organisation",)
    system: str = ""
    route: Route | None = None
    matter: str | None = None
    number: Number | None = None
    numbered_by: Sequence[str] = ()
    about: About | None = None
    draws: Draws | None = None
    subject_type: str | None = None
    one_open: bool = False
    rateable: bool = False
    due_from: str | None = None
    fixed: frozenset[str] = frozenset()
    listed: Sequence[str] = ()
    titled: Callable[[Session, UUID], str] | None = None
    titled_by_region: bool = False
    refusals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    check: Check | None = None
    opened: Effect | None = None
    paper: Path | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)

    def __post_init__(self) -> None:
        each = [
            replace(step, origin=source, target=(source or "") if step.target == STAYS else step.target)
            for step in self.steps
            for source in step.sources
        ]
        object.__setattr__(self, "steps", tuple(each))
        if self.about is not None and self.subject_type is None:
            object.__setattr__(self, "subject_type", SUBJECT)
        object.__setattr__(self, "system", self.system or self.code.partition("_")[0])
        refuse_broken(self)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The Chinese label of each status."""
        return {status.code: status.label for status in self.statuses}

    @cached_property
    def _by_code(self) -> dict[str, Status]:
        return {status.code: status for status in self.statuses}

    @cached_property
    def final(self) -> frozenset[str]:
        """The statuses in which a filing is finished (办结)."""
        return frozenset(status.code for status in self.statuses if status.is_finished)

    @cached_property
    def editable(self) -> frozenset[str]:
        """The statuses in which somebody may change the working copy."""
        return frozenset(status.code for status in self.statuses if status.editors)

    @cached_property
    def shown_as(self) -> dict[str, str]:
        """Statuses that lists show under another one."""
        return {status.code: status.shown_as for status in self.statuses if status.shown_as is not None}

    @cached_property
    def openings(self) -> tuple[Step, ...]:
        """The steps that open one."""
        return tuple(step for step in self.steps if step.source is None)

    @cached_property
    def opened_by(self) -> Literal["enterprise", "office", "system"]:
        """Which side opens one (`system`: only effects and imports do); the first of several."""
        taker = self.openings[0].takers[0]
        return "system" if taker == SYSTEM else "enterprise" if taker == APPLICANT else "office"

    @cached_property
    def posts(self) -> tuple[Post, ...]:
        """The posts that take its steps, and those that only read it."""
        named: list[By] = [taker for step in self.steps for taker in step.takers]
        return tuple(dict.fromkeys(one for one in [*named, *self.readers] if isinstance(one, Post)))

    @cached_property
    def parties(self) -> tuple[Party, ...]:
        """The parties that take its steps, besides the applicant."""
        named: list[By] = [taker for step in self.steps for taker in step.takers]
        return tuple(dict.fromkeys(one for one in named if isinstance(one, Party) and one not in (APPLICANT, AUTHOR)))

    @cached_property
    def certificates(self) -> tuple[CertificateKind, ...]:
        """The kinds of certificates that its filings issue, change, or are about."""
        of_steps = [step.certificate.kind for step in self.steps if step.certificate is not None]
        return tuple({one.code: one for one in [*of_steps, *([self.about.kind] if self.about else [])]}.values())

    @cached_property
    def has_many_turns(self) -> bool:
        """Whether several may have a to-do of one status."""
        return bool(self.parties) or any(len(status.turns) > 1 for status in self.statuses)

    @cached_property
    def has_deadlines(self) -> bool:
        """Whether one of its clocks is a deadline."""
        return any(clock.counting == DEADLINE for clock in self.clocks)

    @cached_property
    def ringing(self) -> frozenset[str]:
        """The clocks that move a filing when they are over."""
        return frozenset(clock.name for clock in self.clocks if clock.rings is not None)

    @cached_property
    def rings_away(self) -> bool:
        """Whether one of them deletes it."""
        rung = {clock.rings for clock in self.clocks}
        return any(step.action in rung and step.target == DELETED for step in self.steps)

    @cached_property
    def has_step_data(self) -> bool:
        """Whether one of its steps has a form or documents of its own."""
        return any(step.form is not None or step.documents for step in self.steps)

    @cached_property
    def workflow(self) -> Workflow:
        """The same steps as the workflow of `core`, which creates the filing; who may take them is asked here."""
        steps = [workflow.Step(s.action, s.source, s.target, workflow.SYSTEM, None, s.asks_back) for s in self.steps]
        return Workflow("filing", Filing, self.labels, steps)

    def status(self, code: str) -> Status:
        """A status by its code."""
        return self._by_code[code]

    def allowed_documents(self) -> dict[str, Category]:
        """The categories of documents, by code."""
        return categories(*(document.category for document in self.documents))

    def step(self, action: str, status: str | None) -> Step | None:
        """The step of that action from that status."""
        return next((s for s in self.steps if s.action == action and s.source == status), None)

    def following(self, action: str, status: str) -> Step:
        """The step of the system that follows at once from that status; raises BrokenKind when none is declared."""
        step = self.step(action, status)
        if step is None or SYSTEM not in step.takers:
            raise BrokenKind(f"{self.place}: {self.code}: no step {action} of the system from {status}")
        return step

    def opening(self, action: str | None = None) -> Step:
        """The step of that action that opens one; the first by default."""
        return next(step for step in self.openings if action in (None, step.action))

    def wrong_status(self, status: str, action: str = "save") -> Problem:
        """409 with the status in which a filing stands, in the kind's own words where it has some for that action."""
        label = self.labels.get(status, status)
        detail = self.refusals.get((status, action)) or f"当前状态为“{label}”，不能执行该操作"
        return Problem("wrong_status", detail, current_status=status)


class FilingKinds(dict[str, FilingKind]):
    """All kinds of all systems by their code. Raises BrokenKind for a code that stands twice.

    `forms`: the JSON of the forms by code, to which the kinds must fit; None where they are not at hand.
    """

    def __init__(self, kinds: Sequence[FilingKind], forms: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__({kind.code: kind for kind in kinds})
        if len(self) != len(kinds):
            raise BrokenKind(f"a kind is declared twice: {sorted(kind.code for kind in kinds)}")
        if forms is not None:
            for kind in kinds:
                refuse_unfit(kind, forms)
        refuse_strange(self)

    def named(self, code: Any) -> FilingKind | None:
        """The kind of that code, whatever a caller sent as one."""
        return self.get(code) if isinstance(code, str) else None

    def statuses_of(self, code: str | None) -> frozenset[str]:
        """All statuses of a kind, or of every kind."""
        return frozenset(s for kind in self.values() if code in (None, kind.code) for s in kind.labels)

    @property
    def certificates(self) -> dict[str, CertificateKind]:
        """All kinds of certificates, by code."""
        return {one.code: one for kind in self.values() for one in kind.certificates}

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
