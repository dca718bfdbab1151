"""Who stands to a filing besides its applicant and the office (当事方): an agency, named reviewers, who may confirm.

A step names them (`names`); replacing one keeps the confirmations of the others. Whoever changes them has locked or
moved the filing before.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from accounts.models import Office, User
from accounts.verbs import verbs_of
from core import clock
from core.actor import Actor
from core.errors import Fault, Problem
from enterprise.filings.declaring.declarations import Move, Named, Party
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing, FilingParty

_STANDING = FilingParty.left_at.is_(None)


def of(session: Session, filing_ids: Iterable[UUID]) -> dict[UUID, list[FilingParty]]:
    """Those who stand to each of some filings now, in the order in which they were named."""
    ids = list(filing_ids)
    if not ids:
        return {}
    rows = session.scalars(
        select(FilingParty)
        .where(FilingParty.filing_id.in_(ids), _STANDING)
        .order_by(FilingParty.named_at, FilingParty.id)
    )
    found: dict[UUID, list[FilingParty]] = {}
    for row in rows:
        found.setdefault(row.filing_id, []).append(row)
    return found


def is_actor(row: FilingParty, actor: Actor) -> bool:
    """Whether a party is the actor, or the actor's office."""
    return row.user_id == actor.user_id or (row.office_id is not None and row.office_id in actor.offices)


def answers(session: Session, kind: FilingKind, rows: Sequence[FilingParty]) -> list[dict[str, Any]]:
    """Who stands to a filing, as it is answered: the name of the user or of the office; leaders first."""
    if not rows:
        return []
    users = _names(session, User.id, User.username, {row.user_id for row in rows})
    offices = _names(session, Office.id, Office.name, {row.office_id for row in rows})
    labels = {party.code: party.label for party in kind.parties}
    order = list(labels)
    found = [
        {
            "party": row.party,
            "label": labels.get(row.party, row.party),
            "name": users.get(row.user_id) or offices.get(row.office_id) or "",
            "leader": row.leader,
            "confirmed_at": clock.rfc3339(row.confirmed_at) if row.confirmed_at is not None else None,
        }
        for row in rows
    ]
    return sorted(found, key=lambda one: (order.index(one["party"]), not one["leader"], one["name"]))


def _names(session: Session, key: Any, name: Any, ids: set[UUID | None]) -> dict[UUID | None, str]:
    return {row[0]: row[1] for row in session.execute(select(key, name).where(key.in_(ids - {None})))}


def stands_to(actor: Actor, kind: FilingKind) -> ColumnElement[bool] | None:
    """A condition over the filings of a kind: the actor, or the actor's office, is a party of theirs.

    None where the actor can be none, for want of the verb.
    """
    codes = [party.code for party in kind.parties if party.verb in actor.verbs]
    if not codes:
        return None
    mine = select(FilingParty.filing_id).where(
        _STANDING, FilingParty.party.in_(codes),
        or_(FilingParty.user_id == actor.user_id, FilingParty.office_id.in_(actor.offices)),
    )  # fmt: skip
    return and_(Filing.kind == kind.code, Filing.id.in_(mine))


def told(session: Session, given: Mapping[Party, Sequence[Named]]) -> dict[str, Any]:
    """What the history says of those who are named. 422 where there are too few, one stands twice, the leader is
    missing, or somebody cannot be one."""
    faults = [fault for party, named in given.items() for fault in _faults(session, party, named)]
    if faults:
        raise Problem("invalid", errors=faults)
    return {"named": {party.code: [one.shown for one in named] for party, named in given.items()}} if given else {}


def replace(move: Move, given: Mapping[Party, Sequence[Named]]) -> None:
    """Let the named ones stand to the filing, and no others; who stood there before keeps what they confirmed."""
    for party, named in given.items():
        _replace(move, party, named)


def _replace(move: Move, party: Party, named: Sequence[Named]) -> None:
    session = move.session
    rows = [row for row in of(session, [move.filing.id]).get(move.filing.id, []) if row.party == party.code]
    wanted = {(one.user_id, one.office_id): one for one in named}
    gone = [row.id for row in rows if (row.user_id, row.office_id) not in wanted]
    if gone:
        session.execute(update(FilingParty).where(FilingParty.id.in_(gone)).values(left_at=move.now))
    for row in rows:
        one = wanted.pop((row.user_id, row.office_id), None)
        if one is not None and one.leader != row.leader:
            session.execute(update(FilingParty).where(FilingParty.id == row.id).values(leader=one.leader))
    for one in wanted.values():
        session.execute(
            insert(FilingParty).values(
                id=uuid4(), filing_id=move.filing.id, party=party.code, user_id=one.user_id, office_id=one.office_id,
                leader=one.leader, named_at=move.now, confirmed_at=None, left_at=None,
            )
        )  # fmt: skip


def _faults(session: Session, party: Party, named: Sequence[Named]) -> list[Fault]:
    """The places are those of the field that names them, as the step's form has it."""
    path = f"/data/{party.named_in}" if party.named_in else "/data"
    if len({(one.user_id, one.office_id) for one in named}) < len(named):
        return [Fault(path, "duplicate", f"{party.label}不能重复，请删去重复的人员")]
    if len(named) < party.least:
        return [Fault(path, "too_few", f"{party.label}不能少于{party.least}人，请补充")]
    if party.leader and sum(one.leader for one in named) != 1:
        return [Fault(path, "no_leader", f"请在{party.label}中指定一名组长")]
    ids = [one.user_id for one in named if one.user_id is not None]
    asked = select(User.id, User.roles).where(User.id.in_(ids), User.status == "active")
    # Without the verb nobody could take a step for this filing, and it would wait for ever.
    able = {user_id for user_id, roles in session.execute(asked) if party.verb in verbs_of(roles)}
    return [
        Fault(f"{path}/{place}", "unknown_user", f"“{one.shown}”不能作为{party.label}，请核对后重新选择")
        for place, one in enumerate(named)
        if one.user_id is not None and one.user_id not in able
    ]


def confirm(session: Session, filing_id: UUID, party: Party, actor: Actor) -> int:
    """Note that the actor confirmed; how many of the party have. 409 `already_confirmed` for who has before.

    The caller has locked the filing, so that the last one of several counts all.
    """
    rows = [row for row in of(session, [filing_id]).get(filing_id, []) if row.party == party.code]
    mine = next((row for row in rows if is_actor(row, actor)), None)
    if mine is None:
        raise Problem("forbidden")
    if mine.confirmed_at is not None:
        raise Problem("already_confirmed")
    given = 1 + sum(row.confirmed_at is not None for row in rows)
    session.execute(update(FilingParty).where(FilingParty.id == mine.id).values(confirmed_at=clock.now()))
    return given


def all_confirmed(session: Session, filing_id: UUID, party: Party) -> bool:
    """Whether everybody of the party has confirmed, and there is somebody."""
    total, given = session.execute(
        select(func.count(), func.count(FilingParty.confirmed_at)).where(
            FilingParty.filing_id == filing_id, FilingParty.party == party.code, _STANDING
        )
    ).one()
    return bool(total) and total == given


def clear(session: Session, filing_id: UUID, party: Party) -> None:
    """Let the confirmations of a party fall."""
    session.execute(
        update(FilingParty)
        .where(FilingParty.filing_id == filing_id, FilingParty.party == party.code, _STANDING)
        .values(confirmed_at=None)
    )


def forget(session: Session, filing_id: UUID) -> None:
    """Nobody stands to a filing that was deleted."""
    session.execute(delete(FilingParty).where(FilingParty.filing_id == filing_id))
