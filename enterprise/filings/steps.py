"""Taking a step: checks, frozen versions, confirmations, clocks, to-dos, effects."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.deadlines import clocks
from core.errors import Fault, Problem, invalid
from core.forms.check import Checked
from core.forms.sealing import readable, sealed
from core.jobs.one_by_one import OneByOne
from core.models import Clock, Confirmation
from core.text import clean, demanded
from core.workflow import SYSTEM
from enterprise.filings.engine import DELETED, FINISHED, Filings, show_todo, wrong_status
from enterprise.filings.integrity import content_digest
from enterprise.filings.kinds import OFFICE, FilingKind, FilingStep
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find, found
from enterprise.filings.working_copy import as_date, release_all_but


def act_by_system(session: Session, engine: Filings, filing: Filing, action: str) -> None:
    """A step of the system: a clock rang, or another step brings it about."""
    kind = engine.kind_of(filing)
    step = kind.step(action, filing.status)
    if step is None or step.who != SYSTEM:
        raise wrong_status(kind, filing)
    take(session, engine, kind, filing, step, None, {})


def take(
    session: Session,
    engine: Filings,
    kind: FilingKind,
    filing: Filing,
    step: FilingStep,
    actor: Actor | None,
    body: Mapping[str, Any],
) -> Filing:
    """Take a step that the actor may take, and return the filing as it then stands.

    Nothing is written when it is refused.
    """
    comment = body.get("comment")
    comment = clean(comment) if isinstance(comment, str) else None
    if step.comment:
        demanded(comment, "/comment", f"{step.label}须填写意见或原因")
    if step.needs_over is not None and not clocks.is_over(session, filing.id, step.needs_over):
        raise Problem("too_early")
    values: dict[str, Any] = {"updated_at": clock.now()}
    if step.asks_back and body.get("due_on") is not None:
        values["due_on"] = _new_due_date(body["due_on"])
        if kind.due_from is not None:
            values["data"] = {**filing.data, kind.due_from: values["due_on"].isoformat()}
    payload: dict[str, Any] = {"comment": comment} if comment else {}
    if step.confirmations > 1 and not _confirmed(session, kind, filing, step, actor, payload):
        return found(session, filing.id)
    steps = [step]
    version: dict[str, Any] | None = None
    if step.sends:
        version, checked = _to_send(session, engine, kind, filing, actor)
        values |= _sent(filing, version)
        payload |= {"sent": version["number"], "content": content_digest(version)}
        if step.then is not None:
            steps.append(kind.following(step.then(checked), step.target))
    if step.restores:
        values |= _sent_last(session, kind, filing)
    values |= _ended(kind, filing, steps, comment)
    moved = kind.workflow.take(session, actor, filing, [one.action for one in steps], values, payload, version)
    for one in steps:
        run_clock(session, one, moved)
    show_todo(session, kind, moved)
    if moved.status == DELETED or step.restores:
        release_all_but(session, moved.id, set())
    return _followed(session, engine, kind, steps, moved)


def _followed(
    session: Session, engine: Filings, kind: FilingKind, steps: Sequence[FilingStep], moved: Filing
) -> Filing:
    """Bring about what follows from steps that were taken; the filing as it then stands."""
    effects = [step.effect for step in steps if step.effect is not None]
    for effect in effects:
        effect(engine, session, moved)
    # Asked of the steps, not of the status: an effect may have moved the filing on, and that move tells of itself.
    if any(step.target in kind.final for step in steps):
        clocks.stop(session, moved.id)
        if kind.rateable:
            engine.events.emit(session, FINISHED, filing=moved, kind=kind)
    return found(session, moved.id) if effects else moved


def _ended(kind: FilingKind, filing: Filing, steps: Sequence[FilingStep], comment: str | None) -> dict[str, Any]:
    """Whether steps finish a filing, and the opinion that stands on it then: the last decision's, or none.

    An enterprise decides nothing: its own words are told in the history alone, and what an office said last stays
    while the filing is under way.
    """
    was_over, is_over = filing.status in kind.final, any(step.target in kind.final for step in steps)
    values: dict[str, Any] = {}
    if steps[0].who == OFFICE:
        values["opinion"] = comment
    elif is_over and not was_over:
        values["opinion"] = None
    if is_over:
        values |= {"open_key": None, "finished_at": filing.finished_at if was_over else clock.now()}
    elif was_over:
        values["finished_at"] = None
    return values


def _sent(filing: Filing, version: Mapping[str, Any]) -> dict[str, Any]:
    late = filing.due_on is not None and clock.today() > filing.due_on
    values = {"sent": version["number"], "sent_at": version["sent_at"], "late": late or filing.late}
    return values if version["data"] == filing.data else values | {"data": version["data"]}


def _sent_last(session: Session, kind: FilingKind, filing: Filing) -> dict[str, Any]:
    """The working copy as it was sent last; 409 for a filing that never was."""
    newest = (FilingVersion.filing_id == filing.id) & (FilingVersion.number == filing.sent)
    names = ("form_code", "form_version", "data", "documents")
    row = session.execute(select(*(getattr(FilingVersion, name) for name in names)).where(newest)).first()
    if row is None:
        raise wrong_status(kind, filing)
    return dict(zip(names, row, strict=True))


def _new_due_date(value: Any) -> date:
    due_on = as_date(value)
    if due_on is None:
        raise invalid("/due_on", "bad_format", "期限不是有效的日期，请按“2026-11-20”的形式填写")
    if due_on < clock.today():
        raise invalid("/due_on", "out_of_range", "新的期限不能早于今天，请重新选择")
    return due_on


def _to_send(
    session: Session, engine: Filings, kind: FilingKind, filing: Filing, actor: Actor | None
) -> tuple[dict[str, Any], Checked]:
    """Check the working copy whole; the row of `filing_versions` that freezes it, and what the form found."""
    if not filing.saved:
        raise invalid("/data", "not_saved", "填报内容还没有保存，请先保存后再提交")
    form = engine.forms.get(filing.form_code, filing.form_version).form
    today = clock.today()
    clear = readable(form, filing.data, clear=True)
    checked = form.check(clear, submit=True, today=today)
    faults = [Fault(f"/data{fault.path}", fault.code, fault.message) for fault in checked.faults]
    present = {one["category"] for one in filing.documents}
    for document in kind.documents:
        needed = document.required == "always" or (document.required == "problems" and checked.problems_found)
        if needed and document.category.code not in present:
            faults.append(Fault("/documents", "required", f"请上传“{document.category.label}”"))
    if kind.check is not None:
        faults += kind.check(session, filing, checked.values, today)
    if faults:
        raise Problem("invalid", errors=faults)
    row = {
        "id": uuid4(), "filing_id": filing.id, "number": filing.sent + 1, "form_code": form.code,
        "form_version": form.version,
        "data": filing.data if checked.values == clear else sealed(form, checked.values),
        "documents": filing.documents, "sent_by": actor.user_id if actor else None,
        "operator_name": actor.operator_name if actor else None, "sent_at": clock.now(),
    }  # fmt: skip
    return row, checked


def _confirmed(
    session: Session,
    kind: FilingKind,
    filing: Filing,
    step: FilingStep,
    actor: Actor | None,
    payload: dict[str, Any],
) -> bool:
    """Note this user's confirmation; True when as many different users as needed have confirmed.

    Each but the last, whose row is the move's, stands in the history with how many there were by then.
    """
    assert actor is not None
    # The row lock makes the confirmations of one filing wait for each other, so that the last one counts all.
    locked = session.execute(
        update(Filing)
        .where(Filing.id == filing.id, Filing.round == filing.round)
        .values(updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if getattr(locked, "rowcount", 0) != 1:
        raise wrong_status(kind, filing, session.scalar(select(Filing.status).where(Filing.id == filing.id)))
    mine = (filing.id, step.action, filing.round, actor.user_id)
    if session.get(Confirmation, mine) is not None:
        raise Problem("already_confirmed")
    session.execute(
        insert(Confirmation).values(
            subject_id=filing.id, step=step.action, round=filing.round, user_id=actor.user_id, at=clock.now()
        )
    )
    given = session.execute(
        select(func.count())
        .select_from(Confirmation)
        .where(
            Confirmation.subject_id == filing.id,
            Confirmation.step == step.action,
            Confirmation.round == filing.round,
        )
    ).scalar_one()
    payload["confirmations"] = given
    if given < step.confirmations:
        kind.workflow.tell(session, actor, filing, step.action, payload)
        return False
    return True


def run_clock(session: Session, step: FilingStep, filing: Filing) -> None:
    """Start, pause and stop the clocks that a step names."""
    if step.pauses is None and step.stops is None and step.starts is None:
        return
    calendar = clocks.working_calendar(session, (filing.area1, filing.area2, filing.area3))
    if step.pauses is not None:
        clocks.pause(session, filing.id, step.pauses, calendar)
    if step.stops is not None:
        clocks.stop(session, filing.id, step.stops)
    if step.starts is not None:
        rule = step.starts
        clocks.start(
            session, ("filing", filing.id), rule.name, unit=rule.unit, days=rule.days,
            on_restart=rule.on_restart, calendar=calendar,
        )  # fmt: skip


def bell(engine: Filings) -> OneByOne[clocks.Due]:
    """Does what running clocks ask for whose last day is over (a job of the scheduler), one filing a transaction."""

    def ring(session: Session, key: clocks.Due) -> bool:
        row = clocks.ring(session, key[1])
        return row is not None and row.subject_type == "filing" and _act_on(session, engine, row)

    return OneByOne("clock", clocks.due, ring)


def _act_on(session: Session, engine: Filings, row: Clock) -> bool:
    filing = find(session, row.subject_id)
    kind = engine.kinds.get(filing.kind) if filing is not None else None
    if filing is None or kind is None:
        return False
    action = next((s.starts.rings for s in kind.steps if s.starts and s.starts.name == row.name), None)
    step = kind.step(action, filing.status) if action else None
    if step is not None:
        act_by_system(session, engine, filing, step.action)
    return step is not None
