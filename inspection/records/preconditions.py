"""What every write of a record is refused for, whatever it changes; and who changed it, as the record keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core import clock
from core.actor import Actor
from core.errors import Problem, invalid
from core.text import clean
from core.versions import sent_version, stale
from inspection.models import Inspection
from inspection.workflows import DRAFT, SUBMITTED, VOIDED


def refuse_submitted(record: Inspection) -> None:
    """409 `already_submitted`."""
    if record.status == SUBMITTED:
        raise Problem("already_submitted", current_version=record.version)
    if record.status == VOIDED:
        detail = "该记录提交后已作废，不能再次填报；需要重新填报的，请换新编号另建一条记录"
        raise Problem("already_submitted", detail, current_version=record.version)


def refuse_unsubmitted(record: Inspection) -> None:
    """409 `wrong_status` for what changes submitted records only, with what to do instead."""
    if record.status == DRAFT:
        detail = "该记录尚未提交；请直接修改暂存内容，不需要的请删除暂存"
        raise Problem("wrong_status", detail, current_status=DRAFT)
    if record.status == VOIDED:
        detail = "该记录已作废，不能再处置、更正、退回或作废；需要重新填报的，请另建一条记录"
        raise Problem("wrong_status", detail, current_status=VOIDED)


def refuse_stale(record: Inspection, body: Mapping[str, Any]) -> None:
    """409 `stale_version` unless the body names the version that the record has."""
    version = sent_version(body)
    if version != record.version:
        raise stale(record.version, version)


def reason_of(body: Mapping[str, Any], name: str = "reason") -> str | None:
    """The reason (原因) or opinion (意见) that a body gives, cleaned; None where it gives none."""
    reason = body.get(name)
    if reason is None:
        return None
    if not isinstance(reason, str):
        raise invalid(f"/{name}", "wrong_type", f"{_CALLED[name]}应为文字，请重新填写")
    if len(reason) > 500:
        raise invalid(f"/{name}", "too_long", f"{_CALLED[name]}不能超过500个字，请缩短后重试")
    return clean(reason) or None


_CALLED = {"reason": "原因", "opinion": "意见"}


def mark_of(actor: Actor, at: datetime) -> dict[str, Any]:
    """When and by whom something was done to a record, as it is kept on it and shown."""
    return {"at": clock.rfc3339(at), "by": actor.operator_name or actor.username, "office": actor.office_name}
