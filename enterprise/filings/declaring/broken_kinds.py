"""What makes the declaration of a kind of filing break: all of it at once, each with the file and line it stands on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from accounts.verbs import Verb
from assets.files.purposes import categories
from core.deadlines.periods import CONTINUE, DEADLINE, UNITS, WAITING, ZERO
from core.errors import Fault
from core.forms.definitions.conditions import read_condition
from core.forms.form import Form
from enterprise.filings.declaring import broken_outcomes
from enterprise.filings.declaring.broken_links import Found, of_others, of_rows
from enterprise.filings.declaring.declarations import APPLICANT, BACK, SYSTEM, Claim, Days, Lock, Party, Post, Step
from enterprise.filings.declaring.takers import System

if TYPE_CHECKING:
    from enterprise.filings.declaring.kinds import FilingKind

_VERBS = frozenset(verb.value for verb in Verb)


class BrokenKind(Exception):
    """A declaration that cannot work; a line for each fault, with its place."""


def refuse_broken(kind: "FilingKind") -> None:
    """Raises BrokenKind with all faults that the declaration shows by itself."""
    refuse(kind, _typed(kind))  # by itself: what is no post breaks the others
    parts = (_names, _ways, _who, _steps, _clocks, _documents, _paper, broken_outcomes.faults)
    refuse(kind, [fault for part in parts for fault in part(kind)])


def refuse_unfit(kind: "FilingKind", forms: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises BrokenKind for forms that there are not (`forms`: their JSON, by code), and for fields that one lacks."""
    missing = [(step.place, step.form) for step in kind.steps if step.form is not None and step.form not in forms]
    missing += [(kind.place, kind.form_code)] if kind.form_code not in forms else []
    refuse(kind, [(place, f"there is no form {code}") for place, code in missing])
    form = forms[kind.form_code]
    refuse(kind, [*_conditions(kind, Form.compile(form)), *of_rows(kind, Form.compile(form))])
    fields = {item["field"] for section in form["sections"] for item in section["items"] if "field" in item}
    refuse(kind, broken_outcomes.unfit(kind, forms))
    single = {"due_from": kind.due_from, "matter": kind.matter}
    named = {"fixed": kind.fixed, "listed": kind.listed, **{where: {name} for where, name in single.items() if name}}
    refuse(
        kind,
        [
            (kind.place, f"{where} names {name}, a field that the form {kind.form_code} does not have")
            for where, names in named.items()
            for name in sorted(set(names) - fields)
        ],
    )


def _paper(kind: "FilingKind") -> "Iterator[tuple[str, str]]":
    if kind.paper is not None and not kind.paper.is_file():
        yield kind.place, f"there is no template {kind.paper.name} in {kind.paper.parent}"


def _conditions(kind: "FilingKind", form: Form) -> "Iterator[tuple[str, str]]":
    """Locks and conditions about what the form does not have."""
    known = {item.name: item for item in form.items}
    names = {*known, *(f"documents/{document.category.code}" for document in kind.documents)}
    asked: list[tuple[str, str, Mapping[str, Any]]] = []
    for status in kind.statuses:
        locks = [(lock.name, lock.when) if isinstance(lock, Lock) else (lock, None) for lock in status.locks]
        for name in (*(name for name, _ in locks), *(status.opens or ())):
            if name not in names:
                yield (
                    status.place,
                    f"{status.code} locks or opens {name}, which the form {kind.form_code} does not have",
                )
        asked += [(status.place, name, when) for name, when in locks if when is not None]
    for clock in kind.clocks:
        by = clock.days.by if isinstance(clock.days, Days) else ()
        for name in (*by, *([clock.starts_from] if clock.starts_from is not None else [])):
            if name not in known:
                yield clock.place, f"the clock {clock.name} names {name}, which the form {kind.form_code} does not have"
        if clock.starts_from in known and known[clock.starts_from].type != "date":
            yield clock.place, f"the clock {clock.name} starts from {clock.starts_from}, which is no day"
    for one in kind.documents:
        conditions = (one.when, one.owed_when)
        asked += [(kind.place, one.category.code, when) for when in conditions if when is not None]
    for place, name, when in asked:
        faults: list[Fault] = []
        read_condition(when, "", known, faults)
        for fault in faults:
            yield place, f"the condition of {name} cannot be asked: {fault.message}"


