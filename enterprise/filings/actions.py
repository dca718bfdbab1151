"""Taking a step of a filing, by a user (`act`) or by the system (`act_by_system`).

In this order: find → readable? → repeated? → which step, and whose → version → guard → what the body says → others who
must confirm → validate → move, with history → clocks and to-dos → files → effects. Whatever refuses stands before the
move; an effect that refuses rolls the whole transaction back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from enterprise.filings.access import Standing, demanded_standing
from enterprise.filings.clocks_and_todos import due, replace_todo, run_clocks
from enterprise.filings.content import CONTENT, content_digest, data_place, version_place
from enterprise.filings.declarations import APPLICANT, SYSTEM, By, Move, Step
from enterprise.filings.kinds import FilingKind, Filings
from enterprise.filings.models import DELETED, Filing, FilingVersion
from enterprise.filings.moves import after, as_it_will_be, find, found, lock, write_move
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
    stands = demanded_standing(engine, actor, filing)
    if not idempotency.claim(session, key):
        return found(session, filing_id)
    kind = engine.kind_of(filing)
    step, by = _step_of(kind, filing, action, stands)
    refuse_stale(filing.version, body)
    tried = Tried(first_try(session, key), phone_says(body)) if step.sends else NOT_TRIED
    return _take(Move(session, engine, filing, actor, by, step, {}, clock.now()), body, tried)


def act_by_system(session: Session, engine: Filings, filing: Filing, action: str) -> None:
    """Take a step of the system: a clock rang, or the effect of another step brings it about."""
    kind = engine.kind_of(filing)
    step = kind.step(action, filing.status)
    if step is None or SYSTEM not in step.takers:
        raise kind.wrong_status(filing.status)
    _take(Move(session, engine, filing, None, SYSTEM, step, {}, clock.now()), {}, NOT_TRIED)


def _step_of(kind: FilingKind, filing: Filing, action: str, stands: Standing) -> tuple[Step, By]:
    """The step of that action from the filing's status, and the post or party from which the actor may take it."""
    if not any(step.action == action for step in kind.steps):
        raise not_found()
    step = kind.step(action, filing.status)
    if step is None:
        raise kind.wrong_status(filing.status, action)
    by = step.falls_to(stands.codes)
    if by is None:
        raise Problem("forbidden")
    return step, by


def _take(move: Move, body: Mapping[str, Any], tried: Tried) -> Filing:
    """Take a step that falls to the actor. Nothing is written when it is refused."""
    session, filing, step, actor = move.session, move.filing, move.step, move.actor
    kind = move.engine.kind_of(filing)
    if step.guard is not None:
        step.guard(move)
    comment = _comment(step, body)
    if step.needs_over is not None and not clocks.is_over(session, filing.id, step.needs_over):
        raise Problem("too_early")
    values: dict[str, Any] = {"updated_at": move.now, **_new_due_date(session, kind, step, filing, body)}
    payload: dict[str, Any] = {"comment": comment} if comment else {}
    if step.confirmations > 1 and not _is_last_confirmation(session, kind, filing, step, actor, payload):
        return found(session, filing.id)

    version_row: dict[str, Any] | None = None
    if step.sends:
        data = validate(move)
        values |= as_sent(filing, data, tried)
        version_row = version_row_of(filing, data, values["sent_at"], actor, tried)
        payload |= {"sent": values["sent"], "content": content_digest(version_row)}
        if tried.at is not None:
            payload["tried_at"] = clock.rfc3339(tried.at)
    if step.restores:
        values |= _sent_last(session, kind, filing)

    moves = _with_what_follows(move, values)
    last = moves[-1].filing
    ended = _end(kind, filing, moves, comment)
    moved = as_it_will_be(last, ended)
    rows = [_history_row(one.step, one.filing, one.actor, payload if one is moves[0] else {}) for one in moves]
    write_move(session, kind, filing, moved, step.action, version_row)
    history.append_all(session, rows)
    for one in moves:
        run_clocks(session, kind, one.filing, one.step.source)
    replace_todo(session, kind, moved)
    if moved.status == DELETED or step.restores:
        release_all_but(session, moved.id, set())
    return _take_effect(kind, moves, moved)


def _with_what_follows(move: Move, values: Mapping[str, Any]) -> list[Move]:
    """The step and those of the system that follow at once, each with the filing as it stands after it."""
    moves = [replace(move, filing=after(move.filing, move.step, values))]
    while (then := moves[-1].step.then) is not None and (action := then(moves[-1])) is not None:
        standing = moves[-1].filing
        step = move.engine.kind_of(standing).following(action, standing.status)
        following = replace(move, filing=standing, actor=None, by=SYSTEM, step=step)
        if step.guard is not None:
            step.guard(following)
        moves.append(replace(following, filing=after(standing, step, {})))
    return moves


def _comment(step: Step, body: Mapping[str, Any]) -> str | None:
    comment = body.get("comment")
    comment = clean(comment) if isinstance(comment, str) else None
    if step.comment:
        demanded(comment, "/comment", f"{step.label}须填写意见或原因")
    return comment


def _new_due_date(
    session: Session, kind: FilingKind, step: Step, filing: Filing, body: Mapping[str, Any]
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
    step: Step,
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


def _history_row(step: Step, moved: Filing, actor: Actor | None, payload: Mapping[str, Any]) -> history.Move:
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


def _end(kind: FilingKind, filing: Filing, moves: Sequence[Move], comment: str | None) -> dict[str, Any]:
    """The columns `finished` and `opinion` after these steps; the opinion is that of the last decision, or none.

    An enterprise decides nothing: its own words stand in the history alone, and what an office said last stays while
    the filing is under way.
    """
    was_over, is_over = filing.status in kind.final, any(move.step.target in kind.final for move in moves)
    values: dict[str, Any] = {}
    if moves[0].by not in (APPLICANT, SYSTEM):
        values["opinion"] = comment
    elif is_over and not was_over:
        values["opinion"] = None
    if is_over:
        values |= {"open_key": None, "finished_at": filing.finished_at if was_over else clock.now()}
    elif was_over:
        values["finished_at"] = None
    return values


def _take_effect(kind: FilingKind, moves: Sequence[Move], moved: Filing) -> Filing:
    """Bring about what follows from steps that were taken; the filing as it then stands."""
    session, engine = moves[0].session, moves[0].engine
    taken = [replace(move, filing=moved) for move in moves if move.step.effect is not None]
    for move in taken:
        assert move.step.effect is not None
        move.step.effect(move)
    # By the steps, not by the status: an effect may have moved the filing on, and that move emits its own event.
    if any(move.step.target in kind.final for move in moves):
        clocks.stop(session, moved.id)
        if kind.rateable:
            engine.events.emit(session, FINISHED, filing=moved, kind=kind)
    return found(session, moved.id) if taken else moved
