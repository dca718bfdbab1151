"""What stands beside a check that is submitted: the same check of that day."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, select
from sqlalchemy.orm import Session

from core import clock
from core.actor import Scope
from core.database.prepared import Prepared
from core.errors import Problem
from inspection.models import EnterpriseTally, Inspection
from inspection.submissions.validation import Validated
from inspection.workflows import SUBMITTED

SHOWN = 5

_RECORDS, _TALLIES = cast(Table, Inspection.__table__).c, cast(Table, EnterpriseTally.__table__).c


def find_duplicates(session: Session, scope: Scope, record_id: UUID, validated: Validated) -> Any:
    """`same`: the id of a check that this one may repeat; `tallied`: how many records the tally counts to which this
    one will be added; each or none."""
    return _looking(scope).first(session, asked(record_id, validated))


def asked(record_id: UUID, validated: Validated) -> dict[str, Any]:
    """The values of `questions`."""
    assert validated.tally is not None
    tally = {"office_id": validated.tally.office_id, "org_name": validated.tally.org_name}
    return {**tally, **_same(record_id, validated)}


def refuse_duplicate(
    session: Session, scope: Scope, record_id: UUID, validated: Validated, body: Mapping[str, Any], found: Any
) -> None:
    """409 `duplicate_check` where there is such a check already, unless the body says `confirm_duplicate`."""
    again = validated.kind.duplicate_warning and found.same is not None
    if again and body.get("confirm_duplicate") is not True:
        raise Problem("duplicate_check", duplicates=same_checks(session, scope, record_id, validated))


def same_checks(session: Session, scope: Scope, record_id: UUID, validated: Validated) -> list[str]:
    """Some of the checks of the same enterprise, kind, product and day within scope (spec §3.4)."""
    return [str(row.id) for row in _listing(scope).rows(session, _same(record_id, validated))]


def _same(record_id: UUID, validated: Validated) -> dict[str, Any]:
    day = validated.columns["check_date"]
    assert validated.tally is not None
    return {
        "org_key": validated.tally.org_key, "kind": validated.kind.name, "product_code": validated.tally.product_code,
        # A check is never submitted before its day, so the index on (tally_id, submitted_at) narrows it.
        "earliest": datetime(day.year, day.month, day.day, tzinfo=clock.LOCAL), "day": day, "record_id": record_id,
    }  # fmt: skip


def _same_day(scope: Scope, limit: int) -> Select[Any]:
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


def questions(scope: Scope) -> dict[str, ColumnElement[Any]]:
    """What `find_duplicates` tells as sub-selects, for a statement that asks them by the way."""
    tallied = select(_TALLIES.records).where(
        *(_TALLIES[name] == bindparam(name) for name in ("office_id", "kind", "product_code", "org_key", "org_name"))
    )
    asked = {"same": _same_day(scope, 1), "tallied": tallied}
    return {name: question.scalar_subquery() for name, question in asked.items()}


# Kept for each scope: building a statement costs ten times as much as running it.
@functools.lru_cache(maxsize=1024)
def _looking(scope: Scope) -> Prepared:
    return Prepared(select(*(asked.label(name) for name, asked in questions(scope).items())))


@functools.lru_cache(maxsize=1024)
def _listing(scope: Scope) -> Prepared:
    return Prepared(_same_day(scope, SHOWN))
