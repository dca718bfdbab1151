"""Freeing a number (解除限制): an office lets a number rate again although its five days are not over.

Somebody else may have rated with it. A window belongs to no office, so every supervisor of ratings may free every
number, wherever its owner asks; the list of the office that freed it, and those of the offices above, name it. The
answer does not reveal whether the number had rated: freeing one that had not makes the same row.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Office, User
from core import clock, masking, privacy
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.errors import Fault, Problem
from core.identifiers import as_uuid, sent_mobile
from core.text import MEANINGLESS, clean, has_words
from feedback.models import FreedNumber
from feedback.workflows import FREED

LONGEST_REASON = 200
USE = "freed number"
"""Of the keyed hash of a number."""
NEWEST = newest_first("freed rating numbers", FreedNumber.freed_at, FreedNumber.id)
_ROWS = (
    select(FreedNumber, Office.name.label("office_name"), User.username)
    .join(Office, Office.id == FreedNumber.office_id)
    .join(User, User.id == FreedNumber.freed_by)
)


def free(session: Session, actor: Actor, body: Mapping[str, Any]) -> tuple[Any, bool]:
    """Free the number `mobile` for the `reason` given; the row as it is listed, and whether it is new.

    With an `id` in the body the same call again is the same row; another content 409 `id_taken`. To free a number twice
    changes nothing more. Raises 403, 422.
    """
    FREED.step("free", None, actor)
    faults: list[Fault] = []
    mobile, reason = _mobile(body.get("mobile"), faults), _reason(body.get("reason"), faults)
    freed_id = _id(body.get("id"), faults)
    if faults:
        raise Problem("invalid", errors=faults)
    wanted = {"mobile_key": _key(mobile), "reason": reason, "freed_by": actor.user_id}
    masked = masking.mask_phone(mobile)
    values = {
        **wanted, "id": freed_id, "masked_mobile": masked, "office_id": actor.office_id, "area1": actor.chain[0],
        "area2": actor.chain[1], "area3": actor.chain[2], "operator_name": actor.operator_name,
        "freed_at": clock.now(),
    }  # fmt: skip
    new = FREED.enter(session, actor, "free", values, {"mobile": masked, "reason": reason})
    row = session.execute(_ROWS.where(FreedNumber.id == freed_id)).first()
    if row is None or not (new or all(getattr(row.FreedNumber, name) == value for name, value in wanted.items())):
        raise Problem("id_taken")
    return row, new


def last_freed(session: Session, mobile: str) -> datetime | None:
    """When a number was freed last; None if never."""
    freed = select(FreedNumber.freed_at).where(FreedNumber.mobile_key == _key(mobile))
    return session.scalar(freed.order_by(FreedNumber.freed_at.desc()).limit(1))


def freed(session: Session, actor: Actor, request: PageRequest) -> Page:
    """What offices within the actor's scope freed, newest first; rows for `freed_number_as_json`."""
    return fetch(session, _ROWS, NEWEST, request, actor.scope.condition(FreedNumber))


def freed_number_as_json(row: Any) -> dict[str, Any]:
    """A freed number: masked, and nothing of whether it had rated."""
    freed: FreedNumber = row.FreedNumber
    return {
        "id": str(freed.id),
        "mobile": freed.masked_mobile,
        "reason": freed.reason,
        "office_name": row.office_name,
        "freed_by": row.username,
        "operator_name": freed.operator_name,
        "freed_at": clock.rfc3339(freed.freed_at),
    }


def _key(mobile: str) -> str:
    return privacy.keyed_hash(USE, mobile)


def _mobile(sent: Any, faults: list[Fault]) -> str:
    number = sent_mobile(sent)
    if number is None:
        faults.append(Fault("/mobile", "bad_mobile", "手机号不正确，请填写需要解除限制的11位大陆手机号"))
    return number or ""


def _reason(sent: Any, faults: list[Fault]) -> str:
    reason = clean(sent) if isinstance(sent, str) else ""
    if not reason:
        faults.append(Fault("/reason", "required", "请填写解除限制的原因，例如：本人称手机号被他人冒用"))
    elif not has_words(reason):
        faults.append(Fault("/reason", "meaningless", f"解除限制的原因{MEANINGLESS}"))
    elif len(reason) > LONGEST_REASON:
        faults.append(Fault("/reason", "too_long", f"解除限制的原因不能超过{LONGEST_REASON}个字，请缩短"))
    return reason


def _id(sent: Any, faults: list[Fault]) -> UUID:
    freed_id = uuid4() if sent is None else as_uuid(sent)
    if freed_id is None:
        faults.append(Fault("/id", "bad_format", "编号（id）格式不正确，请重新生成编号"))
    return freed_id or uuid4()
