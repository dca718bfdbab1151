"""The row of a filing: found, locked and moved, by prepared statements because sending a filing is a hot path.

Whoever changes a filing and its clocks locks the filing first: a move does so by its UPDATE, others call `lock`.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Executable, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from core.database.prepared import Prepared
from core.db import dialect_of
from core.errors import Problem, not_found
from core.workflows.versions import stale
from core.workflows.workflow import BACK
from enterprise.filings.declaring.declarations import Step
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.models import Filing, FilingVersion

_FILINGS = cast(Table, Filing.__table__)
_FIND = Prepared(select(_FILINGS).where(_FILINGS.c.id == bindparam("filing")))
_LOCK = Prepared(select(_FILINGS).where(_FILINGS.c.id == bindparam("filing")).with_for_update())
_VERSIONS = cast(Table, FilingVersion.__table__)
_FREEZE = Prepared(insert(_VERSIONS))
_SET, _KEPT = "set_", "kept_"


def _moving(_dialect: str, names: tuple[str, ...]) -> Executable:
    columns = [_FILINGS.c[name.removeprefix(_SET)] for name in names if name.startswith(_SET)]
    moving = (
        update(_FILINGS)
        .where(
            _FILINGS.c.id == bindparam("filing"),
            _FILINGS.c.status == bindparam("left"),
            _FILINGS.c.version == bindparam("read"),
        )
        .values({column: bindparam(f"{_SET}{column.name}", type_=column.type) for column in columns})
        .returning(_FILINGS.c.id)
    )
    kept = [_VERSIONS.c[name.removeprefix(_KEPT)] for name in names if name.startswith(_KEPT)]
    if not kept:
        return moving
    # The same statement inserts the version that was sent, which saves PostgreSQL a round trip.
    given = select(*(bindparam(f"{_KEPT}{column.name}", type_=column.type) for column in kept))
    frozen = given.select_from(moving.cte("moved"))
    return insert(_VERSIONS).from_select(kept, frozen).returning(_VERSIONS.c.filing_id)


_MOVE = Prepared(_moving)


def find(session: Session, filing_id: UUID) -> Filing | None:
    """A filing as its row stands now, apart from the session: it is changed by statements, never by assignment."""
    row = _FIND.first(session, {"filing": filing_id})
    return None if row is None else _apart(row._asdict())


def found(session: Session, filing_id: UUID) -> Filing:
    """The same, of a filing that is known to exist."""
    filing = find(session, filing_id)
    assert filing is not None
    return filing


def lock(session: Session, filing_id: UUID) -> Filing | None:
    """The same, and nobody else changes it before this transaction ends. (On SQLite only one writes at any time.)"""
    row = _LOCK.first(session, {"filing": filing_id})
    return None if row is None else _apart(row._asdict())


def _apart(values: Mapping[str, Any]) -> Filing:
    filing = Filing()
    # Written past the mapper, which would track each of the 32 changes.
    instance_dict(filing).update(values)
    return filing


def after(filing: Filing, step: Step, values: Mapping[str, Any]) -> Filing:
    """The filing as it will be after a step; `values`: what changes besides status, version and `return_to`."""
    changes: dict[str, Any] = {"status": step.target, "version": filing.version + 1}
    if step.asks_back:
        changes["return_to"] = filing.status
    if step.target == BACK:
        assert filing.return_to is not None
        changes |= {"status": filing.return_to, "return_to": None}
    return _apart({**instance_dict(filing), **values, **changes})


def as_it_will_be(filing: Filing, values: Mapping[str, Any]) -> Filing:
    """The filing with other values besides."""
    return _apart({**instance_dict(filing), **values})


def write_move(
    session: Session,
    kind: FilingKind,
    filing: Filing,
    moved: Filing,
    action: str,
    version_row: Mapping[str, Any] | None = None,
) -> None:
    """Write what has changed between `filing` and `moved`, by a compare-and-set on status and version.

    `version_row` is kept as a row of `filing_versions`. Raises 409 when somebody moved or changed the filing meanwhile.
    """
    before, now = instance_dict(filing), instance_dict(moved)
    values = {"filing": filing.id, "left": filing.status, "read": filing.version}
    values |= {f"{_SET}{name}": value for name, value in now.items() if value is not before.get(name)}
    together = version_row is not None and dialect_of(session) != "sqlite"
    if version_row is not None and together:
        values |= {f"{_KEPT}{name}": value for name, value in version_row.items()}
    if not _MOVE.rows(session, values):
        raise overtaken(session, kind, filing, action)
    if version_row is not None and not together:
        # After the move, so that the second of two who send at once gets the 409 that the filing has moved.
        _FREEZE.rows(session, version_row)


def overtaken(session: Session, kind: FilingKind, filing: Filing, action: str) -> Problem:
    """The 409 for a filing that is no longer as it was read: 404 where it is gone."""
    now = session.execute(select(_FILINGS.c.status, _FILINGS.c.version).where(_FILINGS.c.id == filing.id)).first()
    if now is None:
        return not_found()
    if now.status != filing.status:
        return kind.wrong_status(now.status, action)
    return stale(now.version, filing.version)
