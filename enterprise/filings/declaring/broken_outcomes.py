"""What breaks what a kind of filing declares of numbers, certificates and counters: see `broken_kinds.py`."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.workflows.workflow import BACK
from enterprise.certificates import broken
from enterprise.certificates.declarations import RELEASE, RESERVE, SETTLE, TAKE, Amends, Draws, Issues
from enterprise.filings.declaring.declarations import SYSTEM, Step

if TYPE_CHECKING:
    from enterprise.filings.declaring.kinds import FilingKind

Found = Iterator[tuple[str, str]]
Forms = Mapping[str, Mapping[str, Any]]


def faults(kind: "FilingKind") -> Found:
    """What the declaration shows by itself."""
    yield from _numbers(kind)
    for certificate in kind.certificates:
        yield from broken.of_certificate(certificate)
    yield from _certificates(kind)
    yield from _draws(kind)
    yield from _reserves(kind)


def unfit(kind: "FilingKind", forms: Forms) -> Found:
    """What only the forms can tell."""
    fields = broken.fields_of(forms[kind.form_code])
    if kind.number is not None:
        yield from broken.of_number(kind.number, fields, kind.form_code)
    for certificate in kind.certificates:
        yield from broken.of_contents(certificate, forms)
    for step in kind.steps:
        yield from _contents(kind, step, forms)
    about = kind.about
    if about is not None and about.kind.form_code in forms:
        of_certificate = broken.fields_of(forms[about.kind.form_code])
        for name in about.copies:
            if name not in fields or name not in of_certificate:
                yield (
                    about.place,
                    f"about copies {name}, which not both {kind.form_code} and the certificate have",
                )
    if kind.draws is not None:
        yield from _drawn_fields(kind, kind.draws, forms)


def _numbers(kind: "FilingKind") -> Found:
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


def _certificates(kind: "FilingKind") -> Found:
    """Steps that change a certificate that is not there, or into what it never is."""
    own = {step.certificate.kind.code for step in kind.steps if isinstance(step.certificate, Issues)}
    own |= {kind.about.kind.code} if kind.about is not None else set()
    for step in kind.steps:
        outcome = step.certificate
        if outcome is None:
            continue
        if step.confirms:
            yield step.place, f"{step.action} confirms, and does something to a certificate besides"
        if step.source is None and SYSTEM in step.takers:
            yield step.place, f"{step.action} is opened by the system, which does nothing to certificates"
        if isinstance(outcome, Issues):
            claimed = {claim.name for claim in kind.claims}
            for name in outcome.kind.claims:
                if name not in claimed:
                    yield (
                        step.place,
                        f"{outcome.kind.code} takes over the claim {name}, which is not made",
                    )
            continue
        if outcome.kind.code not in own:
            yield step.place, f"{step.action} changes {outcome.kind.code}, which it neither issues nor is about"
        for status in (*outcome.when, *([outcome.to] if outcome.to is not None else [])):
            if status not in outcome.kind.by_code:
                yield step.place, f"{step.action} names {status}, a status that {outcome.kind.code} does not have"
        for status in outcome.when:
            if status in outcome.kind.by_code and status not in outcome.kind.holding:
                yield step.place, f"{step.action} leads {outcome.kind.code} out of {status}, which is an end"
        if isinstance(outcome, Amends) and outcome.anew and outcome.kind.validity is None:
            yield step.place, f"{step.action} counts the validity of {outcome.kind.code} anew, which has none"
    if kind.about is not None:
        for status in kind.about.when:
            if status not in kind.about.kind.by_code:
                yield kind.about.place, f"about names {status}, a status that {kind.about.kind.code} does not have"


def _draws(kind: "FilingKind") -> Found:
    """Steps that draw where there is nothing to draw on."""
    drawing = [step for step in kind.steps if step.draw is not None]
    draws, counters = kind.draws, kind.about.kind.counters if kind.about is not None else None
    for step in drawing:
        if draws is None:
            yield step.place, f"{step.action} draws, but the kind does not say on what"
        if step.confirms or (step.source is None and SYSTEM in step.takers):
            yield step.place, f"{step.action} draws, which neither a confirmation nor the system can"
    if draws is None:
        return
    if counters is None:
        yield draws.place, "it draws, but is about no certificate with counters"
        return
    for name in draws.quantities:
        if name not in {counter.name for counter in counters.each}:
            yield draws.place, f"it draws on {name}, a counter that the certificate does not have"
    if not drawing:
        yield draws.place, "no step draws"


def _reserves(kind: "FilingKind") -> Found:
    """What is reserved must be settled or released once, before the end, on every way."""
    if not any(step.draw is not None for step in kind.steps):
        return
    asked = {step.source for step in kind.steps if step.asks_back}
    seen: set[tuple[str | None, bool]] = set()
    open_ways: list[tuple[str | None, bool]] = [(None, False)]
    while open_ways:
        status, bound = open_ways.pop()
        if (status, bound) in seen:
            continue
        seen.add((status, bound))
        if status is not None and bound and any(one.code == status and one.end for one in kind.statuses):
            yield _place_of(kind, status), f"it may end in {status} with what is reserved neither settled nor released"
        for step in kind.steps:
            if step.source != status:
                continue
            if step.draw == RESERVE and bound:
                yield step.place, f"{step.action} reserves in {status} what may be reserved already"
            if step.draw in (SETTLE, RELEASE) and not bound:
                yield step.place, f"{step.action} settles or releases in {status} what may not be reserved"
            now = step.draw == RESERVE or (bound and step.draw not in (SETTLE, RELEASE))
            open_ways += [(target, now) for target in (asked if step.target == BACK else [step.target])]


def _place_of(kind: "FilingKind", code: str) -> str:
    return next(status.place for status in kind.statuses if status.code == code)


def _contents(kind: "FilingKind", step: Step, forms: Forms) -> Found:
    """What a certificate demands must stand in the filing or in the step's form, unless a hook says it."""
    outcome = step.certificate
    if not isinstance(outcome, Issues) or outcome.kind.form_code not in forms:
        return
    said = broken.fields_of(forms[kind.form_code])
    said |= broken.fields_of(forms[step.form]) if step.form is not None else {}
    wanted = broken.fields_of(forms[outcome.kind.form_code])
    for name in sorted(wanted) if outcome.kind.content is None else ():
        if wanted[name].get("required") and name not in said:
            yield step.place, f"{step.action} issues {outcome.kind.code}, which demands {name}: nobody fills it in"
    if outcome.kind.validity is not None and outcome.kind.validity.until not in (None, *said, *wanted):
        yield (
            outcome.kind.validity.place,
            f"the validity of {outcome.kind.code} ends with {outcome.kind.validity.until}, which nobody fills in",
        )
    yield from broken.of_number(outcome.kind.number, said | wanted, outcome.kind.form_code)


def _drawn_fields(kind: "FilingKind", draws: Draws, forms: Forms) -> Found:
    """The rows in which a form says what is drawn."""
    asking = {
        step.form if step.form is not None and not step.sends else kind.form_code
        for step in kind.steps if step.draw in (RESERVE, TAKE)
    }  # fmt: skip
    asking |= {step.form for step in kind.steps if step.draw == SETTLE and step.form is not None}
    for code in sorted(asking):
        group = broken.fields_of(forms[code]).get(draws.group)
        if group is None or group["type"] != "group":
            yield draws.place, f"it draws what the rows of {draws.group} say, no group of the form {code}"
            continue
        known = {item["field"] for item in group["items"] if "field" in item}
        for name in (draws.line, *draws.quantities.values()):
            if name not in known:
                yield draws.place, f"it draws by {name}, a field that the rows of {draws.group} in {code} do not have"
