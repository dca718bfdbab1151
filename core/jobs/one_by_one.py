"""Working on what is due, one thing a transaction: other writers wait for one thing and not for all.

What fails keeps nothing else waiting: it is logged, passed over, and tried again after a rest.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from core import clock
from core.db import Database
from core.errors import Problem

log = structlog.get_logger()

PAGE = 200
"""Things that are looked up at a time, without a transaction."""
REST = timedelta(minutes=30)
"""How long what failed is left alone."""
_MOST_IN_A_ROW = 3
"""Failures of the database itself, one after the other, after which it is not asked any more in this round."""

_MAKES_WAY = 0.002
"""Seconds before each, in which others write: on SQLite the turn is a lock and no queue, and who takes it again at once
is before all that wait for it (`core/database/turns.py`)."""

Key = TypeVar("Key")


class OneByOne(Generic[Key]):
    """One for each kind of thing and process: it remembers what failed.

    `due` gives at most so many keys of what is due behind a given one, in the order of the keys. `act` does what is
    to be done with one in its transaction, having asked again whether it is still due, and says whether it did.
    """

    def __init__(
        self,
        name: str,
        due: Callable[[Session, Key | None, int], Sequence[Key]],
        act: Callable[[Session, Key], bool],
    ) -> None:
        self._name, self._due, self._act = name, due, act
        self._resting: dict[Key, datetime] = {}

    def run(self, database: Database) -> int:
        """Once through all that is due; how many were done. Raises when the database fails several times running."""
        now = clock.now()
        self._resting = {key: until for key, until in self._resting.items() if until > now}
        done = failures = 0
        last: Key | None = None
        while True:
            with database.read() as session:
                keys = self._due(session, last, PAGE)
            if not keys:
                return done
            last = keys[-1]
            for key in keys:
                if key in self._resting:
                    continue
                time.sleep(_MAKES_WAY)
                try:
                    with database.write() as session:
                        did = self._act(session, key)
                except Problem as refusal:
                    log.warning("due_refused", what=self._name, key=str(key), code=refusal.code)
                    self._resting[key] = now + REST
                except (OperationalError, PoolTimeout) as error:
                    # Of this thing alone (somebody locks it), or of the whole database.
                    failures += 1
                    log.warning("due_failed", what=self._name, key=str(key), error=type(error).__name__)
                    if failures == _MOST_IN_A_ROW:
                        raise
                # A guard or an effect may raise whatever it likes.
                except Exception as error:
                    log.error("due_failed", what=self._name, key=str(key), error=type(error).__name__, exc_info=True)
                    self._resting[key] = now + REST
                else:
                    done += did
                    failures = 0
