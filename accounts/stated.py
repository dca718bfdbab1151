"""What a user has in a table of its own, such as WeChat bindings or an address: each change states a digest of it.

The digest stands in the history of the user, so that what was put into the table or moved there is named by
`history verify`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import User
from accounts.workflows import USER
from core.actor import Actor
from core.workflows import history
from core.workflows.witnesses import Witness


class Stated:
    """`standing` reads from the table what the witness covers; `having` is the column of it that is empty for who has
    nothing. `actions` are those of rows that may state the digest; the newest of them holds, and without any there is
    nothing to have.
    """

    def __init__(
        self,
        witness: Witness,
        actions: tuple[str, ...],
        standing: Callable[[Session, UUID], dict[str, Any]],
        having: str,
    ) -> None:
        self._witness, self._actions, self._standing, self._having = witness, actions, standing, having

    def fits(self, payload: Mapping[str, Any] | None, there: Mapping[str, Any]) -> bool:
        """Whether what is there is what the newest row stated."""
        recorded = (payload or {}).get(self._witness.name)
        return not there[self._having] if recorded is None else self._witness.fits(recorded, there)

    @contextmanager
    def changing(self, session: Session, user_id: UUID, action: str, actor: Actor | None = None) -> Iterator[None]:
        """Hold the user while the table is changed, and append a row if it was."""
        session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
        before = self._standing(session, user_id)
        proven = self.fits(history.last_payload(session, user_id, self._actions), before)
        yield
        session.flush()
        after = self._standing(session, user_id)
        if after == before:
            return
        name = self._witness.name
        marked = {} if proven else {history.FOUND_CHANGED: [name]}
        USER.note(session, actor, user_id, action, {**marked, name: self._witness.digest(after)})
