"""Sealing anew: every value that is sealed, table by table, in batches, while the server runs and writes.

A batch is one transaction over some rows: those with a value to seal anew are locked, opened, sealed and written, so
that nobody's write falls between. What was cut off goes on where it was, because what is done already is passed over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Engine, Table, Text, and_, bindparam, column, select, tuple_, update

from core.db import Base
from core.privacy import EncryptedText, SealedJSON, Unopened, is_sealed, place, walked

BATCH = 200
"""Rows of a transaction: some milliseconds, for which other writers of SQLite wait."""
ANSWERS = {"sealed": "answers"}
"""`info` of a JSON column with answers whose single values are sealed, at its top or in its `data`."""

Needs = Callable[[str], bool]
"""Whether what is sealed is to be sealed anew."""
Change = Callable[[str, str], str]
"""From what is sealed, and its place, to what is to stand there."""
Before = Callable[[Connection, Sequence[Any]], None]
"""Called with the keys of the rows of a batch that will be changed, in its transaction, before they are."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A column that holds what is sealed: how its values are walked, and by which columns a row names its place."""

    column: str
    by: tuple[str, ...]
    kind: str


def places() -> dict[str, list[_Place]]:
    """By table: all columns that hold what is sealed."""
    found: dict[str, list[_Place]] = {}
    for table in Base.metadata.sorted_tables:
        own = [one for one in (_place_of(table, each) for each in table.c) if one is not None]
        if own:
            found[table.name] = own
    return found


def _place_of(table: Table, each: sa.Column[Any]) -> _Place | None:
    if isinstance(each.type, EncryptedText):
        return _Place(each.name, (each.type.row,), "text")
    if isinstance(each.type, SealedJSON):
        return _Place(each.name, (each.type.by,), "payload")
    if each.info.get("sealed") == "answers":
        return _Place(each.name, tuple(key.name for key in table.primary_key), "answers")
    return None


@dataclass(slots=True)
class Tally:
    """Rows looked at, rows that were sealed anew, values that do not open, by their place."""

    rows: int = 0
    changed: int = 0
    unopened: int = 0


def walk(
    engine: Engine,
    needs: Needs,
    change: Change,
    *,
    before: Mapping[str, Before] | None = None,
    present: Mapping[str, set[str]] | None = None,
) -> Iterator[tuple[str, Tally]]:
    """Change all that needs it; yields the table and its tally after each batch.

    `present`: the tables and columns that are there, where they are not those of the code.
    """
    for name, columns in places().items():
        there = [one for one in columns if present is None or one.column in present.get(name, ())]
        if there:
            yield from _walk_table(engine, _Table(name, there), needs, change, (before or {}).get(name))


class _Table:
    """A table without the column types of the code, so that values come as they are stored."""

    def __init__(self, name: str, columns: list[_Place]) -> None:
        model = Base.metadata.tables[name]
        self.name, self.places = name, columns
        self.key = [key.name for key in model.primary_key]
        beside = {by for one in columns for by in one.by} | set(self.key)
        types = {**{by: model.c[by].type for by in beside}, **{one.column: _plain(one) for one in columns}}
        self.table = sa.table(name, *(column(each, kind) for each, kind in types.items()))

    def rows(self, after: Any, *, lock: bool = False, until: Any = None) -> "sa.Select[Any]":
        keys = [self.table.c[key] for key in self.key]
        asked = select(self.table).order_by(*keys)
        if after is not None:
            asked = asked.where(_behind(keys, after))
        if until is not None:
            asked = asked.where(~_behind(keys, until))
        return asked.with_for_update() if lock else asked.limit(BATCH)

    def changed(self, row: Any, change: Change, tally: Tally) -> dict[str, Any]:
        """The columns of a row that are to be written."""
        return {
            one.column: new
            for one in self.places
            if (new := _changed(one, self.where(one, row), row._mapping[one.column], change, tally)) is not None
        }

    def where(self, one: _Place, row: Any) -> str:
        """The place of a row's column."""
        return place(self.name, one.column, ".".join(_word(row._mapping[by]) for by in one.by))

    def written(self, names: Sequence[str]) -> "sa.Update":
        own = and_(*(self.table.c[key] == bindparam(f"row_{key}") for key in self.key))
        return update(self.table).where(own).values({name: bindparam(f"new_{name}") for name in names})


