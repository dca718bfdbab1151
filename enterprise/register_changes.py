"""What has changed in the register of enterprises (企业名录), in an order that phones can follow behind a mark.

A phone keeps the register of its office and asks for what changed since the mark of its last answer. A mark that was
given out must never be passed by a change that is committed later. So a change is only noted in its own transaction
(its mark is 0), and numbered in a later one, when it can be seen by everybody: numbers are given under the lock of one
row, so that they rise in the order of commits. Whoever reads numbers what lies in its own regions; nobody who writes
waits for that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from accounts.models import Reorganisation
from accounts.regions.reorganisations import DONE, UNDER_WAY
from core.actor import Scope
from core.database.prepared import Prepared
from core.db import Database, canonical_json, dialect_of, insert_into
from core.errors import Fault, Problem
from enterprise.models import AREAS, NOT_DEPARTED, Enterprise, RegisterChange, RegisterMark

NUMBERED_AT_ONCE = 1000
"""Changes that one reader numbers before it reads: more than the largest page, so that reading is never held up."""

PENDING = 0
_MARK = re.compile(r"([0-9]{1,18})-([0-9a-f]{16})")
_CHANGES = cast(Table, RegisterChange.__table__)
_NOTE = Prepared(
    update(_CHANGES)
    .where(
        NOT_DEPARTED,
        _CHANGES.c.enterprise_id == select(Enterprise.id).where(Enterprise.uscc == bindparam("uscc")).scalar_subquery(),
    )
    # Also where it is 0 already: the lock keeps it from being numbered before this change can be seen.
    .values(mark=PENDING)
)


def note(session: Session, uscc: str | None) -> None:
    """Note that something which phones keep of an enterprise has changed; nothing where it is not in the register.

    Called last in a transaction, so that two of them do not wait for each other crosswise.
    """
    if uscc:
        _NOTE.rows(session, {"uscc": uscc})


def note_places(session: Session, ids: Sequence[UUID]) -> None:
    """Note that enterprises were added or changed, and which of them have left the place where they lay.

    `ids` in the order of the credit codes, in which two imports at once wait for each other.
    """
    if not ids:
        return
    stored = {
        row.id: row
        for row in session.execute(
            select(Enterprise.id, Enterprise.area1, Enterprise.area2, Enterprise.area3).where(Enterprise.id.in_(ids))
        )
    }
    places = select(RegisterChange).where(NOT_DEPARTED, RegisterChange.enterprise_id.in_(ids))
    moved = [
        change.id
        for change in session.execute(places.with_only_columns(*_CHANGES.c)).all()
        if any(getattr(change, area) != getattr(stored[change.enterprise_id], area) for area in AREAS)
    ]
    if moved:
        session.execute(
            update(RegisterChange).where(RegisterChange.id.in_(moved)).values(departed=True, mark=PENDING),
            execution_options={"synchronize_session": False},
        )
    fresh = insert_into(dialect_of(session), _CHANGES)
    rows = [
        {
            "enterprise_id": one,
            "departed": False,
            "mark": PENDING,
            **{area: getattr(stored[one], area) for area in AREAS},
        }
        for one in ids
    ]
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["enterprise_id"], index_where=NOT_DEPARTED, set_={"mark": fresh.excluded.mark}
        ),
        rows,
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes. `ids` are enterprises that changed within the scope, `gone` the codes of those that left it.

    `next_after` goes on behind this page, now or later; `more` says whether there is a next page now. `reset`: the
    list begins anew, what was kept before is to be dropped.
    """

    ids: list[UUID]
    gone: list[str]
    next_after: str
    more: bool
    reset: bool


