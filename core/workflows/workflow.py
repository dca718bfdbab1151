"""Workflows are tables: one engine moves a record, and nothing else writes a status.

A workflow lists steps: action, from, to, who. `move` is a compare-and-set on status and version, so
of two people who decide at the same moment one wins and the other gets a 409 with the current status.
Every move appends to the history. A broken declaration fails when the module is loaded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Executable, Table, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database.prepared import Prepared
from core.db import Base, dialect_of, insert_into
from core.errors import Problem
from core.privacy import in_row
from core.workflows import history
from core.workflows.versions import stale
from core.workflows.witnesses import Witness

SYSTEM = "system"
BACK = "«back»"
"""Target of a step that returns to the status from which a correction was asked for (`record.return_to`)."""

APPLICANT = "applicant"
"""Someone without an account; the endpoint decides who may come in."""

Guard = Callable[[Any, Actor | None], None]


class BrokenWorkflow(Exception):
    """A declaration that cannot work: duplicate step, unknown or unreachable status."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table. `source` None means that the record does not exist before.

    `who` is a verb, `SYSTEM` or `APPLICANT`. `guard(record, actor)` raises `Problem` to refuse.
    `asks_back`: the status left is remembered in `return_to`; a step to `BACK` goes there again.
    """

    action: str
    source: str | None
    target: str
    who: str
    guard: Guard | None = None
    asks_back: bool = False


class Workflow:
    """A table of steps over a database table that has `id`, `status` and `version`."""

    def __init__(
        self,
        subject_type: str,
        model: type[Base],
        statuses: Mapping[str, str],
        steps: Sequence[Step],
        personal: frozenset[str] = frozenset(),
        witness: Witness | None = None,
    ) -> None:
        """`statuses` maps each status to its Chinese label. Raises `BrokenWorkflow`.

        `personal` names what moves may carry that is personal: where one does, the history keeps it encrypted. With a
        `witness` each step notes the digest of some of the record's columns, as they are after it.
        """
        self.personal = personal
        self.witness = witness
        self.subject_type = subject_type
        self.model: Any = model
        self.table = cast(Table, model.__table__)
        self.statuses = dict(statuses)
        self._create = Prepared(self._creating)
        self.steps: dict[tuple[str | None, str], Step] = {}
        for step in steps:
            if (step.source, step.action) in self.steps:
                raise BrokenWorkflow(f"{subject_type}: {step.action} from {step.source} stands twice")
            for status in (step.source, step.target):
                if status not in (None, BACK) and status not in self.statuses:
                    raise BrokenWorkflow(f"{subject_type}: unknown status {status}")
            self.steps[step.source, step.action] = step
        self._check_reachable()

    def _creating(self, dialect: str, names: tuple[str, ...]) -> Executable:
        fresh = insert_into(dialect, self.table).on_conflict_do_nothing(index_elements=["id"])
        if dialect == "sqlite":
            return fresh.returning(self.table.c.id)
        # The record and its history by one statement: a round trip less.
        columns = [column for column in self.table.c if column.name in names]
        values = {column: bindparam(column.name, type_=column.type) for column in columns}
        return history.appending(fresh.values(values).returning(self.table.c.id).cte("created"))

    def _check_reachable(self) -> None:
        asked = {s.source for s in self.steps.values() if s.asks_back}
        if not asked and any(s.target == BACK for s in self.steps.values()):
            raise BrokenWorkflow(f"{self.subject_type}: a step goes back, but none asks for a correction")
        reached: set[str | None] = {None, BACK}
        while True:
            more = {s.target for s in self.steps.values() if s.source in reached} - reached
            if not more:
                break
            reached |= more
        lost = set(self.statuses) - reached
        if lost:
            raise BrokenWorkflow(f"{self.subject_type}: unreachable status {sorted(lost)}")

    def actions(self, status: str, verbs: frozenset[str]) -> list[str]:
        """What someone with these verbs may do to a record in this status."""
        return [s.action for s in self.steps.values() if s.source == status and s.who in verbs]

    def step(self, action: str, status: str | None, actor: Actor | None) -> Step:
        """The step to take; 409 `wrong_status` or 403 `forbidden` when there is none for this actor."""
        step = self.steps.get((status, action))
        if step is None:
            label = self.statuses.get(status or "", "未建立")
            raise Problem("wrong_status", f"当前状态为“{label}”，不能执行该操作", current_status=status)
        if step.who not in (SYSTEM, APPLICANT) and (actor is None or step.who not in actor.verbs):
            raise Problem("forbidden")
        return step

    def enter(
        self,
        session: Session,
        actor: Actor | None,
        action: str,
        values: Mapping[str, Any],
        payload: Mapping[str, Any] | None = None,
    ) -> bool:
        """Create a record with the first status of `action`; False when its id is in use already."""
        step = self.step(action, None, actor)
        row = {"version": 1, **values, "status": step.target}
        if self.witness is not None:
            payload = {**(payload or {}), self.witness.name: self.witness.digest(row)}
        row = in_row(self.table, row)
        move = self._history(actor, step, values["id"], row["version"], payload)
        try:
            if dialect_of(session) != "sqlite":
                return bool(self._create.rows(session, {**row, **history.row_of(move)}))
            if not self._create.rows(session, row):
                return False
            history.append(session, move, first=True)
        except IntegrityError as error:
            # The id of another kind of record, which has a history already.
            if "history" in str(error.orig):
                raise Problem("id_taken") from error
            raise
        return True

    def move(
        self,
        session: Session,
        actor: Actor | None,
        record: Any,
        action: str,
        values: Mapping[str, Any] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> int:
        """Move `record` (anything with `id`, `status`, `version`) and return its new version.

        Raises 409 `wrong_status` when the record has been moved by someone else meanwhile, and
        409 `stale_version` when it has been changed but stands in the same status.
        """
        step = self.step(action, record.status, actor)
        if step.guard is not None:
            step.guard(record, actor)
        version: int = record.version + 1
        changed = in_row(self.table, values or {}, id=record.id)
        if step.asks_back:
            changed["return_to"] = record.status
        if step.target == BACK:
            step = replace(step, target=record.return_to)
            changed["return_to"] = None
        c = self.table.c
        moving = (
            update(self.table)
            .where(c.id == record.id, c.status == record.status, c.version == record.version)
            .values(**changed, status=step.target, version=version)
        )
        if self.witness is None:
            moved = cast("CursorResult[Any]", session.execute(moving)).rowcount == 1
        else:
            found = self._found_changed(session, self.witness, record.id)
            row = session.execute(moving.returning(*(c[name] for name in self.witness.columns))).first()
            moved = row is not None
            if row is not None:
                marked = history.marked([], found, payload or {})
                payload = {**(payload or {}), **marked, self.witness.name: self.witness.digest(row._asdict())}
        if not moved:
            raise self._overtaken(session, record)
        history.append(session, self._history(actor, step, record.id, version, payload))
        return version

    def note(
        self, session: Session, actor: Actor | None, record_id: UUID, action: str, payload: Mapping[str, Any]
    ) -> None:
        """Append a step about what stands beside a record. The record stays as it is, and so does its version.

        The record is locked until the transaction ends. Repeated it is another row.
        """
        c = self.table.c
        names = dict.fromkeys(("id", "status", "version", *(self.witness.columns if self.witness else ())))
        row = session.execute(
            select(*(c[name] for name in names)).where(c.id == record_id).with_for_update(key_share=True)
        ).one()
        step = self.step(action, row.status, actor)
        if self.witness is not None:
            found = self._found_changed(session, self.witness, record_id)
            marked = history.marked([], found, payload)
            payload = {**payload, **marked, self.witness.name: self.witness.digest(row._asdict())}
        history.append(session, self._history(actor, step, record_id, row.version, payload))

    def _found_changed(self, session: Session, witness: Witness, record_id: UUID) -> dict[str, list[str]]:
        """The mark of a record that does not fit the digest of its last step: this one would make it look right."""
        c = self.table.c
        # Locked first: a digest is compared with the row of the same moment.
        chosen = select(*(c[name] for name in witness.columns)).where(c.id == record_id)
        row = session.execute(chosen.with_for_update(key_share=True)).first()
        recorded = history.last_payload(session, record_id).get(witness.name)
        if row is None or recorded is None or witness.fits(recorded, row._asdict()):
            return {}
        return {history.FOUND_CHANGED: [witness.name]}

    def _overtaken(self, session: Session, record: Any) -> Problem:
        c = self.table.c
        now = session.execute(select(c.status, c.version).where(c.id == record.id)).first()
        if now is None:
            return Problem("not_found")
        if now.status != record.status:
            label = self.statuses[now.status]
            return Problem("wrong_status", f"当前状态为“{label}”，不能执行该操作", current_status=now.status)
        return stale(now.version, record.version)

    def _history(
        self, actor: Actor | None, step: Step, record_id: UUID, version: int, payload: Mapping[str, Any] | None
    ) -> history.Move:
        kept = {**(actor.as_payload() if actor is not None else {}), **(payload or {})}
        return history.Move(
            subject_type=self.subject_type,
            subject_id=record_id,
            action=step.action,
            from_status=step.source,
            to_status=step.target,
            version=version,
            actor_id=actor.user_id if actor is not None else None,
            payload=kept,
            sealed=not self.personal.isdisjoint(kept),
        )
