"""For which offices somebody makes rating codes: the own one, and the stations (市场监管所) directly below it.

A name is accepted only if it is that of one of them, also with the names of the regions above it in front
(常州市天宁区…局): with free names an officer of one district made a code for another district's bureau.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from accounts.models import Office, OfficeKind, Region
from core.actor import Actor
from core.errors import Fault
from core.identifiers import as_uuid
from core.text import clean_line, fold

_REFUSED = "只能为本单位和下属的市场监管所制作评价二维码：{names}。其他单位的二维码请由该单位制作"
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """The office that is rated, as it is called on the code, and its region chain."""

    office_id: UUID
    org_name: str
    chain: tuple[str, str | None, str | None]


def offices_of(session: Session, actor: Actor) -> list[Office]:
    """The offices for which the actor makes codes, the own one first."""
    own = select(Office).where(
        or_(
            Office.id == actor.office_id,
            and_(Office.parent_id == actor.office_id, Office.kind == OfficeKind.STATION.value),
        ),
        Office.closed_on.is_(None), Office.enterprise_id.is_(None),
    )  # fmt: skip
    return list(session.scalars(own.order_by(Office.id != actor.office_id, Office.name, Office.id)))


def place_of(session: Session, actor: Actor, body: Mapping[str, Any], faults: list[Fault]) -> Place | None:
    """The office that a body names by `office_id` or `org_name`, or the own one; None with a fault."""
    own = offices_of(session, actor)
    names = "、".join(office.name for office in own[:_NAMED]) + ("等" if len(own) > _NAMED else "")
    refusal = _REFUSED.format(names=names)
    found = _by_id(own, actor, body.get("office_id"), refusal, faults)
    sent = body.get("org_name")
    if sent is not None and not isinstance(sent, str):
        faults.append(Fault("/org_name", "wrong_type", "承办单位应为文字，请重新选择"))
        return None
    name = " ".join(clean_line(sent or "").split())
    if name:
        chosen = found if body.get("office_id") is not None else own
        found = [office for office in chosen if fold(name) in _names_of(session, office)]
        if chosen and not found:
            faults.append(Fault("/org_name", "other_office", refusal))
    if not found:
        return None
    return Place(found[0].id, name or found[0].name, _chain_of(session, found[0], actor))


def _by_id(own: Any, actor: Actor, sent: Any, refusal: str, faults: list[Fault]) -> list[Office]:
    if sent is None:
        return [office for office in own if office.id == actor.office_id]
    wanted = as_uuid(sent)
    if wanted is None:
        faults.append(Fault("/office_id", "bad_format", "单位编号格式不正确，请重新选择单位"))
        return []
    found = [office for office in own if office.id == wanted]
    if not found:
        faults.append(Fault("/office_id", "other_office", refusal))
    return found


def _names_of(session: Session, office: Office) -> set[str]:
    """How an office is called, folded."""
    names, region = [office.name], session.get(Region, office.region_code) if office.region_code else None
    while region is not None and region.parent_code is not None:
        region = session.get_one(Region, region.parent_code)
        names.append(region.name + names[-1])
    return {fold(name) for name in names}


def _chain_of(session: Session, office: Office, actor: Actor) -> tuple[str, str | None, str | None]:
    if office.id == actor.office_id or office.region_code is None:
        return actor.chain
    region = session.get_one(Region, office.region_code)
    return region.area1, region.area2, region.area3
