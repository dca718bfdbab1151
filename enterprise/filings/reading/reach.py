"""Which filings somebody of an office reads, as a condition: those of `access.standing`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import Session

from core.actor import Actor
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing
from enterprise.filings.sides import delegations, parties
from enterprise.filings.sides.access import posts_of


def beyond_its_regions(engine: Filings, actor: Actor) -> bool:
    """Whether the actor may read filings that lie outside the regions of the own office."""
    for kind in engine.kinds.values():
        # An office may be chosen for an enterprise that sits elsewhere.
        elsewhere = {post.verb for post in kind.posts if post.anywhere or kind.route is not None}
        verbs = elsewhere | {party.verb for party in kind.parties}
        if not verbs.isdisjoint(actor.verbs):
            return True
    return False


def readable(actor: Actor, asked: Sequence[FilingKind]) -> list[FilingKind]:
    """Those of some kinds of which the actor may read filings."""
    return [one for one in asked if posts_of(actor, one) or any(party.verb in actor.verbs for party in one.parties)]


def reach(
    session: Session, engine: Filings, actor: Actor, covered: ColumnElement[bool], asked: Sequence[FilingKind],
    column: ColumnElement[Any] | Any,
) -> ColumnElement[bool]:  # fmt: skip
    """The filings of some kinds that the actor reads.

    `covered`: those in the regions of the office; `column`: the kind's, perhaps in an expression.
    """
    held = [one for one in asked if posts_of(actor, one)]
    sides = [and_(covered, *_of_kinds(engine, held, column), *_of_office(actor, held))] if held else []
    everywhere = [one.code for one in held if any(post.anywhere and post.verb in actor.verbs for post in one.posts)]
    if everywhere:
        sides.append(column.in_(everywhere))
    sides += [condition for _, _, condition in delegations.conditions(session, actor, held)]
    sides += [stands for one in asked if (stands := parties.stands_to(actor, one)) is not None]
    return or_(false(), *sides) if len(sides) != 1 else sides[0]


def _of_kinds(engine: Filings, held: list[FilingKind], column: ColumnElement[Any] | Any) -> list[ColumnElement[bool]]:
    if len(held) == len(engine.kinds):
        return []
    codes = sorted(one.code for one in held)
    return [column == codes[0] if len(codes) == 1 else column.in_(codes)]


def _of_office(actor: Actor, held: list[FilingKind]) -> list[ColumnElement[bool]]:
    """Of what one office alone handles: the own, and that of offices below."""
    if not any(one.route for one in held):
        return []
    above = actor.scope.strictly_above_condition(Filing)
    return [or_(Filing.office_id.is_(None), Filing.office_id.in_(actor.offices), above)]
