"""Events: a lower room names what happened, `composition/listeners.py` connects who wants to know.

Listeners run in the transaction in which the event was raised: what they write is stored together
with what happened, or not at all.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

Listener = Callable[..., None]


class Events:
    """Listeners by event name; one per application."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    def listen(self, name: str, listener: Listener) -> None:
        """Call `listener(session, **details)` whenever the event is raised."""
        self._listeners.setdefault(name, []).append(listener)

    def emit(self, session: Session, name: str, **details: Any) -> None:
        """Raise an event; without listeners nothing happens."""
        for listener in self._listeners.get(name, ()):
            listener(session, **details)
