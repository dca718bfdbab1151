"""The tables whose rows have a chain of regions (`area1` to `area3`), of all rooms.

They are found in the database by their columns, so that a room added later is included and this room imports none of
those above it. Beside a chain stands one of two kinds of code. A foreign key to `regions` says where something lies
today and is changed with it; a plain column, and the region of an account application (账号申请), keep the code of
their time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, MetaData, Table, and_, case, exists, func, inspect, literal, select
from sqlalchemy.orm import Session

AREAS = ("area1", "area2", "area3")
_REGIONS = "regions"
_OF_THEIR_TIME = frozenset({"account_applications"})

Chain = Sequence[str]


@dataclass(frozen=True, slots=True)
class Moving:
    """Rows below `old` (a chain as deep as its region) come to lie below `new`; `code` and `into` are the regions."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def code(self) -> str:
        """The region whose place changes, as rows name it before."""
        return self.old[-1]

    @property
    def into(self) -> str:
        """The region that rows name after it."""
        return self.new[-1]


@dataclass(frozen=True, slots=True)
class ChainTable:
    """A table with a chain of regions. `key` is the first column of its primary key."""

    table: Table
    key: Column[Any]
    follows: bool

    def lies_below(self, chain: Chain) -> ColumnElement[bool]:
        """Rows that lie in the region at the end of the chain, or below it."""
        return and_(*(self.table.c[area] == code for area, code in zip(AREAS, chain, strict=False)))

    def after(self, moving: Moving) -> dict[str, Any]:
        """The values that rows have when they were moved."""
        values: dict[str, Any] = dict(zip(AREAS, moving.new, strict=False))
        if len(moving.new) != len(moving.old):
            # Nothing lies below a region that changes its depth: what is left of the chain is empty.
            values |= dict.fromkeys(AREAS[len(moving.new) :])
        if self.follows:
            region = self.table.c.region_code
            values["region_code"] = case((region == moving.code, literal(moving.into)), else_=region)
        return values


def chain_tables(session: Session) -> list[ChainTable]:
    """All of them, in the order of their names."""
    connection = session.connection()
    looking = inspect(connection)
    found = []
    for name in sorted(looking.get_table_names()):
        columns = {column["name"] for column in looking.get_columns(name)}
        if name == _REGIONS or not columns.issuperset(AREAS):
            continue
        table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        points = any(
            key["referred_table"] == _REGIONS and key["constrained_columns"] == ["region_code"]
            for key in looking.get_foreign_keys(name)
        )
        key = next(iter(table.primary_key.columns))
        found.append(ChainTable(table, key, points and name not in _OF_THEIR_TIME))
    return found


def counts_below(session: Session, chain: Chain) -> dict[str, int]:
    """How many rows lie in a region or below it, by table; tables without any are left out."""
    counted = {
        one.table.name: session.scalar(select(func.count()).select_from(one.table).where(one.lies_below(chain)))
        for one in chain_tables(session)
    }
    return {name: number for name, number in counted.items() if number}


def is_in_use(session: Session, chain: Chain) -> bool:
    """Whether any row lies in a region or below it."""
    return any(session.scalar(select(exists().where(one.lies_below(chain)))) for one in chain_tables(session))


def keys_below(session: Session, one: ChainTable, chain: Chain, page: int) -> Iterator[list[Any]]:
    """The keys of the rows in a region or below it, in their order, so many at a time."""
    statement = select(one.key).distinct().where(one.lies_below(chain)).order_by(one.key).limit(page)
    after: Any = None
    while True:
        keys = list(session.scalars(statement if after is None else statement.where(one.key > after)))
        if keys:
            yield keys
        if len(keys) < page:
            return
        after = keys[-1]


def as_chain(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of a row's chain that are there."""
    return tuple(str(row[area]) for area in AREAS if row[area] is not None)
