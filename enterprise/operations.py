"""What changes the register of enterprises (企业名录).

Rows that are derived from an enterprise, its products and the pairs of characters of its name, are
written in the same transaction, so that lists and statistics never see them out of step.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict, cast
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, String, Table, column, delete, insert, select, update
from sqlalchemy import values as value_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from accounts.models import Office, Region
from core import clock
from core.name_search import bigrams, fold_to_fit
from enterprise.filings.engine import enterprise_office_id
from enterprise.filings.models import AREAS, Filing
from enterprise.models import Enterprise, EnterpriseBigram, EnterpriseProduct

# 企业规模
SCALES: Mapping[str, str] = MappingProxyType({"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"})

IMPORTED = "imported"

_ENTERPRISES = cast(Table, Enterprise.__table__)
_KEPT_ON_UPDATE = frozenset({"id", "uscc", "source", "status"})


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


def put_enterprise(session: Session, facts: EnterpriseFacts, *, source: str) -> Outcome:
    """Create or change one enterprise; see `put_enterprises`."""
    return put_enterprises(session, [facts], source=source)[0]


def put_enterprises(session: Session, batch: Sequence[EnterpriseFacts], *, source: str) -> list[Outcome]:
    """Create or change enterprises by their credit code, some hundreds at a time.

    `source` is kept from the first time. Written past the session's identity map: objects loaded
    before are stale. Raises ValueError for an unknown region or a code that stands twice in the batch.
    """
    if len({facts["uscc"] for facts in batch}) < len(batch):
        raise ValueError("a credit code stands twice in one batch")
    areas = _areas(session, {facts["region_code"] for facts in batch})
    stored = _stored(session, sorted(facts["uscc"] for facts in batch))
    outcomes: list[Outcome] = []
    changed: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for facts in batch:
        before = stored.get(facts["uscc"])
        values = _values(facts, areas[facts["region_code"]])
        if before is None:
            outcomes.append(Outcome.CREATED)
            changed.append(_blank(source) | values)
        elif any(before[name] != value for name, value in values.items()):
            outcomes.append(Outcome.UPDATED)
            changed.append({**before, **values})
            if any(before[name] != values[name] for name in ("name", "region_code", *AREAS)):
                moved.append(changed[-1])
        else:
            outcomes.append(Outcome.UNCHANGED)
    if changed:
        _write(session, changed)
    for row in moved:
        _take_along(session, row)
    return outcomes


def _take_along(session: Session, row: Mapping[str, Any]) -> None:
    """Its accounts, and what was not sent yet, go to the bureau of the new place.

    What a bureau has or ordered stays with it.
    """
    session.execute(
        update(Office)
        .where(Office.id == enterprise_office_id(row["uscc"]))
        .values(name=row["name"], region_code=row["region_code"])
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Filing)
        .where(
            Filing.enterprise_id == row["id"], Filing.sent == 0, Filing.opened_by_office.is_(False),
            Filing.finished_at.is_(None),
        )
        .values({area: row[area] for area in AREAS})
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _stored(session: Session, codes: Sequence[str]) -> dict[str, RowMapping]:
    """The stored rows by credit code, locked until the transaction ends."""
    # A joined list: PostgreSQL compares a long IN of parameters with every row of the table, one by one.
    given = value_rows(column("uscc", String), name="given").data([(code,) for code in codes]).cte("given")
    found = session.execute(
        select(_ENTERPRISES)
        .join(given, given.c.uscc == _ENTERPRISES.c.uscc)
        .order_by(_ENTERPRISES.c.uscc)
        .with_for_update(of=_ENTERPRISES)
    )
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
    }


def _write(session: Session, rows: list[dict[str, Any]]) -> None:
    now = clock.now()
    # In the order of the codes, so that two imports at once wait for each other instead of deadlocking.
    rows = sorted((row | {"updated_at": now} for row in rows), key=lambda row: str(row["uscc"]))
    # Another import may have created the same enterprise since it was looked for; the id is then the
    # other's.
    dialect = session.get_bind().dialect.name
    statement = postgresql.insert(_ENTERPRISES) if dialect == "postgresql" else sqlite.insert(_ENTERPRISES)
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
