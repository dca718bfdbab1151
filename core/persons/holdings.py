"""What rooms declare of the personal data (个人信息) in their tables.

Each table with such data is a `Holding`; each of its columns that says something of a person is a `Column`, with what
becomes of it when the person has it erased (个人信息保护法 art. 47). `composition/persons.py` brings the holdings of
all rooms together; a test fails on a personal column that none declares.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table
from sqlalchemy.orm import Session

from core.persons.person import Person


class Fate(enum.StrEnum):
    """What becomes of a column when a person has the data erased."""

    ERASE = "erase"
    """It is emptied, or goes with its row: it says nothing but of the person."""
    PSEUDONYMISE = "pseudonymise"
    """The person is replaced by 已删除; what else it says stays, because the law obliges to keep it."""
    KEEP = "keep"
    """It stays as it is, for the legal reason that the declaration gives."""


class Holds(enum.StrEnum):
    """What a column holds, and so how a person is found in it."""

    NUMBER = "number"
    """A mobile or resident-ID number: the row is the person's."""
    HASH = "hash"
    """A keyed hash of the number, made for the use that the column names: the row is the person's."""
    NAME = "name"
    """The name of the person whose row it is."""
    OWN = "own"
    """Something else of the person whose row it is: what the person wrote, with which device, from where."""
    TEXT = "text"
    """Words of others, in which a number or the name may stand."""
    JSON = "json"
    """JSON with such words."""
    ANSWERS = "answers"
    """Answers to a form: the definition of the form says which of them are a person's (`answers.py`)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A personal column. `title` and `reason` are Chinese: they are shown to the person.

    `reason`: for `KEEP` why the law has it kept, else what stands there afterwards. `empty` is what an emptied column
    holds that cannot be NULL. `use` is that of a keyed hash.
    """

    name: str
    holds: Holds
    title: str
    fate: Fate
    reason: str
    empty: Any = None
    use: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the answers of a row stand: the form they answer, and the place for which they are sealed.

    `inner`: the column holds `{"form_code", "form_version", "data"}` instead of the answers alone.
    """

    place: Callable[[Any, str], str]
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """The record that a row is: under which types the history knows it, and what else an erasure has to say there.

    `standing` is called after rows were changed, with the changed rows of each table, and
    returns the digests by which the record is verified from then on (`core.workflows.erasure.DIGESTS`), for each row
    of the history that is to name some.
    `unlike` is called before anything is changed and names the digests that do not fit the record as it stands: the
    row says so, or the erasure would make right what somebody changed in the table.
    `payload_keys`: a move that carries any of them is erased, where the record is the person's or its row was changed.
    """

    types: tuple[str, ...]
    standing: Callable[[Session, UUID, Mapping[str, list[Mapping[str, Any]]]], list[Mapping[str, Any]]] = (
        lambda _session, _id, _changed: []
    )
    payload_keys: frozenset[str] = frozenset()
    unlike: Callable[[Session, UUID], list[str]] = lambda _session, _id: []


@dataclass(frozen=True, slots=True)
class Holding:
    """A table with personal data.

    `title`, `purpose`, `basis` (legal basis) and `kept` (how long) are Chinese, for the person and for
    `docs/privacy.md`. `parent` is the table to whose rows these belong, `link` the column that names the parent's
    `parent_key`; a parent has no parent. `narrow` finds the rows of a known number without reading all of them.
    `deletes`: the whole row goes. `busy` says why a person's own row cannot be erased yet, None where it can.
    """

    table: Table
    title: str
    purpose: str
    basis: str
    kept: str
    columns: tuple[Column, ...]
    parent: str | None = None
    link: str | None = None
    parent_key: str = "id"
    subject: Subject | None = None
    answers: Answers | None = None
    narrow: Callable[[Person], ColumnElement[bool] | None] = lambda _person: None
    deletes: bool = False
    busy: Callable[[Any], str | None] = lambda _row: None
    since: str | None = None
    """The column that says since when the row is there."""
    about: str | None = None
    """The column with the id of a record of another table that the row is about: a to-do, a file."""
    searched: bool = True
    """Whether a number may stand in it. If not, its rows are found with their parent's alone."""

    def column(self, name: str) -> Column:
        """The declaration of a column."""
        return next(column for column in self.columns if column.name == name)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return tuple(column.name for column in self.table.primary_key)


class Holdings:
    """The holdings of all rooms, parents before what belongs to them."""

    def __init__(self, *rooms: tuple[Holding, ...]) -> None:
        """Raises `ValueError` for a declaration that cannot work."""
        self.all = tuple(holding for room in rooms for holding in room)
        self.by_table = {holding.table.name: holding for holding in self.all}
        if len(self.by_table) != len(self.all):
            raise ValueError("a table is declared twice")
        for holding in self.all:
            self._check(holding)

    def _check(self, holding: Holding) -> None:
        name = holding.table.name
        unknown = [column.name for column in holding.columns if column.name not in holding.table.c]
        if unknown:
            raise ValueError(f"{name}: no column {unknown}")
        if len({column.name for column in holding.columns}) != len(holding.columns):
            raise ValueError(f"{name}: a column is declared twice")
        if holding.parent is not None:
            parent = self.by_table.get(holding.parent)
            if parent is None or parent.parent is not None or str(holding.link) not in holding.table.c:
                raise ValueError(f"{name}: belongs to no declared table by {holding.link}")
        for column in holding.columns:
            if not column.reason:
                raise ValueError(f"{name}.{column.name}: no reason")
            if (column.holds == Holds.HASH) != bool(column.use):
                raise ValueError(f"{name}.{column.name}: a hash names its use, nothing else does")
            if column.holds == Holds.ANSWERS and holding.answers is None:
                raise ValueError(f"{name}.{column.name}: answers to which form?")

    def children(self, holding: Holding) -> list[Holding]:
        """The tables whose rows belong to rows of a table."""
        return [one for one in self.all if one.parent == holding.table.name]

    def root(self, holding: Holding) -> Holding:
        """The table to whose rows those of a table belong; itself, where to none."""
        return holding if holding.parent is None else self.by_table[holding.parent]

    @property
    def roots(self) -> list[Holding]:
        """The tables whose rows belong to no other."""
        return [holding for holding in self.all if holding.parent is None]

    @property
    def uses(self) -> tuple[str, ...]:
        """The uses of all keyed hashes of numbers."""
        return tuple(dict.fromkeys(column.use for one in self.all for column in one.columns if column.use))