def changes_since(database: Database, scope: Scope, after: str | None, limit: int) -> Changes:
    """The enterprises of a scope that were added, changed or gone since a mark; `limit` at most.

    Without a mark, or with one of other regions (another office, a reorganisation meanwhile), the list begins anew.
    A scope without regions has no register. 422 for a mark that is none.
    """
    with database.read() as session:
        key = _key_of(session, scope)
        since, reset = _opened(after, key)
        pending = [_lies_in(area) for area in scope.readable if _has_pending(session, area)]
    for condition in pending:
        with database.write() as session:
            _number(session, condition)
    with database.read() as session:
        rows = sorted(
            (row for area in scope.readable for row in _page(session, area, since, limit + 1)),
            key=lambda row: row.mark,
        )
    shown = rows[:limit]
    within = {row.enterprise_id: row.uscc for row in shown if scope.contains(row.area1, row.area2, row.area3)}
    gone = {row.uscc for row in shown} - set(within.values())
    last = shown[-1].mark if shown else since
    return Changes(list(within), [] if since == 0 else sorted(gone), f"{last}-{key}", len(rows) > limit, reset)


def _key_of(session: Session, scope: Scope) -> str:
    """Names the regions of a scope as they are now: it changes when the scope does or regions are reorganised."""
    reorganised = session.execute(
        select(Reorganisation.status, func.count())
        .where(Reorganisation.status.in_((*UNDER_WAY, DONE)))
        .group_by(Reorganisation.status)
        .order_by(Reorganisation.status)
    ).all()
    named = [sorted(scope.readable), [list(row) for row in reorganised]]
    return blake2b(canonical_json(named), digest_size=8).hexdigest()


def _opened(after: str | None, key: str) -> tuple[int, bool]:
    """The number behind which to go on, and whether the list begins anew."""
    if after is None:
        return 0, True
    found = _MARK.fullmatch(after)
    if found is None:
        message = "续读标记（after）无效，请使用上次返回的 next_after，或不带该参数重新读取"
        raise Problem("invalid", errors=[Fault("/after", "invalid", message)])
    return (int(found[1]), False) if found[2] == key else (0, True)


def _lies_in(area: tuple[int, str]) -> ColumnElement[bool]:
    depth, code = area
    return cast("ColumnElement[bool]", getattr(RegisterChange, AREAS[depth - 1]) == code)


def _pending(condition: ColumnElement[bool]) -> "Select[int]":
    # As a range and in its order, because the planner takes the index for that whatever its figures say.
    return select(RegisterChange.id).where(condition, RegisterChange.mark <= PENDING).order_by(RegisterChange.mark)


def _has_pending(session: Session, area: tuple[int, str]) -> bool:
    return session.scalar(_pending(_lies_in(area)).limit(1)) is not None


def _number(session: Session, condition: ColumnElement[bool]) -> None:
    """Give the next marks to changes that everybody can see by now; those being noted again are left for later."""
    first = insert_into(dialect_of(session), RegisterMark).values(id=1, last=0)
    # Where there is a mark already, an update that changes nothing, for its lock.
    locked = first.on_conflict_do_update(index_elements=["id"], set_={"last": RegisterMark.last})
    last = session.execute(locked.returning(RegisterMark.last)).scalar_one()
    waiting = _pending(condition).limit(NUMBERED_AT_ONCE).with_for_update(skip_locked=True)
    ids = session.scalars(waiting).all()
    if not ids:
        return
    marks: list[dict[str, Any]] = [{"id": one, "mark": last + place} for place, one in enumerate(ids, start=1)]
    session.execute(update(RegisterChange), marks)
    session.execute(update(RegisterMark).where(RegisterMark.id == 1).values(last=last + len(ids)))


def _page(session: Session, area: tuple[int, str], since: int, limit: int) -> Sequence[Any]:
    return session.execute(
        select(
            RegisterChange.mark, RegisterChange.enterprise_id,
            Enterprise.uscc, Enterprise.area1, Enterprise.area2, Enterprise.area3,
        )
        .join(Enterprise, Enterprise.id == RegisterChange.enterprise_id)
        .where(_lies_in(area), RegisterChange.mark > since)
        .order_by(RegisterChange.mark)
        .limit(limit)
    ).all()  # fmt: skip
