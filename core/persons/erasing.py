"""Erasing a person (个人信息保护法 art. 47): what is only the person's goes, the rest stays without the person.

Record by record, each in a transaction of its own with a row of the history that says so: who is interrupted begins
again, and finds only what is left. A second run changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from core.db import Database
from core.forms.library import FormLibrary
from core.models import HistoryEntry, HistoryPayload
from core.persons import answers
from core.persons.holdings import Column, Fate, Holding, Holdings, Holds, Subject
from core.persons.person import Person, within
from core.persons.search import Found, Progress, answers_of, find, number_in, rows_of
from core.privacy import in_row
from core.workflows import erasure, history

ACTING = frozenset({"actor", "operator_name", "office", "imported_by", "by", "name", "username", "proposed_by"})
"""Keys under which JSON names who acted for the office: a number is looked for there, a name is not."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an erasure works on. `remove_files` deletes rows of files within a transaction and returns the keys of
    their bytes, which `delete_bytes` deletes after it."""

    database: Database
    holdings: Holdings
    forms: FormLibrary
    remove_files: Callable[[Session, Sequence[UUID]], list[str]]
    delete_bytes: Callable[[Sequence[str]], None]


@dataclass(slots=True)
class Outcome:
    """Rows changed and deleted by table, moves erased, files removed; `left`: what cannot go yet, and why."""

    changed: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    files: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Whether something was erased."""
        return bool(self.changed or self.deleted or self.moves or self.files)

    def as_counts(self) -> dict[str, Any]:
        """For a receipt."""
        return {
            "changed": self.changed, "deleted": self.deleted, "moves": self.moves, "files": self.files,
            "left": len(self.left),
        }  # fmt: skip


def erase(tools: Tools, person: Person, because: str, progress: Progress = lambda _t, _n: None) -> Outcome:
    """Erase a person from all tables; `because` is what the history of each record says."""
    outcome = Outcome()
    found = find(tools.database, tools.holdings, tools.forms, person, progress)
    for holding in tools.holdings.roots:
        for row_id in sorted(found.rows.get(holding.table.name, ()), key=str):
            with tools.database.write() as session:
                record = _Record(session, tools, holding, person, outcome)
                removed = record.erase(row_id, because)
            tools.delete_bytes(removed)
    _erase_moves(tools, found, because, outcome)
    return outcome


def _erase_moves(tools: Tools, found: Found, because: str, outcome: Outcome) -> None:
    for (_type, subject_id), seqs in sorted(found.moves.items(), key=str):
        with tools.database.write() as session:
            outcome.moves += erasure.erase(session, subject_id, sorted(seqs), {"reason": because})


