"""Which office handles a filing (承办机关): chosen by its kind when it is sent, and by steps that pass it on (指派).

The office's own region stands on the filing then, so that lists, jurisdiction and working days follow it.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office, OfficeRegion, Region
from accounts.regions.loading import current_region
from core.errors import Fault, Problem
from core.identifiers import as_uuid
from enterprise.filings.declaring.declarations import Move, Route
from enterprise.models import AREAS


def by_place(field: str, office_kind: str) -> Route:
    """The office of that kind which covers the region that a field of the form holds, the nearest one first."""

    def route(move: Move) -> UUID | None:
        region = current_region(move.session, str(move.data.get(field) or ""))
        return _covering(move.session, region, office_kind) if region is not None else None

    return route


def by_choice(field: str, office_kind: str, fits: Callable[[Move, Office], bool] | None = None) -> Route:
    """The office of that kind whose id a field holds; `fits` says which may be chosen."""

    def route(move: Move) -> UUID | None:
        office_id = as_uuid(move.data.get(field))
        office = move.session.get(Office, office_id) if office_id is not None else None
        if office is None or office.kind != office_kind or office.closed_on is not None:
            return None
        return office.id if fits is None or fits(move, office) else None

    return route


def handled_by(move: Move, route: Route, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of the office that a route chooses, and what the history says of the change.

    422 with a fault at `path` where no office is found.
    """
    office_id = route(move)
    office = move.session.get(Office, office_id) if office_id is not None else None
    if office is None:
        raise Problem("invalid", errors=[Fault(path, "no_office", "没有找到对应的办理机关，请核对所填地区或机关")])
    if office.id == move.filing.office_id:
        return {}, {}
    former = move.session.get(Office, move.filing.office_id) if move.filing.office_id is not None else None
    told = {"to_office": office.name} | ({"from_office": former.name} if former is not None else {})
    return {"office_id": office.id, **_place_of(move.session, office)}, told


def _place_of(session: Session, office: Office) -> dict[str, str | None]:
    """The chain of regions down to the one that an office stands for."""
    chain: list[str] = []
    code = office.region_code
    while code is not None:
        region = session.get_one(Region, code)
        chain.insert(0, region.code)
        code = region.parent_code
    # An office without a region of its own (a ministry) handles what lies nowhere in particular.
    found = chain or ["000000"]
    return dict(zip(AREAS, [*found, None, None][:3], strict=True))


def _covering(session: Session, region: Region, office_kind: str) -> UUID | None:
    code: str | None = region.code
    while code is not None:
        found = session.scalars(
            select(Office.id)
            .join(OfficeRegion, OfficeRegion.office_id == Office.id)
            .where(OfficeRegion.region_code == code, Office.kind == office_kind, Office.closed_on.is_(None))
            .order_by(Office.id)
            .limit(1)
        ).first()
        if found is not None:
            return found
        code = session.get_one(Region, code).parent_code
    return None
