"""What a record says: as its history keeps it, and the subject under which history, to-dos and files know it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.workflows import history
from inspection.kinds import SPOT_CHECK
from inspection.models import Inspection

_CONTENT = (
    "form_code", "form_version", "product_code", "uscc", "org_name", "check_date", "unable", "problems_found",
    "disposal_state", "conclusion", "data",
)  # fmt: skip


def content_of(record: Inspection) -> dict[str, Any]:
    """What a stored record says, as `content_digest` takes it."""
    return {name: getattr(record, name) for name in (*_CONTENT, "name_differs")}


def content_digest(columns: Mapping[str, Any]) -> str:
    """Digest of what a record says, kept in its history so that `history verify` shows a changed record."""
    content = {name: columns[name] for name in _CONTENT}
    if columns["name_differs"]:  # records from before the column have digests without it
        content["name_differs"] = True
    return history.content_digest(content)


def subject_of(record_type: str, record_id: UUID) -> tuple[str, UUID]:
    """Subject type and id."""
    return ("spot_check" if record_type == SPOT_CHECK else "inspection", record_id)
