"""Subjects: history, to-dos, files and print verification speak of "subject type + id".

Rooms register, in `composition/subjects.py`, the query that says whether an actor may read a subject, with the verbs
of which the actor needs one: those of the endpoints that show such a record. An unknown type is refused.
"""

from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor

MayRead = Callable[[Session, Actor, UUID], bool]
MayFetch = Callable[[Session, Actor, UUID, UUID], bool]
"""Whether an actor may fetch a file (the last id) that a subject claims."""


class SubjectRegistry:
    """Maps a subject type to the query that says who may read it."""

    def __init__(self) -> None:
        self._may_read: dict[str, MayRead] = {}
        self._verbs: dict[str, frozenset[str]] = {}
        self._may_fetch: dict[str, MayFetch] = {}

    def register(
        self, subject_type: str, verbs: Collection[str], may_read: MayRead, may_fetch: MayFetch | None = None
    ) -> None:
        """`may_read` is asked of actors that have one of the verbs. Without `may_fetch`, they may fetch all its files.

        Raises ValueError when the type is registered already.
        """
        if subject_type in self._may_read:
            raise ValueError(f"subject type {subject_type} is registered twice")
        self._may_read[subject_type] = may_read
        self._verbs[subject_type] = frozenset(verbs)
        if may_fetch is not None:
            self._may_fetch[subject_type] = may_fetch

    def types(self) -> tuple[str, ...]:
        """All that are registered."""
        return tuple(self._may_read)

    def may_read(self, session: Session, actor: Actor, subject_type: str, subject_id: UUID) -> bool:
        """False for an unknown type."""
        return self._has_verb(actor, subject_type) and self._may_read[subject_type](session, actor, subject_id)

    def may_fetch(self, session: Session, actor: Actor, subject_type: str, subject_id: UUID, file_id: UUID) -> bool:
        """Whether the actor may fetch that file, which the subject claims; False for an unknown type."""
        if subject_type not in self._may_fetch:
            return self.may_read(session, actor, subject_type, subject_id)
        return self._has_verb(actor, subject_type) and self._may_fetch[subject_type](
            session, actor, subject_id, file_id
        )

    def _has_verb(self, actor: Actor, subject_type: str) -> bool:
        return not actor.verbs.isdisjoint(self._verbs.get(subject_type, ()))
