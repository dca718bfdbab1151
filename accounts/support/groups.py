"""Support groups (技术支持群) of provinces: whom people ask for help (使用帮助).

An administrator sets them. The picture of a WeChat group's QR code is good for seven days, as WeChat makes it; after
that, and where there is none, the QQ group stands in its place.
"""

import base64
import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from PIL import Image, ImageOps
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from accounts.models import Region, RegionLevel, SupportGroup
from core import clock
from core.actor import Actor
from core.db import dialect_of, insert_into
from core.errors import invalid
from core.text import clean_line

PICTURE_KEPT = timedelta(days=7)
MOST_GROUPS = 20
"""Of one province."""
_QQ = re.compile(r"[1-9][0-9]{4,11}")
LARGEST_PICTURE, MOST_PIXELS, LONGEST_SIDE = 10 * 1024 * 1024, 40_000_000, 900


def set_group(session: Session, province: str, name: str, qq_group: str, picture: bytes | None = None) -> UUID:
    """Make or change a group of a province by its name; its id.

    `picture` is a JPEG as `read_picture` makes it, good from now on; None leaves the one that is there. Raises 422 for
    a code that is no province's, and for a province that has too many groups.
    """
    region = session.get(Region, province)
    if region is None or region.level != RegionLevel.PROVINCE:
        raise invalid("/province", "unknown_region", f"“{province}”不是省级行政区划代码，请填写6位代码，如320000")
    name, qq_group = clean_line(name), clean_line(qq_group)
    if not name or len(name) > 60 or not _QQ.fullmatch(qq_group):
        raise invalid("/name", "invalid", "请填写群名称（60字以内）和QQ群号（5至12位数字）")
    others = session.scalars(select(SupportGroup.name).where(SupportGroup.province == province)).all()
    if name not in others and len(others) >= MOST_GROUPS:
        raise invalid("/name", "too_many", f"每省最多{MOST_GROUPS}个支持群，请先删除不用的")
    changed: dict[str, Any] = {"qq_group": qq_group}
    if picture is not None:
        changed |= {"picture": picture, "picture_set_at": clock.now()}
    fresh = insert_into(dialect_of(session), SupportGroup).values(
        id=uuid4(), province=province, name=name, **{"picture": None, "picture_set_at": None, **changed}
    )
    stored = fresh.on_conflict_do_update(index_elements=["province", "name"], set_=changed)
    return session.execute(stored.returning(SupportGroup.id)).scalar_one()


def remove_group(session: Session, group_id: UUID) -> bool:
    """Remove a group; whether there was one."""
    found = session.execute(delete(SupportGroup).where(SupportGroup.id == group_id).returning(SupportGroup.id))
    return found.first() is not None


def read_picture(file: Path) -> bytes:
    """A file of a common format as the picture that is kept; 422 for anything else."""
    if file.stat().st_size > LARGEST_PICTURE:
        raise invalid("/picture", "too_large", "图片超过10 MB，请截取二维码部分后再试")
    return as_picture(file.read_bytes())


def as_picture(content: bytes) -> bytes:
    """A picture as JPEG of at most 900 pixels a side. Raises 422 for what is none."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP", "GIF", "BMP")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise invalid("/picture", "too_large", "图片尺寸过大，请截取二维码部分后再试")
            # A code on transparent ground would be black on black in JPEG.
            seen = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, SyntaxError, ValueError) as error:
        raise invalid("/picture", "unreadable", "图片无法读取，请使用 PNG 或 JPEG 格式") from error
    ground = Image.new("RGBA", seen.size, "white")
    flat = Image.alpha_composite(ground, seen).convert("RGB")
    flat.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    flat.save(written, "JPEG", quality=88)
    return written.getvalue()


def groups_of(session: Session, province: str | None) -> list[SupportGroup]:
    """The groups of a province, or all, by province and name."""
    among = select(SupportGroup).order_by(SupportGroup.province, SupportGroup.name)
    if province is not None:
        among = among.where(SupportGroup.province == province).limit(MOST_GROUPS)
    return list(session.scalars(among))


def picture_until(group: SupportGroup) -> datetime | None:
    """When the picture ends, or ended; None where there is none."""
    return group.picture_set_at + PICTURE_KEPT if group.picture and group.picture_set_at else None


def help_for(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """The groups of the actor's own province, each with its picture while that is good."""
    return [_shown(group) for group in groups_of(session, actor.chain[0])]


def _shown(group: SupportGroup) -> dict[str, Any]:
    until = picture_until(group)
    good = until is not None and clock.now() < until
    return {
        "id": str(group.id),
        "name": group.name,
        "qq_group": group.qq_group,
        "picture": f"data:image/jpeg;base64,{base64.b64encode(group.picture).decode()}"
        if good and group.picture
        else None,
        "picture_until": clock.rfc3339(until) if good and until else None,
    }