def _plain(one: _Place) -> Any:
    return Text() if one.kind == "text" else sa.JSON()


def _behind(keys: list[Any], values: tuple[Any, ...]) -> ColumnElement[bool]:
    if len(keys) == 1:
        return keys[0] > values[0]  # type: ignore[no-any-return]
    return tuple_(*keys) > tuple_(*(sa.literal(value, key.type) for value, key in zip(values, keys, strict=True)))


def _walk_table(
    engine: Engine, table: _Table, needs: Needs, change: Change, before: Before | None
) -> Iterator[tuple[str, Tally]]:
    def marked(sealed: str, _where: str) -> str:
        return "" if needs(sealed) else sealed

    def changed(sealed: str, where: str) -> str:
        return change(sealed, where) if needs(sealed) else sealed

    tally, after = Tally(), None
    reading = engine.execution_options(reading=True)
    while True:
        with reading.connect() as connection:
            rows = connection.execute(table.rows(after)).all()
        if any(table.changed(row, marked, Tally()) for row in rows):
            with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # What payloads of the history say does not change, but their rows do, which triggers refuse.
                    connection.exec_driver_sql("SET LOCAL gongpin.history = 'maintenance'")
                again = connection.execute(table.rows(after, lock=True, until=_key(table, rows[-1]))).all()
                _reseal(connection, table, again, changed, before, tally)
        tally.rows += len(rows)
        yield table.name, tally
        if len(rows) < BATCH:
            return
        after = _key(table, rows[-1])


def _key(table: _Table, row: Any) -> tuple[Any, ...]:
    return tuple(row._mapping[key] for key in table.key)


def _reseal(
    connection: Connection, table: _Table, rows: Sequence[Any], change: Change, before: Before | None, tally: Tally
) -> None:
    new = [(row, values) for row in rows if (values := table.changed(row, change, tally))]
    if before is not None and new:
        before(connection, [_key(table, row)[0] for row, _ in new])
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row, values in new:
        written = {f"row_{key}": row._mapping[key] for key in table.key}
        written |= {f"new_{name}": value for name, value in values.items()}
        by_columns.setdefault(tuple(sorted(values)), []).append(written)
    for names, parameters in by_columns.items():
        connection.execute(table.written(names), parameters)
    tally.changed += len(new)


def _changed(one: _Place, where: str, value: Any, change: Change, tally: Tally) -> Any:
    """The new value of a column, None where it stays."""
    if one.kind != "answers":
        new = _changed_text(value, where, change, tally)
        return new if new != value else None
    if not isinstance(value, dict):
        return None
    inner = value.get("data")
    if isinstance(inner, dict):  # the answers and what they answer
        new = _changed_answers(inner, where, change, tally)
        return {**value, "data": new} if new != inner else None
    new = _changed_answers(value, where, change, tally)
    return new if new != value else None


def _changed_answers(answers: Mapping[str, Any], where: str, change: Change, tally: Tally) -> dict[str, Any]:
    return walked(answers, where, lambda text, place: _changed_text(text, place, change, tally))


def _changed_text(value: Any, where: str, change: Change, tally: Tally) -> Any:
    if not isinstance(value, str) or not is_sealed(value):
        return value
    try:
        return change(value, where)
    except Unopened:
        # Typed by somebody, or damaged: it stays as it is.
        tally.unopened += 1
        return value


def _word(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else value.hex if isinstance(value, UUID) else str(value)
