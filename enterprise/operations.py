"""What changes the register of enterprises (企业名录).

The rows that are derived from an enterprise (its products, the bigrams of its name) are written in the same
transaction, so that lists and statistics never see them differ.
"""

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict, cast
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, String, Table, column, delete, insert, select
from sqlalchemy import values as value_rows
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.offices import move_enterprise_office
from core import clock
from core.database.name_search import bigrams
from core.db import dialect_of, insert_into
from core.text import fold, fold_to_fit
from enterprise import register_changes
from enterprise.models import AREAS, Enterprise, EnterpriseBigram, EnterpriseProduct

# 企业规模
SCALES: Mapping[str, str] = MappingProxyType({"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"})

IMPORTED, DECLARED = "imported", "declared"
NAMES_KEPT = 20

_ENTERPRISES = cast(Table, Enterprise.__table__)
_KEPT_ON_UPDATE = frozenset({"id", "uscc", "source", "status"})
_NEVER_DECLARED = frozenset({"uscc", "region_code"})


class EnterpriseFacts(TypedDict):
    """What is known of an enterprise; a key that is not there leaves what is stored as it is.

    `uscc` is normalised and valid, `scale` a key of `SCALES`, `product_codes` keys of `PRODUCTS`.
    """

    uscc: str
    name: str
    region_code: str
    address: NotRequired[str | None]
    production_address: NotRequired[str | None]
    legal_representative: NotRequired[str | None]
    scale: NotRequired[str | None]
    product_codes: NotRequired[list[str]]


