"""Offices (机关): made for a region, covering it; superior and subordinate follow `parent_id`."""

import re
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session

from accounts import office_history
from accounts.models import Office, OfficeKind, OfficeRegion, Region, RegionLevel
from accounts.regions.loading import current_region
from core.actor import Scope
from core.db import dialect_of, insert_into
from core.errors import invalid
from core.text import clean_line, demanded

_BUREAU_IDS = UUID("5a2f6f0e-6c8e-4d0a-9f0b-6a1f0c3d2b71")
_ENTERPRISE_IDS = UUID("0f6f9a52-7c1e-4d8b-8a53-19c3e4d2b7aa")

_HOTLINE = re.compile(r"[0-9](?:[- ]?[0-9]){2,19}")


def bureau_of(session: Session, region: Region) -> UUID:
    """The market-supervision bureau (市场监督管理局) of a region; made, with its superiors, where it is missing.

    Its id follows from the region's code, so that two who make it at once make the same one. The bureau of a region
    whose code has changed keeps the id that it had.
    """
    region = current_region(session, region.code) or region
    office_id = uuid5(_BUREAU_IDS, region.code)
    there = session.scalars(
        select(Office.id).where(
            Office.region_code == region.code, Office.kind == OfficeKind.BUREAU.value, Office.closed_on.is_(None)
        ).order_by(Office.id)
    ).all()  # fmt: skip
    if there:
        return office_id if office_id in there else there[0]
    parent_id = None
    if region.parent_code is not None:
        parent_id = bureau_of(session, session.get_one(Region, region.parent_code))
    values = {
        "id": office_id,
        "kind": OfficeKind.BUREAU.value,
        "name": bureau_name(region),
        "level": str(region.level),
        "parent_id": parent_id,
        "region_code": region.code,
        "areas": [[region.depth, region.code]],
    }
    dialect = dialect_of(session)
    made = session.scalar(
        insert_into(dialect, Office).values(**values).on_conflict_do_nothing(index_elements=["id"]).returning(Office.id)
    )
    session.execute(
        insert_into(dialect, OfficeRegion)
        .values(office_id=office_id, region_code=region.code)
        .on_conflict_do_nothing(index_elements=["office_id", "region_code"])
    )
    if made is not None:
        office_history.created(session, office_id)
    return office_id


def bureau_name(region: Region) -> str:
    """The name of a region's bureau, unless it was given another."""
    return f"{region.name}市场监督管理局"


def enterprise_office_id(uscc: str) -> UUID:
    """The id of the office that stands for an enterprise's own users; it follows from the code."""
    return uuid5(_ENTERPRISE_IDS, uscc)


