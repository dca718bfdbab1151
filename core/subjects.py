"""Subjects: history, to-dos, files and print verification speak of "subject type + id".

Rooms register, in `app.py`, the query that says whether an actor may see a subject. An unknown
type is refused.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor

Visible = Callable[[Session, Actor, UUID], bool]
Fetchable = Callable[[Session, Actor, UUID, UUID], bool]
"""Whether an actor may fetch a file (the last id) that a subject claims."""


class SubjectRegistry:
    """Maps a subject type to the query that says who may see it."""

    def __init__(self) -> None:
        self._visible: dict[str, Visible] = {}
        self._fetchable: dict[str, Fetchable] = {}

    def register(self, subject_type: str, visible: Visible, fetchable: Fetchable | None = None) -> None:
        """Without `fetchable`, who may see a subject may fetch all its files.

        Raises ValueError when the type is registered already.
        """
        if subject_type in self._visible:
            raise ValueError(f"subject type {subject_type} is registered twice")
        self._visible[subject_type] = visible
        if fetchable is not None:
            self._fetchable[subject_type] = fetchable

    def may_see(self, session: Session, actor: Actor, subject_type: str, subject_id: UUID) -> bool:
        """False for an unknown type."""
        visible = self._visible.get(subject_type)
        return visible is not None and visible(session, actor, subject_id)

    def may_fetch(self, session: Session, actor: Actor, subject_type: str, subject_id: UUID, file_id: UUID) -> bool:
        """Whether the actor may fetch that file, which the subject claims; False for an unknown type."""
        fetchable = self._fetchable.get(subject_type)
        if fetchable is None:
            return self.may_see(session, actor, subject_type, subject_id)
        return fetchable(session, actor, subject_id, file_id)
