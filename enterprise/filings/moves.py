"""Moving a filing: reading its row and changing it, by prepared statements (sending one is a hot path)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Executable, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_dict

from core import history
from core.actor import Actor
from core.database.prepared import Prepared
from core.db import dialect_of
from core.workflow import BACK, Step, Workflow
from enterprise.filings.models import Filing, FilingVersion

_FILINGS = cast(Table, Filing.__table__)
_FIND = Prepared(select(_FILINGS).where(_FILINGS.c.id == bindparam("filing")))
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
    # The version that was sent by the same statement, which saves PostgreSQL a round trip.
    given = select(*(bindparam(f"{_KEPT}{column.name}", type_=column.type) for column in kept))
    frozen = given.select_from(moving.cte("moved"))
    return insert(_VERSIONS).from_select(kept, frozen).returning(_VERSIONS.c.filing_id)


_MOVE = Prepared(_moving)


def find(session: Session, filing_id: UUID) -> Filing | None:
    """A filing as its row stands now, apart from the session: it is changed by statements, never by assignment."""
    row = _FIND.first(session, {"filing": filing_id})
    return None if row is None else _apart(row._asdict())


def found(session: Session, filing_id: UUID) -> Filing:
    """The same, of a filing that is there."""
    filing = find(session, filing_id)
    assert filing is not None
    return filing


def _apart(values: Mapping[str, Any]) -> Filing:
    filing = Filing()
    # Without telling the mapper of 32 changes.
    instance_dict(filing).update(values)
    return filing


class FilingWorkflow(Workflow):
    """A workflow over the table of filings.

    Steps that are taken together change the row once; each of them is told in the history.
    """

    def step(self, action: str, status: str | None, actor: Actor | None) -> Step:
        """The step to take; without an actor the system may open a filing of any kind (in bulk)."""
        if actor is None and status is None:
            return self.steps[None, action]
        return super().step(action, status, actor)

    def take(
        self,
        session: Session,
        actor: Actor | None,
        filing: Filing,
        actions: Sequence[str],
        values: Mapping[str, Any],
        payload: Mapping[str, Any] | None,
        sent: Mapping[str, Any] | None = None,
    ) -> Filing:
        """Take the first step as the actor, the others as the system; the filing as it then stands.

        `sent` is kept as a row of `filing_versions`. Refuses as `Workflow.move` does.
        """
        moved, told, who, said = filing, [], actor, payload
        for action in actions:
            step = self.step(action, moved.status, who)
            if step.guard is not None:
                step.guard(moved, who)
            changed: dict[str, Any] = {"return_to": moved.status} if step.asks_back else {}
            if step.target == BACK:
                assert moved.return_to is not None
                step = replace(step, target=moved.return_to)
                changed["return_to"] = None
            version, turn = moved.version + 1, moved.round + 1
            told.append(self._history(who, step, filing.id, version, said))
            changes = {**changed, "status": step.target, "version": version, "round": turn}
            moved = _apart({**instance_dict(moved), **values, **changes})
            values, who, said = {**values, **changes}, None, None
        at = {"filing": filing.id, "left": filing.status, "read": filing.version}
        changes = at | {f"{_SET}{name}": value for name, value in values.items()}
        together = sent is not None and dialect_of(session) != "sqlite"
        if sent is not None and together:
            changes |= {f"{_KEPT}{name}": value for name, value in sent.items()}
        if not _MOVE.rows(session, changes):
            raise self._overtaken(session, filing)
        if sent is not None and not together:
            # After the move, so that of two who send at once the second learns what has become of the filing.
            _FREEZE.rows(session, sent)
        history.append_all(session, told)
        return moved

    def tell(self, session: Session, actor: Actor, filing: Filing, action: str, payload: Mapping[str, Any]) -> None:
        """Tell in the history of a step that was agreed to and awaits others: the filing stays where it is.

        The caller holds the lock of the filing's row.
        """
        step = replace(self.step(action, filing.status, actor), target=filing.status)
        history.append(session, self._history(actor, step, filing.id, filing.version, payload))
