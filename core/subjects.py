"""Subjects: history, to-dos, files and print verification speak of "subject type + id".

Rooms register, in `app.py`, the query that says whether an actor may see a subject. An unknown
type is refused.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor

Visible = Callable[[Session, Actor, UUID], bool]


class SubjectRegistry:
    """Maps a subject type to the query that says who may see it."""

    def __init__(self) -> None:
        self._visible: dict[str, Visible] = {}

    def register(self, subject_type: str, visible: Visible) -> None:
        """Raises ValueError when the type is registered already."""
        if subject_type in self._visible:
            raise ValueError(f"subject type {subject_type} is registered twice")
        self._visible[subject_type] = visible

    def may_see(self, session: Session, actor: Actor, subject_type: str, subject_id: UUID) -> bool:
        """False for an unknown type."""
        visible = self._visible.get(subject_type)
        return visible is not None and visible(session, actor, subject_id)
