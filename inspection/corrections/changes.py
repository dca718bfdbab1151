"""What every change of a submitted record begins with, and the mark that it leaves on the record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.errors import invalid
from core.text import clean
from core.workflows import idempotency
from inspection.models import Inspection
from inspection.records.access import refuse_unsubmitted
from inspection.workflows import WORKFLOWS

_LABELS = {"reason": "原因", "opinion": "意见"}
_LONGEST = 500


def claim_change(session: Session, actor: Actor, record: Inspection, action: str, call: Mapping[str, Any]) -> bool:
    """Claim the idempotency key of a change; False: the call repeats one that was accepted.

    409 `wrong_status` when the record is not submitted, 403 without the verb.
    """
    key = idempotency.key(actor.user_id, f"{record.record_type}.{action}", record.id, call)
    if not idempotency.claim(session, key):
        return False
    refuse_unsubmitted(record)
    WORKFLOWS[record.record_type].step(action, record.status, actor)
    return True


def text_of(body: Mapping[str, Any], name: str = "reason") -> str | None:
    """The reason (原因) or opinion (意见) in a body, cleaned; None for none, 422 for more than 500 characters."""
    text = body.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise invalid(f"/{name}", "wrong_type", f"{_LABELS[name]}应为文字，请重新填写")
    if len(text) > _LONGEST:
        raise invalid(f"/{name}", "too_long", f"{_LABELS[name]}不能超过{_LONGEST}个字，请缩短后重试")
    return clean(text) or None


def mark_of(actor: Actor, at: datetime) -> dict[str, Any]:
    """When and by whom something was done to a record, as the record keeps it and the HTTP contract shows it."""
    return {"at": clock.rfc3339(at), "by": actor.operator_name or actor.username, "office": actor.office_name}
