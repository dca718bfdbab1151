"""Help (使用帮助): the support groups of the caller's province."""

from datetime import datetime
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from accounts.support import groups
from core.actor import Actor
from core.database.paging import whole
from miniapp_api.http.answers import Answer, Page, answers
from miniapp_api.http.gates import gate

bp = APIBlueprint("help", __name__, tag="People")


class SupportGroup(Answer):
    """A support group (技术支持群): the picture where it is good, else the QQ group."""

    id: UUID
    name: str
    qq_group: str = Field(description="the fallback where there is no picture")
    picture: str | None = Field(
        description="QR code of the group as data URL (JPEG); null when its seven days are over"
    )
    picture_until: datetime | None = Field(description="when the picture is to be shown no more; null without one")


@bp.get("/help")
@gate(before_password_change=True)
@answers(Page[SupportGroup])
def list_help(session: Session, actor: Actor) -> dict[str, Any]:
    """The support groups of the caller's own province; empty where its administrator has set none."""
    return whole(groups.help_for(session, actor))
