"""Keeping the tallies: one row per office, kind, product and enterprise as named."""

import functools
from dataclasses import dataclass, fields
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Executable, Table, delete, insert, select, update
from sqlalchemy.orm import Session

from core.database.name_search import bigrams
from core.database.prepared import Prepared
from core.db import dialect_of, insert_into
from core.text import fold_to_fit
from inspection.kinds import COUNTED, Counts, counts_of, org_key
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally, TallyBigram


@dataclass(frozen=True, slots=True)
class TallyKey:
    """Which tally a record belongs to."""

    office_id: UUID
    area1: str
    area2: str | None
    area3: str | None
    record_type: str
    kind: str
    product_code: str
    org_key: str
    org_name: str

    def in_order(self) -> tuple[str, ...]:
        """The order in which tallies are written, so that two corrections do not wait for each other."""
        return (str(self.office_id), self.kind, self.product_code, self.org_key, self.org_name)


def add(session: Session, key: TallyKey, counts: Counts) -> Any:
    """Add to the tally, making it where it is new; returns its `id` and how many `records` it counts now."""
    row = _ADD.first(session, {**_columns(key), **_counted(counts)})
    if row.records == counts.records:
        _index_name(session, row.id, key)
    return row


def change(session: Session, tally_id: int, by: Counts) -> None:
    """Change a tally by a difference (negative where a record leaves it)."""
    session.execute(
        update(EnterpriseTally)
        .where(EnterpriseTally.id == tally_id)
        .values({name: getattr(EnterpriseTally, name) + getattr(by, name) for name in COUNTED})
    )


def _adding(dialect: str, _names: tuple[str, ...]) -> Executable:
    table = cast(Table, EnterpriseTally.__table__)
    fresh = insert_into(dialect, table)
    return fresh.on_conflict_do_update(
        index_elements=["office_id", "kind", "product_code", "org_key", "org_name"],
        set_={name: table.c[name] + fresh.excluded[name] for name in COUNTED},
    ).returning(table.c.id, table.c.records)


_ADD = Prepared(_adding)


_KEY = tuple(field.name for field in fields(TallyKey))


def _columns(key: TallyKey) -> dict[str, Any]:
    return {**{name: getattr(key, name) for name in _KEY}, "folded_name": fold_to_fit(key.org_name)}


def _counted(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in COUNTED}


def _index_name(session: Session, tally_id: int, key: TallyKey) -> None:
    rows = [{"bigram": pair, "area1": key.area1, "tally_id": tally_id} for pair in sorted(bigrams(key.org_name))]
    session.execute(_indexing(dialect_of(session)), rows)


@functools.cache
def _indexing(dialect: str) -> Executable:
    return insert_into(dialect, cast(Table, TallyBigram.__table__)).on_conflict_do_nothing()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation found: tallies that were right, wrong (and mended), missing, and without records."""

    right: int
    mended: int
    added: int
    emptied: int


def reconcile(session: Session) -> Reconciled:
    """Recompute every tally from the submitted records and correct those that differ.

    One transaction over all tables: run it when few people write.
    """
    wanted: dict[tuple[Any, ...], tuple[TallyKey, Counts]] = {}
    records: dict[tuple[Any, ...], list[UUID]] = {}
    statement = select(Inspection).where(Inspection.status == "submitted").execution_options(yield_per=1000)
    for record in session.scalars(statement):
        key = key_of(record)
        identity = (key.office_id, key.kind, key.product_code, key.org_key, key.org_name)
        found = wanted.get(identity, (key, Counts()))
        counts = counts_of_record(record)
        total = Counts(*(getattr(found[1], n) + getattr(counts, n) for n in COUNTED))
        wanted[identity] = (key, total)
        records.setdefault(identity, []).append(record.id)
        session.expunge(record)
    right = mended = added = emptied = 0
    for tally in session.scalars(select(EnterpriseTally)).all():
        identity = (tally.office_id, tally.kind, tally.product_code, tally.org_key, tally.org_name)
        key_counts = wanted.pop(identity, None)
        counts = key_counts[1] if key_counts else Counts()
        place = None if key_counts is None or _lies_at(tally, key_counts[0]) else key_counts[0]
        if place is None and all(getattr(tally, n) == getattr(counts, n) for n in COUNTED):
            right += 1
            continue
        if place is not None:
            _place(session, tally.id, place)
        change(session, tally.id, counts.minus(Counts(*(getattr(tally, n) for n in COUNTED))))
        mended, emptied = (mended + 1, emptied) if key_counts else (mended, emptied + 1)
    for identity, (key, counts) in wanted.items():
        tally_id = session.execute(
            insert(EnterpriseTally).values(**_columns(key), **_counted(counts)).returning(EnterpriseTally.id)
        ).scalar_one()
        _index_name(session, tally_id, key)
        session.execute(update(Inspection).where(Inspection.id.in_(records[identity])).values(tally_id=tally_id))
        added += 1
    session.execute(delete(TallyBigram).where(TallyBigram.tally_id.not_in(select(EnterpriseTally.id))))
    return Reconciled(right, mended, added, emptied)


def _lies_at(tally: EnterpriseTally, key: TallyKey) -> bool:
    return (tally.area1, tally.area2, tally.area3) == (key.area1, key.area2, key.area3)


def _place(session: Session, tally_id: int, key: TallyKey) -> None:
    """Let a tally lie where its records lie."""
    place = {"area1": key.area1, "area2": key.area2, "area3": key.area3}
    session.execute(update(EnterpriseTally).where(EnterpriseTally.id == tally_id).values(place))
    session.execute(delete(TallyBigram).where(TallyBigram.tally_id == tally_id))
    _index_name(session, tally_id, key)


def counts_of_record(record: Inspection) -> Counts:
    """What a stored record adds to its tally while it is submitted."""
    return counts_of(record.record_type, record.unable, record.problems_found, record.disposal_state, record.conclusion)


def key_of(record: Inspection) -> TallyKey:
    """The tally key of a stored record."""
    address = record.data.get("org_address")
    uscc = None if record.name_differs else record.uscc
    return TallyKey(
        office_id=record.office_id,
        area1=record.area1,
        area2=record.area2,
        area3=record.area3,
        record_type=record.record_type,
        kind=record.kind,
        product_code=record.product_code,
        org_key=org_key(uscc, record.org_name, address if isinstance(address, str) else None),
        org_name=record.org_name or "",
    )