def refuse(kind: "FilingKind", found: Iterable[tuple[str, str]]) -> None:
    lines = [f"{place}: {kind.code}: {sentence}" for place, sentence in found]
    if lines:
        raise BrokenKind("\n".join(dict.fromkeys(lines)))


def _names(kind: "FilingKind") -> Found:
    """Names of statuses and actions that there are not, or are there twice."""
    codes = [status.code for status in kind.statuses]
    for status in kind.statuses:
        if codes.count(status.code) > 1:
            yield status.place, f"the status {status.code} is declared twice"
        if status.shown_as is not None and status.shown_as not in codes:
            yield status.place, f"{status.code} is shown as the unknown status {status.shown_as}"
    for step in kind.steps:
        for name in (step.source, step.target):
            if name not in (None, BACK, *codes):
                yield step.place, f"{step.action} names the unknown status {name}"
        if sum((s.source, s.action) == (step.source, step.action) for s in kind.steps) > 1:
            yield step.place, f"{step.action} from {step.source} is declared twice"
    actions = {step.action for step in kind.steps}
    for status_code, action in kind.refusals:
        if status_code not in codes:
            yield kind.place, f"refusals names the unknown status {status_code}"
        if action not in actions:
            yield kind.place, f"refusals has words for {action}, an action that no step declares"
        if kind.step(action, status_code):
            yield kind.place, f"refusals has words for {action} from {status_code}, which can be taken"


def _ways(kind: "FilingKind") -> Found:
    """Statuses that cannot be reached or left."""
    openings = [step for step in kind.steps if step.source is None]
    if not openings:
        yield kind.place, "no step opens it"
    for status in kind.statuses:
        leaving = [step for step in kind.steps if step.source == status.code]
        if not leaving and not status.end:
            yield status.place, f"the status {status.code} is dead: no step leaves it, and it is no end"
        for step in leaving if status.end else ():
            yield step.place, f"{step.action} leads out of {status.code}, which is an end"
    asked = {step.source for step in kind.steps if step.asks_back}
    reached: set[str | None] = {None}
    while (
        more := {
            target
            for step in kind.steps
            if step.source in reached
            for target in (asked if step.target == BACK else [step.target])
        }
        - reached
    ):
        reached |= more
    for status in kind.statuses:
        if status.code not in reached:
            yield status.place, f"no step leads to the status {status.code}"
    for step in kind.steps:
        if step.target == BACK and not asked:
            yield step.place, f"{step.action} goes back, but no step asks for a correction"
        finished = {status.code for status in kind.statuses if status.is_finished}
        if step.source in finished and step.target not in finished and (kind.one_open or kind.rateable):
            yield step.place, f"{step.action} reopens what another may have taken the place of, or is rated"


def _typed(kind: "FilingKind") -> Found:
    """What stands where a post, a party or the system belongs."""
    of_steps = [(step.place, step.action, taker) for step in kind.steps for taker in _given(step.by)]
    of_statuses = [
        (status.place, status.code, taker)
        for status in kind.statuses
        for taker in (*_given(status.turn), *_given(status.edits))
    ]
    for place, name, taker in (*of_steps, *of_statuses):
        if not isinstance(taker, Post | Party | System):
            yield place, f"{name} falls to {taker!r}, which is no post, party or system"


def _given(by: Any) -> tuple[Any, ...]:
    return tuple(by) if isinstance(by, list | tuple) else (by,)


