"""Whose rows somebody may import: those of enterprises in the own jurisdiction (辖区)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from core.actor import Scope
from enterprise.imports.table_cells import Faults
from enterprise.imports.table_import import Facts, Target
from enterprise.models import Enterprise
from enterprise.operations import Effect

_ELSEWHERE = "该企业登记在{place}，不在本辖区，请由当地或上级机关导入"
_REGION = "{place}不在本辖区，请由当地或上级机关导入"


def within(scope: Scope, target: Target[Facts]) -> Target[Facts]:
    """The same target, which refuses rows of enterprises outside of the scope, and rows that would move one there.

    Facts are mappings with `uscc`, and `region_code` where a row names one.
    """

    def guarded(
        handle: Callable[[Session, list[Facts]], Sequence[Effect | Faults]],
    ) -> Callable[[Session, list[Facts]], Sequence[Effect | Faults]]:
        def handled(session: Session, batch: list[Facts]) -> Sequence[Effect | Faults]:
            outside = _outside(session, scope, batch)
            inside = [facts for facts, fault in zip(batch, outside, strict=True) if fault is None]
            effects = iter(handle(session, inside) if inside else ())
            return [next(effects) if fault is None else fault for fault in outside]

        return handled

    return replace(target, plan=guarded(target.plan), put=guarded(target.put))


def _outside(session: Session, scope: Scope, batch: Sequence[Any]) -> list[Faults | None]:
    stored = _places_of_enterprises(session, {facts["uscc"] for facts in batch})
    regions = _regions(session, {facts["region_code"] for facts in batch if "region_code" in facts})
    faults: list[Faults | None] = []
    for facts in batch:
        place = stored.get(facts["uscc"])
        region = regions.get(facts.get("region_code", ""))
        if place is not None and not scope.contains(*place[1]):
            faults.append({"uscc": _ELSEWHERE.format(place=place[0])})
        elif region is not None and not scope.contains(*region[1]):
            faults.append({"region_code": _REGION.format(place=region[0])})
        else:
            faults.append(None)
    return faults


_Place = tuple[str, tuple[str | None, str | None, str | None]]


def _places_of_enterprises(session: Session, codes: Collection[str]) -> dict[str, _Place]:
    # The lowest region of the chain names the place.
    rows = session.execute(
        select(Enterprise.uscc, Enterprise.area1, Enterprise.area2, Enterprise.area3, Region.name)
        .join(Region, Region.code == Enterprise.region_code)
        .where(Enterprise.uscc.in_(codes))
    )
    return {row.uscc: (row.name, (row.area1, row.area2, row.area3)) for row in rows}


def _regions(session: Session, codes: Collection[str]) -> dict[str, _Place]:
    rows = session.execute(
        select(Region.code, Region.name, Region.area1, Region.area2, Region.area3).where(Region.code.in_(codes))
    )
    return {row.code: (row.name, (row.area1, row.area2, row.area3)) for row in rows}
