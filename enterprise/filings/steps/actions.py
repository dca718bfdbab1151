"""Taking a step of a filing, by a user (`act`) or by the system (`act_by_system`).

In this order: find → readable? → repeated? → which step, and whose → version → conditions → what the body says, all
faults at once → move, with history → what the step said, parties → clocks and to-dos → files → effects. Whatever
refuses stands before the move; an effect that refuses rolls the whole transaction back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.deadlines import clocks
from core.errors import Fault, Problem, invalid, not_found
from core.workflows import history, idempotency
from core.workflows.versions import refuse_stale, stale
from enterprise.filings.clocks import time_limits
from enterprise.filings.content import content_digest
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, SYSTEM, By, Move, OnOther, Step
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.drafts.sending import NOT_TRIED, Tried, as_sent, phone_says, sent_last, validate, version_row_of
from enterprise.filings.drafts.tries import first_try
from enterprise.filings.drafts.working_copy import release_all_but
from enterprise.filings.models import DELETED, Filing
from enterprise.filings.moves import after, as_it_will_be, find, found, lock, write_move
from enterprise.filings.results import claims, outcomes
from enterprise.filings.results import rows as rows_of_tables
from enterprise.filings.sides import parties
from enterprise.filings.sides.access import Standing, demanded_standing
from enterprise.filings.sides.todos import replace_todos
from enterprise.filings.steps import conditions, step_data
from enterprise.filings.steps.routing import handled_by
from enterprise.filings.steps.step_bodies import collected, comment, new_due_date

FINISHED = "filing.finished"
"""Event: a filing of a rateable kind reached a final status. Details: `filing`, `kind`."""


def act(
    session: Session, engine: Filings, actor: Actor, filing_id: UUID, action: str, body: Mapping[str, Any]
) -> Filing:
    """Take a step as a user, and return the filing as it then stands; a repetition returns it as it is now.

    `body`: the `version` that was read, a `comment` where the step asks for one, `data` and `documents` of the step's
    own form, a new `due_on` with a step that asks for a correction. Raises 404 for a filing that the actor may not read
    and for an action that its kind does not know, 403 for a step of the other side, 409 `wrong_status`,
    `stale_version` or what a condition says, 422 with all faults.
    """
    filing = find(session, filing_id)
    if filing is None:
        raise not_found()
    key = idempotency.key(actor.user_id, f"filings.{action}", filing_id, body)
    if filing.status == DELETED and idempotency.is_claimed(session, key):
        return filing
    stands = demanded_standing(session, engine, actor, filing)
    if not idempotency.claim(session, key):
        return found(session, filing_id)
    filing = ring_what_is_over(session, engine, filing)
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


def ring_what_is_over(session: Session, engine: Filings, filing: Filing) -> Filing:
    """Take the steps of clocks that are over before somebody acts, whom the job has not met yet; the filing then."""
    kind = engine.kind_of(filing)
    if not kind.clocks:
        return filing
    periods = clocks.of(session, [filing.id]).get(filing.id, {})
    if time_limits.over(kind, filing, periods) is None:
        return filing
    now = lock(session, filing.id)
    while now is not None and (action := time_limits.over(kind, now, periods)) is not None:
        step = kind.following(action, now.status)
        if not conditions.is_offered(Move(session, engine, now, None, SYSTEM, step, {}, clock.now())):
            return now
        act_by_system(session, engine, now, action)
        now = lock(session, filing.id)
        periods = clocks.of(session, [filing.id]).get(filing.id, {})
    return now or filing


def _act_on_others(move: Move, declared: OnOther) -> None:
    """Take a step of the system on the filings that a step names; 409 in their kind's words where one cannot."""
    for filing_id in sorted(declared.which(move)):
        other = lock(move.session, filing_id)
        if other is None or other.kind not in declared.kinds or other.enterprise_id != move.filing.enterprise_id:
            raise invalid("/data", "unknown_filing", "没有这件办件，请重新选择")
        act_by_system(move.session, move.engine, ring_what_is_over(move.session, move.engine, other), declared.action)


