"""Giving numbers (编号): the next of a series, in the transaction of the step that gives it.

The row of a series stays locked until that transaction ends, so that of many who ask at once each gets another, and a
step that is rolled back leaves no gap: the next one gets its number.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session

from accounts.models import Office
from core import clock
from core.db import dialect_of, insert_into
from core.errors import invalid
from enterprise.certificates.declarations import Number
from enterprise.certificates.models import NumberSeries

_LONGEST = 20
"""Characters of a field that a number is made of."""
_SERIES = cast(Table, NumberSeries.__table__)


def give(session: Session, declared: Number, series: str, office_id: UUID | None, data: Mapping[str, Any]) -> str:
    """The next number of the series to which these data and the office belong.

    `series` is the name under which it counts, unless the declaration has one. Whoever asks has locked the filing
    before, so that two transactions never wait for each other. Raises 422 where a field is empty of which it is made.
    """
    values = {"year": str(clock.today().year)}
    for name in declared.fields:
        if not data.get(name):
            raise invalid(f"/data/{name}", "required", "编号须用到这一项，请填写后再办理")
        values[name] = str(data[name]).replace("#", "")[:_LONGEST]
    if "office" in declared.names:
        office = session.get(Office, office_id) if office_id is not None else None
        if office is None:
            raise invalid("/data", "no_office", "没有确定办理机关，不能编号，请先指派办理机关")
        values["office"] = declared.office(office)
    stem = declared.stem(values)
    fresh = insert_into(dialect_of(session), _SERIES).values(series=declared.series or series, stem=stem, last=1)
    counted = fresh.on_conflict_do_update(
        index_elements=[_SERIES.c.series, _SERIES.c.stem], set_={"last": _SERIES.c.last + 1}
    )
    running = session.scalars(counted.returning(_SERIES.c.last)).one()
    return declared.written(stem, running)