def put_enterprise_office(session: Session, enterprise_id: UUID, uscc: str, name: str, region_code: str) -> UUID:
    """The office that stands for an enterprise's own users, made where it is missing: it covers no region."""
    office_id = enterprise_office_id(uscc)
    if session.scalar(select(Office.id).where(Office.id == office_id)) is not None:
        return office_id
    kind = OfficeKind.ENTERPRISE.value
    session.execute(
        insert_into(dialect_of(session), Office)
        .values(
            id=office_id, kind=kind, name=name, level=kind, parent_id=None, region_code=region_code, areas=[],
            enterprise_id=enterprise_id,
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )  # fmt: skip
    return office_id


def move_enterprise_office(session: Session, uscc: str, name: str, region_code: str) -> None:
    """Let the office of an enterprise, if it has one, follow its enterprise to a new name or region."""
    session.execute(
        update(Office)
        .where(Office.id == enterprise_office_id(uscc))
        .values(name=name, region_code=region_code)
        .execution_options(synchronize_session=False)
    )


def create_office(session: Session, name: str, kind: str, region: Region, parent_id: UUID | None) -> UUID:
    """A further office in a region, for example a station (市场监管所) below a county bureau."""
    office_id, name = uuid4(), demanded(clean_line(name), "/name", "请填写机关名称")
    session.execute(
        insert(Office).values(
            id=office_id, kind=kind, name=name, level=str(region.level), region_code=region.code,
            parent_id=parent_id or bureau_of(session, region), areas=[[region.depth, region.code]],
        )
    )  # fmt: skip
    session.execute(insert(OfficeRegion).values(office_id=office_id, region_code=region.code))
    office_history.created(session, office_id)
    return office_id


def level_of(office: Office) -> str:
    """The level that decides about roles; a station acts as a county does, wherever it sits (spec common.md, §2)."""
    return RegionLevel.COUNTY if office.kind == OfficeKind.STATION else office.level


def is_below(session: Session, office_id: UUID, superior_id: UUID) -> bool:
    """Whether an office is a subordinate of another, however many stand between them.

    Regions do not answer this: a station (市场监管所) covers the same region as its bureau.
    """
    line = select(Office.parent_id).where(Office.id == office_id).cte(recursive=True)
    # UNION, not UNION ALL: the query ends even if offices should be each other's superiors.
    line = line.union(select(Office.parent_id).join(line, Office.id == line.c.parent_id))
    return session.scalar(select(line.c.parent_id).where(line.c.parent_id == superior_id)) is not None


def below(superior_id: UUID) -> Select[UUID]:
    """The ids of all subordinates of an office, however many stand between them."""
    line = select(Office.id).where(Office.parent_id == superior_id).cte("below", recursive=True)
    # UNION, as in `is_below`.
    line = line.union(select(Office.id).join(line, Office.parent_id == line.c.id))
    return select(line.c.id)


def bureau_above(session: Session, office_id: UUID) -> UUID:
    """The bureau that an office is, or of a station (市场监管所) the one that it works for."""
    office = session.get_one(Office, office_id)
    while office.kind != OfficeKind.BUREAU.value and office.parent_id is not None:
        office = session.get_one(Office, office.parent_id)
    return office.id


def scope_of(office: Office) -> Scope:
    """The regions that an office covers."""
    areas, arriving = ([(int(depth), str(code)) for depth, code in given] for given in (office.areas, office.arriving))
    return Scope(office.level == "national", tuple(areas), tuple(arriving))


def acts_for(session: Session, office_id: UUID, former_id: UUID) -> bool:
    """Whether an office is the other one, or the other one was merged into it."""
    return office_id == former_id or str(former_id) in session.get_one(Office, office_id).absorbed


def cover(session: Session, office_id: UUID, region_codes: list[str]) -> None:
    """Set the regions that an office covers, and derive `offices.areas` from them.

    A code that was replaced means the region that took its place.
    """
    found = {code: current_region(session, code) for code in region_codes}
    missing = sorted(code for code, region in found.items() if region is None)
    if missing:
        raise invalid("/regions", "unknown_region", f"没有这些行政区划代码：{'、'.join(missing)}，请核对")
    covered = sorted({region.code for region in found.values() if region is not None})
    with office_history.changing(session, "cover", {"regions": covered}, [office_id]):
        session.execute(delete(OfficeRegion).where(OfficeRegion.office_id == office_id))
        for code in covered:
            session.execute(insert(OfficeRegion).values(office_id=office_id, region_code=code))
        derive_areas(session, session.get_one(Office, office_id, populate_existing=True))


def set_hotline(session: Session, office: Office, hotline: str | None) -> None:
    """Set where the public calls an office (服务电话): digits, blanks and hyphens between them; None removes it."""
    number = clean_line(hotline or "") or None
    if number is not None and not _HOTLINE.fullmatch(number):
        raise invalid(
            "/hotline", "bad_format", "服务电话应为数字，可带区号和分机，请按“0519-86660000”或“12345”的形式填写"
        )
    with office_history.changing(session, "set_hotline", {"hotline": number}, [office.id]):
        office.hotline = number


def derive_areas(session: Session, office: Office) -> None:
    """Set `areas` of an office from the regions that it covers."""
    rows = session.execute(
        select(Region.depth, Region.code)
        .join(OfficeRegion, OfficeRegion.region_code == Region.code)
        .where(OfficeRegion.office_id == office.id)
        .order_by(Region.depth, Region.code)
    )
    office.areas = [[row.depth, row.code] for row in rows]
