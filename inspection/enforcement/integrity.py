"""Whether law enforcement papers still say what their history records (`history verify`)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.workflows.history import Broken
from core.workflows.integrity import verify_said
from inspection.enforcement.content import says
from inspection.enforcement.models import EnforcementPaper
from inspection.enforcement.workflows import PAPER


def verify(session: Session) -> Iterator[Broken]:
    """Each paper that stands elsewhere or says something else than its history, or is gone."""
    yield from verify_said(session, PAPER, _changed)


def _changed(paper: EnforcementPaper, payload: Mapping[str, Any]) -> str | None:
    return None if says(paper, payload.get("content")) else "content of the paper was changed"
