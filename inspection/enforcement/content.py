"""What a law enforcement paper says: where its personal data is sealed, and the digest that its history keeps."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import privacy
from core.forms.sealing import opened
from core.workflows.contents import keyed_digest


def data_place(paper_id: UUID) -> str:
    """The place to which the answers of a paper are sealed."""
    return privacy.place("enforcement_papers", "data", paper_id)


def content_digest(paper_id: UUID, values: Mapping[str, Any]) -> str:
    """Keyed digest of what a paper says, of clear values."""
    said = {name: values[name] for name in ("form_code", "form_version", "number")}
    said["data"] = opened(values["data"], data_place(paper_id))
    return keyed_digest("enforcement paper", {**said, "receipt": values["receipt"], "id": str(paper_id)})
