"""What is read of files, already limited to what the caller may see."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.models import File
from core import clock
from core.actor import Actor
from core.errors import not_found
from core.workflows.subjects import SubjectRegistry


def get_readable(session: Session, actor: Actor, subjects: SubjectRegistry, file_id: UUID) -> File:
    """One file; 404 if it is not there or the actor may not read it.

    Until a record claims it, only the user who uploaded it may; then whoever may fetch it of that record
    (`core/workflows/subjects.py`). The right is asked at every call, so that an address does not outlive it.
    """
    file = session.get(File, file_id, populate_existing=True)
    if file is None:
        raise not_found()
    if actor.filing_id is not None and file.claimed_id not in (None, actor.filing_id):
        raise not_found()
    if file.claimed_type is None or file.claimed_id is None:
        allowed = file.uploaded_by == actor.user_id
    else:
        allowed = subjects.may_fetch(session, actor, file.claimed_type, file.claimed_id, file.id)
    if not allowed:
        raise not_found()
    return file


def file_answer(file: File) -> dict[str, Any]:
    """A file as the HTTP contract writes it; pictures say when, where and how large they were taken."""
    answer: dict[str, Any] = {
        "id": str(file.id),
        "name": file.original_name,
        "purpose": file.purpose,
        "size": file.size,
        "media_type": file.media_type,
        "sha256": file.sha256,
        "uploaded_at": clock.rfc3339(file.uploaded_at),
    }
    if file.width is not None:
        answer |= {
            "width": file.width,
            "height": file.height,
            "taken_at": clock.rfc3339(file.taken_at) if file.taken_at else None,
            "latitude": file.latitude,
            "longitude": file.longitude,
        }
    return answer


def details_answer(file: File) -> dict[str, Any]:
    """The same with the digest of the bytes that came, which differ where notes of the camera were taken out."""
    return {**file_answer(file), "sent_sha256": file.sent_sha256}
