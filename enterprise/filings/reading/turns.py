"""Whose turn it is, as conditions: the filings in which the caller is awaited (`GET /filings?turn=mine`).

The same as the to-dos say, also where a status has none: an enterprise's own ones, those that the own office handles
and where one of the actor's posts is awaited, and those in which the actor, or the actor's office, is an awaited party.
What a step's guard says of a single filing is not asked.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from core.actor import Actor
from enterprise.filings.clocks.overtaken import Overtaken
from enterprise.filings.declaring.declarations import APPLICANT, AUTHOR, By, Party, Post, Status
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing, FilingParty
from enterprise.filings.moves import as_it_will_be
from enterprise.filings.sides import delegations, parties
from enterprise.filings.sides.access import standing

Conditions = list[ColumnElement[bool]]


def of_enterprise(actor: Actor, kinds: Sequence[FilingKind]) -> ColumnElement[bool]:
    """Among an enterprise's own filings."""
    applicant = [and_(*_there(kind, status)) for kind, status in _turns(kinds, APPLICANT)]
    author = [and_(*_there(kind, status)) for kind, status in _turns(kinds, AUTHOR)]
    return or_(false(), *applicant, and_(Filing.opened_by == actor.user_id, or_(false(), *author)))


def of_office(
    session: Session, actor: Actor, kinds: Sequence[FilingKind], covered: ColumnElement[bool]
) -> Iterator[Conditions]:
    """Alternatives, each of which an index finds: by a status of the own regions, by the own office, by parties."""
    of_region: dict[str, list[ColumnElement[bool]]] = {}
    handled: dict[str, list[ColumnElement[bool]]] = {}
    for kind in kinds:
        for status in kind.statuses:
            mine = _by_post(actor, kind, status)
            if mine is not None:
                # What an office opened lies in its regions until it is sent, and chooses an office then.
                if kind.route is None or any(isinstance(taker, Post) for one in kind.openings for taker in one.takers):
                    of_region.setdefault(status.code, []).append(mine)
                if kind.route is not None:
                    handled.setdefault(status.code, []).append(mine)
    # Asked only where some have one: the index over areas and statuses does not hold it.
    nobody_s = [Filing.office_id.is_(None)] if any(kind.route is not None for kind in kinds) else []
    for code, alternatives in of_region.items():
        yield [covered, Filing.status == code, *nobody_s, or_(*alternatives)]
    for code, alternatives in handled.items():
        for office_id in actor.offices:
            yield [Filing.office_id == office_id, Filing.status == code, or_(*alternatives)]
    for one, codes, covered_by in delegations.conditions(session, actor, kinds):
        for code, alternatives in _delegated(actor, [kind for kind in kinds if kind.code in codes], one.post).items():
            yield [covered_by, Filing.status == code, or_(*alternatives)]
    by_party = [one for kind in kinds for one in _by_party(actor, kind)]
    if by_party:
        yield [or_(*by_party)]


def awaiting(session: Session, engine: Filings, actor: Actor, moved: Sequence[Overtaken]) -> list[Overtaken]:
    """Of filings that a clock has moved and no job has rung yet: those in which the actor is awaited now."""
    ids = [one.id for one in moved if engine.kinds[one.kind].status(one.status).turns]
    rows = {row.id: row for row in session.scalars(select(Filing).where(Filing.id.in_(ids)))} if ids else {}
    named = parties.of(session, ids)
    found = []
    for one in moved:
        status = engine.kinds[one.kind].status(one.status)
        if one.id in rows and not status.is_finished:
            stands = standing(
                session, engine, actor, as_it_will_be(rows[one.id], {"status": one.status}), named.get(one.id, [])
            )
            if stands is not None and stands.is_one_of(status.turns):
                found.append(one)
    return found


def _delegated(actor: Actor, kinds: Sequence[FilingKind], post: str) -> dict[str, list[ColumnElement[bool]]]:
    """The statuses in which a post is awaited that was delegated to the actor's office."""
    found: dict[str, list[ColumnElement[bool]]] = {}
    for kind in kinds:
        for status in () if not kind.posts else kind.statuses:
            for taker in status.turns:
                if isinstance(taker, Post) and taker.code == post and not status.is_finished:
                    found.setdefault(status.code, []).append(_awaited(kind, status, taker))
    return found


def _by_post(actor: Actor, kind: FilingKind, status: Status) -> ColumnElement[bool] | None:
    """That one of the actor's posts is awaited in a status; None where none ever is."""
    if status.is_finished:
        return None
    mine: list[Any] = [
        _awaited(kind, status, taker) for taker in status.turns if isinstance(taker, Post) and taker.verb in actor.verbs
    ]
    if AUTHOR in status.turns:
        mine.append(Filing.opened_by == actor.user_id)
    return and_(Filing.kind == kind.code, or_(*mine)) if mine else None


def _by_party(actor: Actor, kind: FilingKind) -> Iterator[ColumnElement[bool]]:
    for status in kind.statuses:
        for taker in () if status.is_finished else status.turns:
            if isinstance(taker, Party) and taker in kind.parties and taker.verb in actor.verbs:
                confirms = any(s.confirms and taker in s.takers and s.source == status.code for s in kind.steps)
                named = select(FilingParty.filing_id).where(
                    FilingParty.left_at.is_(None), FilingParty.party == taker.code,
                    or_(FilingParty.user_id == actor.user_id, FilingParty.office_id.in_(actor.offices)),
                    *([FilingParty.confirmed_at.is_(None)] if confirms else []),
                )  # fmt: skip
                yield and_(*_there(kind, status), Filing.id.in_(named), _awaited(kind, status, taker))


def _turns(kinds: Sequence[FilingKind], taker: By) -> Iterator[tuple[FilingKind, Status]]:
    for kind in kinds:
        for status in kind.statuses:
            if taker in status.turns and not status.is_finished:
                yield kind, status


def _there(kind: FilingKind, status: Status) -> Conditions:
    return [Filing.kind == kind.code, Filing.status == status.code]


def _awaited(kind: FilingKind, status: Status, taker: By) -> ColumnElement[bool]:
    """Not while what they are to do waits for confirmations of others (`todos.turn_of`)."""
    if len(status.turns) == 1:
        return Filing.kind == kind.code
    waiting = [
        step.needs_confirmed
        for step in kind.steps
        if step.source == status.code and taker in step.takers and step.needs_confirmed is not None
    ]
    return and_(Filing.kind == kind.code, *(_all_confirmed(party) for party in waiting))


def _all_confirmed(party: Party) -> ColumnElement[bool]:
    standing = exists().where(
        FilingParty.filing_id == Filing.id, FilingParty.party == party.code, FilingParty.left_at.is_(None)
    )
    return and_(standing, ~standing.where(FilingParty.confirmed_at.is_(None)))