class Outcome(enum.StrEnum):
    """What became of one enterprise that was put into the register."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Effect:
    """What putting a row into a register does, or would do: its outcome, and old and new of what it replaces."""

    outcome: Outcome
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=lambda: MappingProxyType({}))


OnMove = Callable[[Session, Mapping[str, Any]], None]
"""Called with the columns of an enterprise whose name or region has changed."""


def plan_enterprises(session: Session, batch: Sequence[EnterpriseFacts], *, source: str) -> list[Effect]:
    """What `put_enterprises` would do; nothing is written or locked."""
    return [comparison.effect for comparison in _compare(session, batch, source, lock=False)]


def put_enterprises(
    session: Session, batch: Sequence[EnterpriseFacts], *, source: str, on_move: OnMove
) -> list[Effect]:
    """Create or change enterprises by their credit code, some hundreds at a time.

    `source` is stored the first time and never changed. Of what is `IMPORTED` again, only what differs from the last
    import is stored: the rest may have been declared since. An enterprise's accounts move with it; `on_move` moves what
    rooms above this one keep of it, in the same transaction. Written past the session's identity map: objects loaded
    before are stale. Raises ValueError for an unknown region or a code that stands twice in the batch.
    """
    compared = _compare(session, batch, source, lock=True)
    changed = [comparison.row for comparison in compared if comparison.row]
    ids = _write(session, changed) if changed else []
    for comparison in compared:
        if comparison.moved:
            row = comparison.row
            move_enterprise_office(session, row["uscc"], row["name"], row["region_code"])
            on_move(session, row)
    # Last, because a submission notes its change last too: no two of them wait for each other.
    register_changes.note_places(session, ids)
    return [comparison.effect for comparison in compared]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """An enterprise compared with what is stored of it: `row` is to be written, empty if nothing is."""

    effect: Effect
    row: dict[str, Any]
    moved: bool = False


def _compare(session: Session, batch: Sequence[EnterpriseFacts], source: str, *, lock: bool) -> list[_Comparison]:
    if len({facts["uscc"] for facts in batch}) < len(batch):
        raise ValueError("a credit code stands twice in one batch")
    areas = _areas(session, {facts["region_code"] for facts in batch})
    stored = _stored(session, sorted(facts["uscc"] for facts in batch), lock=lock)
    compared: list[_Comparison] = []
    for facts in batch:
        before = stored.get(facts["uscc"])
        values = _values(facts, areas[facts["region_code"]])
        if source == IMPORTED:
            values = _since_last_import(values, facts.keys() - _NEVER_DECLARED, before)
        if before is None:
            compared.append(_Comparison(Effect(Outcome.CREATED), _blank(source) | values))
            continue
        values |= _renamed(before, values)
        differing = {name for name, value in values.items() if before[name] != value}
        # `imported` alone differs where an import now says what was declared before.
        outcome = Outcome.UPDATED if differing - {"imported"} else Outcome.UNCHANGED
        changes = {name: (before[name], values[name]) for name in facts if name in differing}
        moved = bool(differing & {"name", "region_code", *AREAS})
        compared.append(_Comparison(Effect(outcome, changes), {**before, **values} if differing else {}, moved))
    return compared


def _stored(session: Session, codes: Sequence[str], *, lock: bool) -> dict[str, RowMapping]:
    """The stored rows by credit code; with `lock` they are locked until the transaction ends."""
    # A joined list: PostgreSQL compares a long IN of parameters with every row of the table, one by one.
    given = value_rows(column("uscc", String), name="given").data([(code,) for code in codes]).cte("given")
    statement = select(_ENTERPRISES).join(given, given.c.uscc == _ENTERPRISES.c.uscc).order_by(_ENTERPRISES.c.uscc)
    found = session.execute(statement.with_for_update(of=_ENTERPRISES) if lock else statement)
    return {row["uscc"]: row for row in found.mappings()}


def _areas(session: Session, codes: Collection[str]) -> dict[str, dict[str, str | None]]:
    rows = session.execute(select(Region.code, Region.area1, Region.area2, Region.area3).where(Region.code.in_(codes)))
    areas = {row.code: {"area1": row.area1, "area2": row.area2, "area3": row.area3} for row in rows}
    if unknown := set(codes) - areas.keys():
        raise ValueError(f"unknown regions: {', '.join(sorted(unknown))}")
    return areas


def _values(facts: EnterpriseFacts, areas: Mapping[str, str | None]) -> dict[str, Any]:
    values: dict[str, Any] = {**facts, **areas, "folded_name": fold_to_fit(facts["name"])}
    if "product_codes" in facts:
        values["product_codes"] = sorted(set(facts["product_codes"]))
    return values


def _since_last_import(values: dict[str, Any], names: Collection[str], before: RowMapping | None) -> dict[str, Any]:
    """The values without those that this import repeats, and `imported`, with which the next one is compared."""
    last: dict[str, Any] = {} if before is None else before["imported"]
    repeated = {name for name in names if name in last and last[name] == values[name]}
    if "name" in repeated:
        repeated.add("folded_name")
    new = {name: value for name, value in values.items() if name not in repeated}
    return {**new, "imported": {**last, **{name: values[name] for name in names}}}


def _renamed(before: RowMapping, values: Mapping[str, Any]) -> dict[str, Any]:
    """The former names with the one that is replaced now, unless both are the same when folded."""
    name = values.get("name", before["name"])
    if fold(name) == fold(before["name"]):
        return {}
    former = [before["name"], *before["former_names"]]
    return {"former_names": [one for one in former if fold(one) != fold(name)][:NAMES_KEPT]}


def _blank(source: str) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "source": source,
        "status": "active",
        "address": None,
        "production_address": None,
        "legal_representative": None,
        "scale": None,
        "product_codes": [],
        "imported": {},
        "former_names": [],
    }


def _write(session: Session, rows: list[dict[str, Any]]) -> list[UUID]:
    """Store the rows; their ids, in the order of the credit codes."""
    now = clock.now()
    # In the order of the codes, so that two imports at once wait for each other instead of deadlocking.
    rows = sorted((row | {"updated_at": now} for row in rows), key=lambda row: str(row["uscc"]))
    # Another import may have created the same enterprise meanwhile; the id is then that of the other import.
    statement = insert_into(dialect_of(session), _ENTERPRISES)
    taken_over = {
        column.name: statement.excluded[column.name]
        for column in _ENTERPRISES.columns
        if column.name not in _KEPT_ON_UPDATE
    }
    upsert = statement.on_conflict_do_update(index_elements=["uscc"], set_=taken_over)
    written = session.execute(upsert.returning(_ENTERPRISES.c.uscc, _ENTERPRISES.c.id), rows)
    ids: dict[str, UUID] = {row.uscc: row.id for row in written}
    for table in (EnterpriseBigram, EnterpriseProduct):
        session.execute(
            delete(table).where(table.enterprise_id.in_(ids.values())),
            execution_options={"synchronize_session": False},
        )
    pairs = [
        {"bigram": pair, "area1": row["area1"], "enterprise_id": ids[row["uscc"]]}
        for row in rows
        for pair in sorted(bigrams(row["name"]))
    ]
    products = [
        {
            "enterprise_id": ids[row["uscc"]],
            "product_code": code,
            "area1": row["area1"],
            "area2": row["area2"],
            "area3": row["area3"],
        }
        for row in rows
        for code in row["product_codes"]
    ]
    if pairs:
        session.execute(insert(cast(Table, EnterpriseBigram.__table__)), pairs)
    if products:
        session.execute(insert(cast(Table, EnterpriseProduct.__table__)), products)
    return [ids[row["uscc"]] for row in rows]