def _who(kind: "FilingKind") -> Found:
    """Posts without a verb, openers that cannot be there, turns in which nothing can be done."""
    codes = [post.code for post in kind.posts]
    if kind.route is None and any(post.delegable_to for post in kind.posts):
        yield kind.place, "a post can be delegated, but no office alone handles it: it has no route"
    for step in kind.steps:
        for taker in step.takers:
            if isinstance(taker, Post) and codes.count(taker.code) > 1:
                yield step.place, f"{step.action} falls to {taker.code}, a post that is declared twice and otherwise"
            if isinstance(taker, Post | Party) and taker.verb not in _VERBS:
                yield step.place, f"the post {taker.code} of {step.action} has the unknown verb {taker.verb}"
            if taker in kind.parties and not any(each.names for each in kind.steps):
                yield step.place, f"{step.action} falls to {taker.code}, whom no step names"
            if step.source is None and isinstance(taker, Party) and taker != APPLICANT:
                yield step.place, f"{step.action} is opened by {taker.code}, who is no party before it is open"
        if not step.takers:
            yield step.place, f"{step.action} is taken by nobody"
        if len(step.takers) > 1 and SYSTEM in step.takers:
            yield step.place, f"{step.action} is taken by the system and by people"
    for status in kind.statuses:
        for taker in (*status.turns, *status.editors):
            if isinstance(taker, Post | Party) and taker.verb not in _VERBS:
                yield status.place, f"the post {taker.code} of {status.code} has the unknown verb {taker.verb}"
        for taker in status.turns:
            if not any(step.source == status.code and taker in step.takers for step in kind.steps):
                yield status.place, f"it is the turn of {taker.code} in {status.code}, but no step falls to them"
        if status.todo is not None and not status.turns:
            yield status.place, f"the to-do of {status.code} is nobody's turn"


_NOT_CONFIRMING = (
    "sends", "restores", "asks_back", "route", "names", "clears", "extends", "on_other", "effect", "then", "many",
)  # fmt: skip
"""What a step cannot do that confirms: the filing stays as it is. (`broken_outcomes.py` says so of certificates.)"""


def _steps(kind: "FilingKind") -> Found:
    """Steps that ask for what there is not."""
    for step in kind.steps:
        by_system = SYSTEM in step.takers
        if step.sends and step.source is not None and not _edited(kind, step.source):
            yield step.place, f"{step.action} sends from {step.source}, in which nobody may edit"
        if step.sends and step.restores:
            yield step.place, f"{step.action} sends what it takes back"
        if step.confirms and not all(taker in kind.parties for taker in step.takers):
            yield step.place, f"{step.action} waits for confirmations of {_codes(step)}, who are no named party"
        if step.confirms and (step.target != step.source or any(getattr(step, name) for name in _NOT_CONFIRMING)):
            yield step.place, f"{step.action} confirms, and does something else besides"
        if step.confirms and not any(other.needs_confirmed in step.takers for other in kind.steps):
            yield step.place, f"{_codes(step)} confirm, and no step waits for it"
        if step.needs_confirmed is not None and not any(
            other.confirms and step.needs_confirmed in other.takers and other.source == step.source
            for other in kind.steps
        ):
            yield (
                step.place,
                f"{step.action} waits for {step.needs_confirmed.code}, who cannot confirm in {step.source}",
            )
        if step.form is not None and step.sends:
            yield step.place, f"{step.action} sends the filing's form and has one of its own"
        if by_system and (step.form is not None or step.documents or step.other_than):
            yield step.place, f"{step.action} demands of the system what only people can give"
        for action in step.other_than:
            if not any(other.action == action for other in kind.steps):
                yield step.place, f"{step.action} is taken by others than {action}, an action that no step declares"
        if step.comment and by_system:
            yield step.place, f"{step.action} demands a comment of the system"


def _codes(step: Step) -> str:
    return ", ".join(taker.code for taker in step.takers)


def _edited(kind: "FilingKind", code: str) -> bool:
    return any(status.code == code and status.editors for status in kind.statuses)


