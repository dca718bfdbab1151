"""Statements of the hot path: written with SQLAlchemy, compiled once, run by the driver.

`Session.execute` costs several times what such a statement itself does, and a submission runs ten
of them. Connection, transaction, types and exceptions stay SQLAlchemy's; what is left out is
looking the statement up and wrapping its result anew each time. Where a trace or a test listens to the engine's
statements, they are run by SQLAlchemy as usual, so that the listener gets them. The session is not flushed before:
a caller that has added objects to it must flush first.

Who may import this stands in `[tool.importlinter]` of pyproject.toml.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

Processor = Callable[[Any], Any]


class Prepared:
    """A statement whose values are all given by name: no lists for IN, no defaults made in Python.

    `statement` may be a function of the dialect's name and the names given, where they matter.
    """

    def __init__(self, statement: Executable | Callable[[str, tuple[str, ...]], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def rows(self, session: Session | Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run it; the rows it returns, as named tuples."""
        connection = session if isinstance(session, Connection) else _connection_of(session)
        name = connection.dialect.name
        compiled = self._compiled.get((name, *values))
        if compiled is None:
            names = tuple(values)
            statement = self._statement if isinstance(self._statement, Executable) else self._statement(name, names)
            compiled = self._compiled[name, *names] = _Compiled(statement, connection.dialect, names)
        if connection.engine.dispatch.before_cursor_execute:
            return compiled.run_by_sqlalchemy(connection, values)
        return compiled.run(connection, values)

    def first(self, session: Session | Connection, values: Mapping[str, Any]) -> Any:
        """The first row, or None."""
        rows = self.rows(session, values)
        return rows[0] if rows else None


def _connection_of(session: Session) -> Connection:
    """The connection of a session, in a transaction.

    Where the session stands over a connection, that is asked directly: to ask the session, each time, costs half of
    what a statement does. A session that begins later joins the transaction, and `core.db` ends it.
    """
    connection = session.bind
    if not isinstance(connection, Connection) or session.in_nested_transaction():
        # Within `begin_nested` the session sends its SAVEPOINT when it is asked, and not before.
        return session.connection()
    if not connection.in_transaction():
        connection.begin()
    return connection


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """The values of these names, in their order; in C where there are several."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


class _Compiled:
    """For one dialect and one set of names."""

    def __init__(self, statement: Executable, dialect: Dialect, names: tuple[str, ...]) -> None:
        self.statement, self.dialect = statement, dialect
        writes = statement.is_insert or statement.is_update
        compiled = cast(
            SQLCompiler, cast(Any, statement).compile(dialect=dialect, column_keys=list(names) if writes else None)
        )
        if compiled.prefetch or "POSTCOMPILE" in compiled.string:
            raise ValueError(f"cannot be prepared: {compiled.string}")
        self.sql = compiled.string
        self.positional = compiled.positiontup is not None
        places = [(compiled.binds[name], name) for name in compiled.positiontup or compiled.binds]
        # Values that stand in the statement itself, by place or name; those to be given; how some are written.
        self.fixed: list[tuple[Any, Any]] = []
        self.writes: list[tuple[Any, Processor]] = []
        given: list[str] = []
        for place, (bind, name) in enumerate(places):
            write = bind.type.dialect_impl(dialect).bind_processor(dialect)
            at: Any = place if self.positional else name
            if name not in names:
                value = bind.effective_value
                self.fixed.append((at, write(value) if write else value))
                continue
            given.append(name)
            if write is not None:
                self.writes.append((at, write))
        self.given = _picking(given)
        columns = list(cast(Any, statement).exported_columns)
        self.row: Any = namedtuple("row", [column.key for column in columns]) if columns else None
        reads = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self.reads: list[tuple[int, Processor]] = [(place, read) for place, read in enumerate(reads) if read]

    def run_by_sqlalchemy(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """By way of SQLAlchemy, so that listeners of the engine get the statement."""
        result = connection.execute(self.statement, dict(values))
        return [self.row(*row) for row in result] if self.row else []

    def run(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """By the driver itself."""
        parameters: Any
        if self.positional:
            parameters = [*self.given(values)]
            for place, value in self.fixed:
                parameters.insert(place, value)
        else:
            parameters = {**values, **dict(self.fixed)}
        for at, write in self.writes:
            parameters[at] = write(parameters[at])
        driver: Any = connection.connection.dbapi_connection
        try:
            cursor = driver.execute(self.sql, parameters)
            found = cursor.fetchall() if self.row else ()
        except self.dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, error) from error
        if not self.reads:
            return [self.row._make(row) for row in found]
        rows = []
        for row in found:
            read = list(row)
            for place, process in self.reads:
                read[place] = process(read[place])
            rows.append(self.row._make(read))
        return rows

    def _translated(self, connection: Connection, error: Any) -> BaseException:
        broken = self.dialect.is_disconnect(error, connection.connection, None)
        if broken:
            connection.invalidate(error)
        base = self.dialect.loaded_dbapi.Error
        return cast(
            BaseException,
            DBAPIError.instance(self.sql, None, error, base, connection_invalidated=broken, dialect=self.dialect),
        )