def _give_way(session: Session, engine: Filings, filing_id: UUID, action: str) -> bool:
    """Let the holder of a key take a step of the system, where it stands so that it may."""
    holder = lock(session, filing_id)
    step = engine.kind_of(holder).step(action, holder.status) if holder is not None else None
    if holder is None or step is None or SYSTEM not in step.takers:
        return False
    act_by_system(session, engine, holder, action)
    return True


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
    session, filing, step = move.session, move.filing, move.step
    kind = move.engine.kind_of(filing)
    conditions.refuse(move)
    faults: list[Fault] = []
    opinion = collected(faults, comment, step, body)
    due_date = collected(faults, new_due_date, session, kind, step, filing, body) or {}
    step_row, of_form = step_data.fill(move, body)
    faults += of_form
    data = collected(faults, validate, move) if step.sends else None
    if step.check is not None and not faults:
        faults += step.check(move)
    if not step.sends and not faults:
        faults += outcomes.drawing_faults(kind, move)
    if faults:
        raise Problem("invalid", errors=faults)
    payload: dict[str, Any] = {"comment": opinion} if opinion else {}
    if step.confirms:
        return _confirm(move, payload, step_row)

    values: dict[str, Any] = {"updated_at": move.now, **due_date}
    version_row: dict[str, Any] | None = None
    if data is not None:
        values |= as_sent(filing, data, tried)
        if kind.matter is not None:
            values["matter"] = move.data.get(kind.matter)
        version_row = version_row_of(filing, data, values["sent_at"], move.actor, tried)
        payload |= {"sent": values["sent"], "content": content_digest(version_row)}
        if tried.at is not None:
            payload["tried_at"] = clock.rfc3339(tried.at)
    if step.restores:
        values |= sent_last(session, kind, filing)
    values |= _office(move, kind, payload)
    values |= outcomes.number(move, kind, values, payload)
    given = step.names(move) if step.names is not None else {}
    payload |= parties.told(session, given)
    if step_row is not None:
        step_row["number"] = filing.version + 1
        payload |= step_data.told(step_row)

    moves = _with_what_follows(move, values)
    if kind.clocks:
        # Before its clocks are read: a job that counts them anew waits, or is waited for.
        lock(session, filing.id)
    limits = time_limits.plan(session, kind, moves)
    ended = _end(kind, filing, moves, opinion) | (dict(limits.columns) if limits is not None else {})
    moved = as_it_will_be(moves[-1].filing, ended)
    rows = [_history_row(one.step, one.filing, one.actor, payload if one is moves[0] else {}) for one in moves]
    write_move(session, kind, filing, moved, step.action, version_row)
    history.append_all(session, rows)
    if step_row is not None:
        step_data.keep(session, step_row)
    if data is not None:
        rows_of_tables.follow(move, kind)
    parties.replace(move, given)
    for one in moves:
        outcomes.follow(kind, one, opinion)
        claims.follow(kind, one, partial(_give_way, session, move.engine))
        if one.step.clears is not None:
            parties.clear(session, filing.id, one.step.clears)
    if limits is not None:
        limits.write(session, filing.id)
    replace_todos(session, kind, moved, filing)
    if moved.status == DELETED:
        rows_of_tables.forget(session, kind, moved.id)
    if moved.status == DELETED or step.restores:
        release_all_but(session, moved.id, set())
    return _take_effect(kind, moves, moved)


def _office(move: Move, kind: FilingKind, payload: dict[str, Any]) -> dict[str, Any]:
    """The columns of the office that handles the filing from now on; the history is told of it."""
    route = move.step.route
    if route is None and move.step.sends and move.filing.sent == 0:
        route = kind.route
    if route is None:
        return {}
    values, told = handled_by(move, route, "/data")
    payload |= told
    return values


def _confirm(move: Move, payload: dict[str, Any], step_row: dict[str, Any] | None) -> Filing:
    """Note one confirmation: it is told in the history, and the filing stays as it is, its version too.

    So several may confirm what all of them read, each with a form of its own where the step has one.
    """
    session, kind = move.session, move.engine.kind_of(move.filing)
    now = lock(session, move.filing.id)
    if now is None or now.status != move.filing.status:
        raise kind.wrong_status(now.status if now is not None else move.filing.status, move.step.action)
    if now.version != move.filing.version:
        raise stale(now.version, move.filing.version)
    assert move.actor is not None
    party = next(party for party in kind.parties if party.code == move.by.code)
    payload["confirmations"] = parties.confirm(session, now.id, party, move.actor)
    if step_row is not None:
        step_row["number"] = now.version
        payload |= step_data.told(step_row)
        step_data.keep(session, step_row)
    history.append(session, _history_row(move.step, now, move.actor, payload))
    replace_todos(session, kind, now, now)
    return now


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


def _history_row(step: Step, moved: Filing, actor: Actor | None, payload: Mapping[str, Any]) -> history.Move:
    """The row of a step by the actor (None: the system) that left the filing as `moved`."""
    by, said = (actor.user_id, actor.as_payload()) if actor is not None else (None, {})
    return history.Move(
        "filing", moved.id, step.action, step.source, moved.status, moved.version, by, {**said, **payload}
    )


def _end(kind: FilingKind, filing: Filing, moves: Sequence[Move], comment: str | None) -> dict[str, Any]:
    """The columns `finished` and `opinion` after these steps; the opinion is that of the last decision, or none.

    An enterprise decides nothing: its own words stand in the history alone, and what an office said last stays while
    the filing is under way.
    """
    was_over, is_over = filing.status in kind.final, any(move.step.target in kind.final for move in moves)
    values: dict[str, Any] = {}
    if moves[0].by not in (APPLICANT, AUTHOR, SYSTEM):
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
    taken = [replace(move, filing=moved) for move in moves if move.step.effect is not None or move.step.on_other]
    for move in taken:
        if move.step.on_other is not None:
            _act_on_others(move, move.step.on_other)
        if move.step.effect is not None:
            move.step.effect(move)
    # By the steps, not by the status: an effect may have moved the filing on, and that move emits its own event.
    if kind.rateable and any(move.step.target in kind.final for move in moves):
        engine.events.emit(session, FINISHED, filing=moved, kind=kind)
    return found(session, moved.id) if taken else moved
