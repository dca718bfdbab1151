"""Messages about regions that were abolished (撤销的区划): since when, and what took their place."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Region
from accounts.regions.loading import CAME_INSTEAD, current_region
from core.errors import invalid


def abolished_message(region: Region, living: Iterable[Region]) -> str:
    """The message about an abolished region; its successor is looked for among `living`, the regions of today."""
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


def unknown_message(session: Session, region: Region | None) -> str:
    """The message about a code that means no region of today: `region` is None, or was abolished."""
    if region is None:
        return "没有这个行政区划代码，请重新选择所在的市或县（区）"
    same_province = select(Region).where(Region.area1 == region.area1, Region.valid_to.is_(None))
    return abolished_message(region, session.scalars(same_province))


def get_region(session: Session, code: str, path: str = "/region") -> Region:
    """The region by which a list or a statistic is filtered; it may be abolished: its records keep its code.

    422 for an unknown code; an empty list would say that there are no records.
    """
    region = current_region(session, code)
    if region is None:
        message = "没有这个行政区划代码，请从行政区划列表中重新选择；不选地区即查看本辖区"
        raise invalid(path, "unknown_region", message)
    return region
