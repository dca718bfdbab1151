"""Taking a step of a filing, by a user (`act`) or by the system (`act_by_system`).

In this order: find → readable? → repeated? → which step, and whose → version → guard → what the body says → others who
must confirm → validate → move, with history → clocks and to-dos → files → effects. Whatever refuses stands before the
move; an effect that refuses rolls the whole transaction back.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.deadlines import clocks
from core.errors import Problem, invalid, not_found
from core.forms.sealing import moved
from core.models import Confirmation
from core.text import clean, demanded
from core.workflows import history, idempotency
from core.workflows.versions import refuse_stale
from core.workflows.workflow import SYSTEM
from enterprise.filings.access import reading_side
from enterprise.filings.clocks_and_todos import due, replace_todo, run_clocks
from enterprise.filings.content import CONTENT, content_digest, data_place, version_place
from enterprise.filings.kinds import OFFICE, FilingKind, Filings, FilingStep
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.moves import after, find, found, lock, write_move
from enterprise.filings.sending import NOT_TRIED, Tried, as_sent, phone_says, validate, version_row_of
from enterprise.filings.tries import first_try
from enterprise.filings.working_copy import as_date, release_all_but

FINISHED = "filing.finished"
"""Event: a filing of a rateable kind reached a final status. Details: `filing`, `kind`."""


def act(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, action: str, body: Mapping[str, Any]
) -> Filing:
    """Take a step as a user, and return the filing as it then stands; a repetition returns it as it is now.

    `body`: the `version` that was read, a `comment` where the step asks for one, a new `due_on` with a step that asks
    for a correction. Raises 404 for a filing that the actor may not read and for an action that its kind does not
    know, 403 for a step of the other side, 409 `wrong_status`, `stale_version` or what a guard says, 422.
    """
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    key = idempotency.key(actor.user_id, f"filings.{action}", filing_id, body)
    if filing.status == DELETED and idempotency.is_claimed(session, key):
        return filing
    side = reading_side(actor, filing)
    if not idempotency.claim(session, key):
        return found(session, filing_id)
    kind = engine.kind_of(filing)
    step = _step_of(kind, filing, action, side)
    refuse_stale(filing.version, body)
    tried = Tried(first_try(session, key), phone_says(body)) if step.sends else NOT_TRIED
    return _take(session, engine, kind, filing, step, actor, body, tried)


def act_by_system(session: Session, engine: Filings, filing: Filing, action: str) -> None:
    """Take a step of the system: a clock rang, or the effect of another step brings it about."""
    kind = engine.kind_of(filing)
    step = kind.step(action, filing.status)
    if step is None or step.who != SYSTEM:
        raise kind.wrong_status(filing.status)
    _take(session, engine, kind, filing, step, None, {}, NOT_TRIED)


def _step_of(kind: FilingKind, filing: Filing, action: str, side: str) -> FilingStep:
    """The step of that action from the filing's status, if it falls to that side."""
    if not any(step.action == action for step in kind.steps):
        raise not_found()
    step = kind.step(action, filing.status)
    if step is None:
        raise kind.wrong_status(filing.status, action)
    if step.who != side:
        raise Problem("forbidden")
    return step


def _take(
    session: Session,
    engine: Filings,
    kind: FilingKind,
    filing: Filing,
    step: FilingStep,
    actor: Actor | None,
    body: Mapping[str, Any],
    tried: Tried,
) -> Filing:
    """Take a step that falls to the actor (None: the system). Nothing is written when it is refused."""
    if step.guard is not None:
        step.guard(filing, actor)
    comment = _comment(step, body)
    if step.needs_over is not None and not clocks.is_over(session, filing.id, step.needs_over):
        raise Problem("too_early")
    values: dict[str, Any] = {"updated_at": clock.now(), **_new_due_date(session, kind, step, filing, body)}
    payload: dict[str, Any] = {"comment": comment} if comment else {}
    if step.confirmations > 1 and not _is_last_confirmation(session, kind, filing, step, actor, payload):
        return found(session, filing.id)

    steps = [step]
    version_row: dict[str, Any] | None = None
    if step.sends:
        checked, data = validate(session, engine, kind, filing)
        values |= as_sent(filing, data, tried)
        version_row = version_row_of(filing, data, values["sent_at"], actor, tried)
        payload |= {"sent": values["sent"], "content": content_digest(version_row)}
        if tried.at is not None:
            payload["tried_at"] = clock.rfc3339(tried.at)
        if step.then is not None:
            steps.append(kind.following(step.then(checked), step.target))
    if step.restores:
        values |= _sent_last(session, kind, filing)
    values |= _end(kind, filing, steps, comment)

    moved = after(filing, step, values)
    rows = [_history_row(step, moved, actor, payload)]
    for following in steps[1:]:
        if following.guard is not None:
            following.guard(moved, None)
        moved = after(moved, following, {})
        rows.append(_history_row(following, moved, None, {}))
    write_move(session, kind, filing, moved, step.action, version_row)
    history.append_all(session, rows)
    for one in steps:
        run_clocks(session, one, moved)
    replace_todo(session, kind, moved)
    if moved.status == DELETED or step.restores:
        release_all_but(session, moved.id, set())
    return _take_effect(session, engine, kind, steps, moved)