def _clocks(kind: "FilingKind") -> Found:
    """Clocks that cannot run, or that nobody can wait for."""
    codes = {status.code for status in kind.statuses}
    names = [clock.name for clock in kind.clocks]
    for clock in kind.clocks:
        if names.count(clock.name) > 1:
            yield clock.place, f"the clock {clock.name} is declared twice"
        shortest = min(clock.days.table.values(), default=1) if isinstance(clock.days, Days) else clock.days
        known = clock.unit in UNITS and clock.again in (ZERO, CONTINUE) and clock.counting in (DEADLINE, WAITING)
        if not known or shortest < 1 or (isinstance(clock.days, Days) and clock.days.default < 1):
            yield clock.place, f"the clock {clock.name} cannot run"
        if not clock.runs_in:
            yield clock.place, f"the clock {clock.name} runs in no status"
        elif {*clock.runs_in} <= kind.final:
            yield clock.place, f"the clock {clock.name} runs only in ends"
        for code in sorted({*clock.runs_in} & {*clock.pauses_in}):
            yield clock.place, f"the clock {clock.name} runs and pauses in {code}"
        for code in [*clock.runs_in, *clock.pauses_in]:
            if code not in codes:
                yield clock.place, f"the clock {clock.name} names the unknown status {code}"
        for code in clock.runs_in if clock.rings is not None else ():
            ringing = kind.step(clock.rings or "", code)
            if ringing is not None and ringing.target in clock.runs_in:
                yield clock.place, f"{clock.name} rings {clock.rings}, which stays where the clock runs"
            if ringing is None or SYSTEM not in ringing.takers:
                yield (
                    clock.place,
                    f"{clock.name} rings {clock.rings} in {code}, where the system cannot take it",
                )
    for claim in kind.claims:
        for code in {*claim.statuses} - codes:
            yield claim.place, f"the claim {claim.name} names the unknown status {code}"
        opened = {step.target for step in kind.steps if step.source is None and not step.sends}
        for code in sorted({*claim.statuses} & opened):
            yield claim.place, f"the claim {claim.name} is held in {code}, where nothing was sent yet"
        yield from _giving_way(kind, claim)
    for step in kind.steps:
        if step.extends is not None and step.extends[0] not in names:
            yield step.place, f"{step.action} extends the unknown clock {step.extends[0]}"
        if step.extends is not None and not step.comment:
            yield step.place, f"{step.action} extends a time limit without a reason"
        if step.needs_over is not None and not _runs(kind, step):
            yield (
                step.place,
                f"{step.action} waits for {step.needs_over}, a clock that does not run in {step.source}",
            )


def _giving_way(kind: "FilingKind", claim: Claim) -> Found:
    """The step by which a holder gives way is one of the system, and leads to where the key is free."""
    ways = [step for step in kind.steps if step.action == claim.gives_way and SYSTEM in step.takers]
    if claim.gives_way is not None and not ways:
        yield claim.place, f"the claim {claim.name} gives way by {claim.gives_way}, no step of the system"
    for step in ways:
        if step.target in claim.statuses:
            yield step.place, f"{step.action} gives way, and leads to {step.target}, where {claim.name} is held"


def refuse_strange(kinds: "Mapping[str, FilingKind]") -> None:
    """Raises BrokenKind for what a kind says of another one: an action on it that it does not know, rows of none."""
    for kind in kinds.values():
        refuse(kind, of_others(kind, kinds))


def _runs(kind: "FilingKind", step: Step) -> bool:
    return any(clock.name == step.needs_over and step.source in clock.runs_in for clock in kind.clocks)


def _documents(kind: "FilingKind") -> Found:
    for document in kind.documents:
        if document.owed_when is not None and document.required == "never":
            yield kind.place, f"{document.category.code} may be owed, but is never demanded"
    owed = [document.category.code for document in kind.documents if document.owed_when is not None]
    if owed and not any(status.demands_owed for status in kind.statuses):
        yield kind.place, f"{owed[0]} may be owed, and no status demands what is owed"
    if any(status.demands_owed and not status.editors for status in kind.statuses):
        place = next(one.place for one in kind.statuses if one.demands_owed and not one.editors)
        yield place, "what is owed is demanded in a status in which nobody may edit"
    each = [(kind.place, kind.documents), *((step.place, step.documents) for step in kind.steps)]
    for place, documents in each:
        try:
            categories(*(document.category for document in documents))
        except ValueError as error:
            yield place, str(error)
