"""What a law enforcement paper says: where its personal data is sealed, and the digest that its history keeps."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import privacy
from core.forms.sealing import opened
from core.workflows import history
from core.workflows.contents import keyed_digest
from inspection.enforcement.models import EnforcementPaper

_WORDS = (
    "kind", "inspection_id", "office_name", "org_name", "number", "form_code", "form_version", "receipt",
    "receipt_version", "created_by", "operator_name", "decided", "due_on", "issued_on",
)  # fmt: skip
"""Columns that the digest covers as they stand; `data` is covered in clear, status and version by the history itself.
Office and regions are not among them: a reorganisation moves papers without a step."""


def data_place(paper_id: UUID) -> str:
    """The place to which the answers of a paper are sealed."""
    return privacy.place("enforcement_papers", "data", paper_id)


def content_digest(paper_id: UUID, values: Mapping[str, Any]) -> str:
    """Keyed digest of what a paper says, of clear values."""
    said = {name: _plain(values[name]) for name in _WORDS}
    said["data"] = opened(values["data"], data_place(paper_id))
    return keyed_digest("enforcement paper", {**said, "id": str(paper_id)})


def values_of(paper: EnforcementPaper) -> dict[str, Any]:
    """The values of a paper that its digest covers."""
    return {name: getattr(paper, name) for name in (*_WORDS, "data")}


def says(paper: EnforcementPaper, recorded: object) -> bool:
    """Whether a paper says what a step of it recorded; what does not open in its place says something else."""
    try:
        return content_digest(paper.id, values_of(paper)) == recorded
    except ValueError:
        return False


def unlike(session: Session, paper: EnforcementPaper) -> list[str]:
    """The name of the digest, where a paper is not what its last step said: a step would make it look right."""
    recorded = history.last_payload(session, paper.id).get("content")
    return [] if recorded is None or says(paper, recorded) else ["content"]


def _plain(value: Any) -> Any:
    """As canonical JSON writes it: ids and days as text."""
    return value if value is None or isinstance(value, str | int | dict) else str(value)
