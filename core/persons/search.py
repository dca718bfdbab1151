"""Finding a person in all tables: by keyed hash or index where there is one, else by reading every row once.

Rows are read in chunks by their key, without a lock: memory stays flat. What is found is looked at again, under a lock,
by whoever changes it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from core.db import Database
from core.errors import Problem
from core.forms.form import Form
from core.forms.library import FormLibrary
from core.models import HistoryEntry, HistoryPayload
from core.persons.answers import said_of
from core.persons.holdings import Column, Fate, Holding, Holdings, Holds
from core.persons.person import Person, texts_in
from core.workflows import history

CHUNK = 1000
Progress = Callable[[str, int], object]
"""Called with the title of a table and the number of rows that were read since the last call."""
_WHOLE = (Holds.NUMBER, Holds.HASH)
_FORM = ("form_code", "form_version")


@dataclass(slots=True)
class Found:
    """Where a person was found: by table the ids of rows that belong to no other row, and of other records the type,
    id and move in whose history the number stands."""

    rows: dict[str, set[Any]] = field(default_factory=dict)
    moves: dict[tuple[str, UUID], set[int]] = field(default_factory=dict)

    def add(self, holding: Holding, row_id: Any) -> None:
        """Note a row."""
        self.rows.setdefault(holding.table.name, set()).add(row_id)

    @property
    def count(self) -> int:
        """How many rows and records there are."""
        return sum(len(ids) for ids in self.rows.values()) + len(self.moves)


def find(
    database: Database, holdings: Holdings, forms: FormLibrary, person: Person, progress: Progress = lambda _t, _n: None
) -> Found:
    """All rows in which a person is found."""
    found = Found()
    with database.read() as session:
        for holding in holdings.all:
            if not holding.searched or holding.table.name == HistoryPayload.__tablename__:
                continue
            root = holdings.root(holding)
            for row in _hits(session, holding, forms, person, progress):
                found.add(root, row[holding.link or root.key[0]])
        _find_in_history(session, holdings, person, found, progress)
    return found


def _hits(
    session: Session, holding: Holding, forms: FormLibrary, person: Person, progress: Progress
) -> Iterator[Mapping[str, Any]]:
    columns = [column for column in holding.columns if column.fate != Fate.KEEP]
    for column in columns:
        if column.holds == Holds.HASH and (hashed := person.hash_for(column.use)) is not None:
            yield from _rows(session, holding, [], holding.table.c[column.name] == hashed)
    numbers = [column for column in columns if column.holds == Holds.NUMBER]
    narrowed = holding.narrow(person)
    if numbers and narrowed is not None:
        for row in _rows(session, holding, numbers, narrowed):
            if any(person.is_number(row[column.name]) for column in numbers):
                yield row
        numbers = []
    others = [column for column in columns if column.holds not in _WHOLE and _may_name(holding, column)]
    if not numbers and not others:
        return
    read = 0
    for row in _rows(session, holding, [*numbers, *others]):
        read += 1
        if read % CHUNK == 0:
            progress(holding.title, CHUNK)
        whole = any(person.is_number(row[column.name]) for column in numbers)
        if whole or any(names(holding, column, row, forms, person) for column in others):
            yield row
    progress(holding.title, read % CHUNK)


def _may_name(holding: Holding, column: Column) -> bool:
    """Whether a number can stand in a column; what identifies nobody by itself is not opened for it."""
    length = getattr(holding.table.c[column.name].type, "length", None)
    return column.holds in (Holds.ANSWERS, Holds.JSON, Holds.TEXT) or (not holding.deletes and length is None)


def names(holding: Holding, column: Column, row: Mapping[str, Any], forms: FormLibrary, person: Person) -> bool:
    """Whether the person's number stands in a column of a row."""
    value = row[column.name]
    if value is None:
        return False
    if column.holds == Holds.ANSWERS:
        form, stored, where = answers_of(holding, column, row, forms)
        if form is not None:
            return bool(said_of(form, stored, where, person))
        value = stored
    if column.holds in (Holds.JSON, Holds.ANSWERS):
        return number_in(value, person)
    return person.is_named_in(value)


def number_in(value: Any, person: Person) -> bool:
    """Whether the number stands in a text of a JSON value."""
    return any(person.is_named_in(text) for text in texts_in(value))


def answers_of(
    holding: Holding, column: Column, row: Mapping[str, Any], forms: FormLibrary
) -> tuple[Form | None, Mapping[str, Any], str]:
    """The form that a row answers (None where it is published no more), the stored answers, and their place."""
    assert holding.answers is not None
    value: Mapping[str, Any] = row[column.name] or {}
    says, stored = (value, value.get("data") or {}) if holding.answers.inner else (row, value)
    where = holding.answers.place(row, column.name)
    try:
        return forms.get(says["form_code"], says["form_version"]).form, stored, where
    except (Problem, KeyError):
        return None, stored, where


def _rows(
    session: Session, holding: Holding, columns: list[Column], condition: ColumnElement[bool] | None = None
) -> Iterator[Mapping[str, Any]]:
    table = holding.table
    wanted = {*holding.key, *(column.name for column in columns)} | ({holding.link} if holding.link else set())
    if holding.answers is not None and not holding.answers.inner:
        wanted |= set(_FORM)
    keys = [table.c[name] for name in holding.key]
    chosen: Select[Any] = select(*(column for column in table.c if column.name in wanted)).order_by(*keys).limit(CHUNK)
    if condition is not None:
        chosen = chosen.where(condition)
    after: tuple[Any, ...] | None = None
    while True:
        rows = rows_of(session, chosen if after is None else chosen.where(_behind(keys, after)))
        yield from rows
        if len(rows) < CHUNK:
            return
        after = tuple(rows[-1][name] for name in holding.key)


def rows_of(session: Session, chosen: Select[Any]) -> list[dict[str, Any]]:
    """The rows of a statement by column name."""
    return [row._asdict() for row in session.execute(chosen)]


def _behind(keys: list[Any], after: tuple[Any, ...]) -> ColumnElement[bool]:
    if len(keys) == 1:
        return keys[0] > after[0]  # type: ignore[no-any-return]
    return tuple_(*keys) > after


def _find_in_history(session: Session, holdings: Holdings, person: Person, found: Found, progress: Progress) -> None:
    """Moves of any record that carry the number; of a record that stands in a declared table, the record."""
    subjects = {_type: holding for holding in holdings.roots if holding.subject for _type in holding.subject.types}
    chosen = (
        select(
            HistoryPayload.history_id, HistoryPayload.payload, HistoryEntry.subject_type, HistoryEntry.subject_id,
            HistoryEntry.seq,
        )
        .join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
        .where(HistoryEntry.action != history.ERASE)
        .order_by(HistoryPayload.history_id)
        .limit(CHUNK)
    )  # fmt: skip
    after = 0
    while True:
        rows = session.execute(chosen.where(HistoryPayload.history_id > after)).all()
        for row in rows:
            if number_in(row.payload, person):
                if row.subject_type in subjects:
                    found.add(subjects[row.subject_type], row.subject_id)
                else:
                    found.moves.setdefault((row.subject_type, row.subject_id), set()).add(row.seq)
        progress("操作记录", len(rows))
        if len(rows) < CHUNK:
            return
        after = rows[-1].history_id
