"""Taking a step: checks, frozen versions, confirmations, clocks, to-dos, effects."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core import clock, clocks, todos
from core.actor import Actor
from core.errors import Fault, Problem, invalid
from core.forms.sealing import readable, sealed
from core.models import Confirmation
from core.workflow import SYSTEM
from enterprise.filings.engine import FINISHED, TODO, Filings, show_todo, wrong_status
from enterprise.filings.kinds import FilingKind, FilingStep
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.working_copy import as_date


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
) -> None:
    """Take a step that the actor may take; nothing is written when it is refused."""
    comment = body.get("comment")
    comment = comment.strip() if isinstance(comment, str) else None
    if step.comment and not comment:
        raise invalid("/comment", "required", f"{step.label}须填写意见或原因")
    if step.needs_over is not None and not clocks.is_over(session, filing.id, step.needs_over):
        raise Problem("too_early")
    values: dict[str, Any] = {"updated_at": clock.now()}
    if step.comment or comment:
        values["opinion"] = comment
    if step.asks_back and (due_on := as_date(body.get("due_on"))):
        values["due_on"] = due_on
    if step.sends:
        values |= _send(session, engine, kind, filing, actor)
    if step.target in kind.final:
        values |= {"open_key": None, "finished_at": clock.now()}
    if step.confirmations > 1 and not _confirmed(session, filing, step, actor):
        return
    values["round"] = filing.round + 1
    kind.workflow.move(session, actor, filing, step.action, values, {"comment": comment} if comment else None)
    moved = session.get_one(Filing, filing.id, populate_existing=True)
    run_clock(session, step, moved)
    todos.close(session, moved.id, TODO)
    show_todo(session, kind, moved)
    if step.effect is not None:
        step.effect(engine, session, moved)
    if moved.status in kind.final:
        clocks.stop(session, moved.id)
        if kind.rateable:
            engine.events.emit(session, FINISHED, filing=moved, kind=kind)


def _send(session: Session, engine: Filings, kind: FilingKind, filing: Filing, actor: Actor | None) -> dict[str, Any]:
    """Check the working copy whole and freeze it as the next version."""
    if not filing.saved:
        raise invalid("/data", "not_saved", "请先保存后再提交")
    form = engine.forms.get(filing.form_code, filing.form_version).form
    today = clock.today()
    checked = form.check(readable(form, filing.data, clear=True), submit=True, today=today)
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
    data = sealed(form, checked.values)
    session.execute(
        insert(FilingVersion).values(
            id=uuid4(), filing_id=filing.id, number=filing.sent + 1, form_code=form.code,
            form_version=form.version, data=data, documents=filing.documents,
            sent_by=actor.user_id if actor else None, operator_name=actor.operator_name if actor else None,
            sent_at=clock.now(),
        )
    )  # fmt: skip
    late = filing.due_on is not None and today > filing.due_on
    return {"data": data, "sent": filing.sent + 1, "sent_at": clock.now(), "late": late or filing.late}


def _confirmed(session: Session, filing: Filing, step: FilingStep, actor: Actor | None) -> bool:
    """Note this user's confirmation; True when as many different users as needed have confirmed."""
    assert actor is not None
    mine = (filing.id, step.action, filing.round, actor.user_id)
    if session.get(Confirmation, mine) is not None:
        raise Problem("already_confirmed")
    # The row lock makes the confirmations of one filing wait for each other, so that the last one counts all.
    session.execute(
        update(Filing)
        .where(Filing.id == filing.id)
        .values(updated_at=clock.now())
        .execution_options(synchronize_session=False)
    )
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
    return given >= step.confirmations


def run_clock(session: Session, step: FilingStep, filing: Filing) -> None:
    """Start, pause and stop the clocks that a step names."""
    if step.pauses is None and step.stops is None and step.starts is None:
        return
    calendar = clocks.working_calendar(session)
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


def ring_clocks(session: Session, engine: Filings) -> int:
    """Act what running clocks ask for whose last day is over (a job of the scheduler)."""
    done = 0
    for row in clocks.due(session):
        if row.subject_type != "filing" or not clocks.ring(session, row):
            continue
        filing = session.get(Filing, row.subject_id, populate_existing=True)
        if filing is None:
            continue
        kind = engine.kind_of(filing)
        action = next((s.starts.rings for s in kind.steps if s.starts and s.starts.name == row.name), None)
        step = kind.step(action, filing.status) if action else None
        if step is not None:
            act_by_system(session, engine, filing, step.action)
            done += 1
    return done
