"""Duplicates of a check: submitted checks of the same enterprise, kind, product and day (spec/a_inspection §3.4)."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Scope
from core.database.prepared import Prepared
from core.errors import Problem
from inspection.models import Inspection
from inspection.statistics.models import EnterpriseTally
from inspection.statistics.tallies import TallyKey
from inspection.workflows import SUBMITTED

MOST_LISTED = 5
"""How many duplicates a refusal names."""

_RECORDS, _TALLIES = cast(Table, Inspection.__table__).c, cast(Table, EnterpriseTally.__table__).c


@dataclass(frozen=True, slots=True)
class DuplicateSearch:
    """What makes another check a duplicate of this one: `values` of the statements below, and where it may be read."""

    scope: Scope
    values: Mapping[str, Any]

    @classmethod
    def of(cls, scope: Scope, record_id: UUID, tally: TallyKey, day: date) -> Self:
        """Of a check of that day, which counts in that tally."""
        values = {
            "record_id": record_id, "office_id": tally.office_id, "kind": tally.kind,
            "product_code": tally.product_code, "org_key": tally.org_key, "org_name": tally.org_name, "day": day,
            # A check is never submitted before its day, so the index on (tally_id, submitted_at) narrows it.
            "earliest": datetime(day.year, day.month, day.day, tzinfo=clock.LOCAL),
        }  # fmt: skip
        return cls(scope, values)


def find_duplicates(session: Session, search: DuplicateSearch) -> Any:
    """`duplicate_id`: one of them; `tally_records`: how many records the tally of this check counts; each or none."""
    return _finding(search.scope).first(session, search.values)


def refuse_duplicates(session: Session, search: DuplicateSearch, found: Any, body: Mapping[str, Any]) -> None:
    """409 `duplicate_check` where one was `found`, unless the body says `confirm_duplicate`."""
    if found.duplicate_id is not None and body.get("confirm_duplicate") is not True:
        rows = _listing(search.scope).rows(session, search.values)
        raise Problem("duplicate_check", duplicates=[str(row.id) for row in rows])


def subqueries(scope: Scope) -> dict[str, ColumnElement[Any]]:
    """What `find_duplicates` answers, as sub-selects for a statement that asks them by the way."""
    tally_records = select(_TALLIES.records).where(
        *(_TALLIES[name] == bindparam(name) for name in ("office_id", "kind", "product_code", "org_key", "org_name"))
    )
    return {
        "duplicate_id": _duplicates(scope, 1).scalar_subquery(),
        "tally_records": tally_records.scalar_subquery(),
    }


def _duplicates(scope: Scope, limit: int) -> Select[Any]:
    return (
        select(_RECORDS.id)
        .where(
            _TALLIES.id == _RECORDS.tally_id,
            _TALLIES.org_key == bindparam("org_key"),
            _TALLIES.kind == bindparam("kind"),
            _TALLIES.product_code == bindparam("product_code"),
            scope.condition(_TALLIES),
            _RECORDS.submitted_at >= bindparam("earliest"),
            _RECORDS.check_date == bindparam("day"),
            _RECORDS.id != bindparam("record_id"),
            _RECORDS.status == SUBMITTED,
        )
        .limit(limit)
    )


# Kept for each scope: building a statement costs ten times as much as running it.
@functools.lru_cache(maxsize=1024)
def _finding(scope: Scope) -> Prepared:
    return Prepared(select(*(asked.label(name) for name, asked in subqueries(scope).items())))


@functools.lru_cache(maxsize=1024)
def _listing(scope: Scope) -> Prepared:
    return Prepared(_duplicates(scope, MOST_LISTED))