class _Record:
    """A row that belongs to no other, with all that belongs to it, within one transaction."""

    def __init__(self, session: Session, tools: Tools, holding: Holding, person: Person, outcome: Outcome) -> None:
        self._session, self._tools, self._holding = session, tools, holding
        self._person, self._outcome = person, outcome
        self._names: set[str] = set()
        self._files: set[str] = set()
        self._own = False
        self._changed: dict[str, list[Mapping[str, Any]]] = {}
        self._deleted: dict[str, int] = {}

    def erase(self, row_id: Any, because: str) -> list[str]:
        """Erase the person from the record; the keys of the bytes of files that are to go."""
        table = self._holding.table
        chosen = select(table).where(table.c[self._holding.key[0]] == row_id).with_for_update()
        found = rows_of(self._session, chosen)
        if not found:
            return []
        root = found[0]
        rows: list[tuple[Holding, Mapping[str, Any]]] = [(self._holding, root), *self._children(root)]
        for holding, row in rows:
            self._look(holding, row)
        if self._own and (reason := self._holding.busy(root)) is not None:
            self._outcome.left.append(reason)
            return []
        subject = self._holding.subject
        unlike = [] if subject is None else subject.unlike(self._session, row_id)
        for holding, row in reversed(rows):  # what belongs to a row goes before it
            self._change(holding, row)
        removed = self._tools.remove_files(self._session, sorted(UUID(one) for one in self._files))
        moves = self._erase_history(subject, row_id, because, unlike) if subject is not None else 0
        self._count(moves, len(self._files))
        return removed

    def _children(self, root: Mapping[str, Any]) -> Iterator[tuple[Holding, Mapping[str, Any]]]:
        for holding in self._tools.holdings.children(self._holding):
            link = holding.table.c[str(holding.link)]
            if any(column.fate != Fate.KEEP for column in holding.columns):
                yield from self._rows(holding, link == root[holding.parent_key])
        for holding in self._tools.holdings.all:
            if holding.about is not None and self._holding.subject is not None:
                yield from self._rows(holding, holding.table.c[holding.about] == root[self._holding.key[0]])

    def _rows(self, holding: Holding, condition: ColumnElement[bool]) -> Iterator[tuple[Holding, Mapping[str, Any]]]:
        chosen = select(holding.table).where(condition).with_for_update()
        for row in rows_of(self._session, chosen):
            yield holding, row

    def _look(self, holding: Holding, row: Mapping[str, Any]) -> None:
        """Whether the row is the person's own, and which names and files in it are the person's."""
        for column in holding.columns:
            value = row[column.name]
            if value is None or column.fate == Fate.KEEP:
                continue
            if self._person.is_whole(column.holds == Holds.NUMBER, column.use, value):
                self._own = True
            elif column.holds == Holds.ANSWERS:
                form, stored, where = answers_of(holding, column, row, self._tools.forms)
                if form is not None:
                    said = answers.said_of(form, stored, where, self._person)
                    self._names |= said.names
                    self._files |= said.files
        if self._own and holding is self._holding:
            self._names |= {row[c.name] for c in holding.columns if c.holds == Holds.NAME and row[c.name]}

    def _change(self, holding: Holding, row: Mapping[str, Any]) -> None:
        table = holding.table
        here = [table.c[name] == row[name] for name in holding.key]
        if holding.deletes and self._own:
            self._session.execute(delete(table).where(*here))
            self._deleted[table.name] = self._deleted.get(table.name, 0) + 1
            return
        changes = {}
        for column in holding.columns:
            if column.fate != Fate.KEEP and row[column.name] is not None:
                new = self._new(holding, column, row)
                if new != row[column.name]:
                    changes[column.name] = new
        if changes:
            bound = {name: row[name] for name in table.c.keys() if name not in changes}  # noqa: SIM118
            self._session.execute(update(table).where(*here).values(**in_row(table, changes, **bound)))
            self._changed.setdefault(table.name, []).append(row)

    def _new(self, holding: Holding, column: Column, row: Mapping[str, Any]) -> Any:
        """What is to stand in a column."""
        value, person = row[column.name], self._person
        empty = None if holding.table.c[column.name].nullable and column.empty is None else column.empty
        match column.holds:
            case Holds.NUMBER:
                return empty if person.is_number(value) else value
            case Holds.HASH:
                return empty if value == person.hash_for(column.use) else value
            case Holds.NAME | Holds.OWN if self._own and (holding is self._holding or holding.parent):
                return empty
            case Holds.ANSWERS:
                return self._new_answers(holding, column, row)
            case _:
                return self._redacted(value)

    def _new_answers(self, holding: Holding, column: Column, row: Mapping[str, Any]) -> Any:
        form, stored, where = answers_of(holding, column, row, self._tools.forms)
        value = row[column.name]
        if form is None:
            return self._redacted(value)
        new = answers.without(form, stored, where, self._person, self._names)
        if new is None:
            return value
        assert holding.answers is not None
        return {**value, "data": new} if holding.answers.inner else new

    def _redacted(self, value: Any) -> Any:
        """A text or JSON value without number and names; those who act for the office keep their names."""
        without_number = within(value, self._person.without)
        return within(without_number, lambda text: self._person.without(text, self._names), but=ACTING)

    def _erase_history(self, subject: Subject, subject_id: UUID, because: str, unlike: Sequence[str]) -> int:
        """Erase the moves that carry something of the person, and say so if anything of the record was changed."""
        chosen = (
            select(HistoryEntry.seq, HistoryPayload.payload)
            .join(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
            .where(HistoryEntry.subject_id == subject_id, HistoryEntry.action != history.ERASE)
        )
        whole = self._own or self._holding.table.name in self._changed
        seqs = [
            row.seq for row in self._session.execute(chosen)
            if number_in(row.payload, self._person) or self._redacted(row.payload) != row.payload
            or (whole and any(row.payload.get(key) for key in subject.payload_keys))
        ]  # fmt: skip
        if not seqs and not self._changed:
            return 0
        said = subject.standing(self._session, subject_id, self._changed) or [{}]
        gone, marked = 0, history.marked(unlike)
        for digests in said:
            gone += erasure.erase(self._session, subject_id, seqs, {"reason": because, **digests, **marked})
            seqs, marked = [], {}
        return gone

    def _count(self, moves: int, files: int) -> None:
        outcome = self._outcome
        # A plain text, as JSON takes it: the name of a table is a class of its own.
        for name, rows in ((str(name), rows) for name, rows in self._changed.items()):
            outcome.changed[name] = outcome.changed.get(name, 0) + len(rows)
        for name, number in ((str(name), number) for name, number in self._deleted.items()):
            outcome.deleted[name] = outcome.deleted.get(name, 0) + number
        outcome.moves += moves
        outcome.files += files