def _comment(step: FilingStep, body: Mapping[str, Any]) -> str | None:
    comment = body.get("comment")
    comment = clean(comment) if isinstance(comment, str) else None
    if step.comment:
        demanded(comment, "/comment", f"{step.label}须填写意见或原因")
    return comment


def _new_due_date(
    session: Session, kind: FilingKind, step: FilingStep, filing: Filing, body: Mapping[str, Any]
) -> dict[str, Any]:
    """What changes with the due date that a step which asks for a correction may set anew."""
    if not step.asks_back or body.get("due_on") is None:
        return {}
    due_on = as_date(body["due_on"])
    if due_on is None:
        raise invalid("/due_on", "bad_format", "期限不是有效的日期，请按“2026-11-20”的形式填写")
    if due_on < clock.today():
        raise invalid("/due_on", "out_of_range", "新的期限不能早于今天，请重新选择")
    values = due(session, filing, due_on)
    if kind.due_from is not None:
        values["data"] = {**filing.data, kind.due_from: due_on.isoformat()}
    return values


def _is_last_confirmation(
    session: Session,
    kind: FilingKind,
    filing: Filing,
    step: FilingStep,
    actor: Actor | None,
    payload: dict[str, Any],
) -> bool:
    """Store this user's confirmation; True when as many different users as needed have confirmed.

    Each confirmation but the last, whose row is that of the move, is a row of the history with their number so far.
    """
    assert actor is not None
    # Confirmations of one filing wait for each other here, so that the last one counts all.
    now = lock(session, filing.id)
    if now is None or now.round != filing.round:
        raise kind.wrong_status(now.status if now is not None else filing.status)
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
    if given >= step.confirmations:
        return True
    history.append(session, _history_row(step, filing, actor, payload))
    return False


def _history_row(step: FilingStep, moved: Filing, actor: Actor | None, payload: Mapping[str, Any]) -> history.Move:
    """The row of a step by the actor (None: the system) that left the filing as `moved`."""
    by, said = (actor.user_id, actor.as_payload()) if actor is not None else (None, {})
    return history.Move(
        "filing", moved.id, step.action, step.source, moved.status, moved.version, by, {**said, **payload}
    )


def _sent_last(session: Session, kind: FilingKind, filing: Filing) -> dict[str, Any]:
    """The working copy as it was sent last; 409 for a filing that never was."""
    newest = (FilingVersion.filing_id == filing.id) & (FilingVersion.number == filing.sent)
    columns = (getattr(FilingVersion, name) for name in CONTENT)
    row = session.execute(select(FilingVersion.id, *columns).where(newest)).first()
    if row is None:
        raise kind.wrong_status(filing.status)
    version_id, *content = row
    sent = dict(zip(CONTENT, content, strict=True))
    return {**sent, "data": moved(sent["data"], version_place(version_id), data_place(filing.id))}


def _end(kind: FilingKind, filing: Filing, steps: Sequence[FilingStep], comment: str | None) -> dict[str, Any]:
    """The columns `finished` and `opinion` after these steps; the opinion is that of the last decision, or none.

    An enterprise decides nothing: its own words stand in the history alone, and what an office said last stays while
    the filing is under way.
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


def _take_effect(
    session: Session, engine: Filings, kind: FilingKind, steps: Sequence[FilingStep], moved: Filing
) -> Filing:
    """Bring about what follows from steps that were taken; the filing as it then stands."""
    effects = [step.effect for step in steps if step.effect is not None]
    for effect in effects:
        effect(engine, session, moved)
    # By the steps, not by the status: an effect may have moved the filing on, and that move emits its own event.
    if any(step.target in kind.final for step in steps):
        clocks.stop(session, moved.id)
        if kind.rateable:
            engine.events.emit(session, FINISHED, filing=moved, kind=kind)
    return found(session, moved.id) if effects else moved
