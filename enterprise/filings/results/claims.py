"""Claims (占用): a key that one filing may hold at a time, across kinds, such as a person's ID or a licence's change.

It is held while the filing stands in some statuses and free otherwise; a unique key decides who of two that send at one
moment holds it. Keys are kept as keyed hashes, for they may be a person's. A certificate takes over what its filing
holds, and holds it as long as it is valid; filings about the certificate may name the same.
"""

from collections.abc import Callable, Collection
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select, update

from core import privacy
from core.db import dialect_of, insert_into
from core.errors import Problem
from core.forms.sealing import opened
from enterprise.certificates.models import Certificate
from enterprise.certificates.register import is_over
from enterprise.filings.content import data_place
from enterprise.filings.declaring.declarations import Claim, Move
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import FilingClaim

_CLAIMS = cast(Table, FilingClaim.__table__)
_BY_FILING = _CLAIMS.c.certificate_id.is_(None)


GiveWay = Callable[[UUID, str], bool]
"""Lets the filing that holds a key take a step of the system; whether it could."""


def follow(kind: FilingKind, move: Move, give_way: GiveWay) -> None:
    """Take and free what a filing holds, as it stands after a move; its row was written before.

    409 `already_open` in the claim's own words where another filing or a certificate holds the key, and does not give
    way.
    """
    for declared in kind.claims:
        held = move.filing.status in declared.statuses
        if held and move.step.source in declared.statuses and not move.step.sends:
            continue
        mine = (_CLAIMS.c.filing_id == move.filing.id) & (_CLAIMS.c.name == declared.name) & _BY_FILING
        move.session.execute(delete(_CLAIMS).where(mine))
        if held:
            _take(declared, move, give_way)


def hand_over(kind: FilingKind, move: Move, certificate_id: UUID, names: Collection[str]) -> None:
    """Let a certificate hold from now on what the filing claims by these names, and nothing else of them."""
    for declared in kind.claims:
        if declared.name not in names:
            continue
        of_name, keys = _CLAIMS.c.name == declared.name, _keys(declared, move)
        former = (_CLAIMS.c.certificate_id == certificate_id) & _CLAIMS.c.key.not_in(keys)
        move.session.execute(delete(_CLAIMS).where(of_name, former))
        mine = (_CLAIMS.c.filing_id == move.filing.id) & _CLAIMS.c.key.in_(keys)
        move.session.execute(update(_CLAIMS).where(of_name, mine).values(certificate_id=certificate_id))


def free(move: Move, certificate_id: UUID) -> None:
    """A certificate that has ended holds nothing any more."""
    move.session.execute(delete(_CLAIMS).where(_CLAIMS.c.certificate_id == certificate_id))


def _keys(declared: Claim, move: Move) -> list[str]:
    data = opened(move.filing.data, data_place(move.filing.id))
    # In one order everywhere, so that two that claim the same keys do not wait for each other.
    return sorted({privacy.keyed_hash(f"claim {declared.name}", key) for key in declared.keys(move.filing, data)})


def _take(declared: Claim, move: Move, give_way: GiveWay) -> None:
    for key in _keys(declared, move):
        if _taken(declared, move, key):
            continue
        held = (_CLAIMS.c.name == declared.name) & (_CLAIMS.c.key == key)
        if _is_shared(move, held):
            continue
        if _of_ended_certificate(move, held):
            move.session.execute(update(_CLAIMS).where(held).values(filing_id=move.filing.id, certificate_id=None))
            continue
        if not (_gives_way(declared, move, held, give_way) and _taken(declared, move, key)):
            raise Problem("already_open", declared.message)


def _taken(declared: Claim, move: Move, key: str) -> bool:
    values = {"name": declared.name, "key": key, "filing_id": move.filing.id, "certificate_id": None}
    fresh = insert_into(dialect_of(move.session), _CLAIMS).values(**values).on_conflict_do_nothing()
    return move.session.scalar(fresh.returning(_CLAIMS.c.key)) is not None


def _gives_way(declared: Claim, move: Move, held: ColumnElement[bool], give_way: GiveWay) -> bool:
    if declared.gives_way is None:
        return False
    holder = move.session.execute(select(_CLAIMS.c.filing_id, _CLAIMS.c.certificate_id).where(held)).first()
    if holder is None:
        return True
    return holder.certificate_id is None and give_way(holder.filing_id, declared.gives_way)


def _is_shared(move: Move, held: ColumnElement[bool]) -> bool:
    """Whether the filing holds it already, or the certificate that it issued or is about."""
    row = move.session.execute(select(_CLAIMS.c.filing_id, _CLAIMS.c.certificate_id).where(held)).first()
    if row is None:
        return False
    return row.filing_id == move.filing.id or (
        row.certificate_id is not None and row.certificate_id == move.filing.subject_id
    )


def _of_ended_certificate(move: Move, held: ColumnElement[bool]) -> bool:
    """Whether a certificate holds it whose last day is over; the row is locked for whoever asks first."""
    holder = select(_CLAIMS.c.certificate_id).where(held).with_for_update()
    certificate_id = move.session.scalar(holder)
    certificate = move.session.get(Certificate, certificate_id) if certificate_id is not None else None
    return certificate is not None and is_over(certificate)
