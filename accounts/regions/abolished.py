"""What a person is told who names a region that was abolished (撤销的区划): since when, and what took its place."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions.loading import CAME_INSTEAD, current_region
from core.errors import invalid


def told_gone(region: Region, living: Iterable[Region]) -> str:
    """The sentence for a region that was abolished; `living` are the regions of today among which its successor is."""
    wanted = CAME_INSTEAD.get(region.code)
    heirs = [
        one
        for one in living
        if one.code == wanted or (wanted is None and (one.name, one.area1) == (region.name, region.area1))
    ]
    gone = f"“{region.code} {region.name}”自{region.valid_to:%Y年%-m月%-d日}起"
    if len(heirs) == 1:
        return f"{gone}已改为“{heirs[0].code} {heirs[0].name}”，请改填新代码"
    return f"{gone}已撤销，请核对后填写现在的6位区县代码"


def told_unknown(session: Session, region: Region | None) -> str:
    """The sentence for a code that means no region of today: none at all, or one that was abolished."""
    if region is None:
        return "没有这个行政区划代码，请重新选择所在的市或县（区）"
    same_province = select(Region).where(Region.area1 == region.area1, Region.valid_to.is_(None))
    return told_gone(region, session.scalars(same_province))


def asked_region(session: Session, code: str, path: str = "/region") -> Region:
    """The region that a list or a statistic is asked for: of today, or abolished, whose records keep its code.

    422 for a code that never was one; an empty list would say that there is nothing.
    """
    region = current_region(session, code)
    if region is None:
        message = "没有这个行政区划代码，请从行政区划列表中重新选择；不选地区即查看本辖区"
        raise invalid(path, "unknown_region", message)
    return region
