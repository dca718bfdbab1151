"""What releases up to 0.3 sealed without naming a key is sealed anew by the running server, table by table."""

import time
from datetime import timedelta

import structlog
from sqlalchemy.exc import ProgrammingError

from composition.sealed_contents import BEFORE
from core.db import Database
from core.jobs.scheduler import RareJob
from core.keys import rotation, stored
from core.keys.keyring import UNNAMED

log = structlog.get_logger()

PAUSE = 0.05
"""Seconds between two batches, in which others write."""
_NO_RIGHT = "42501"
"""PostgreSQL's code for a right that is missing (insufficient_privilege)."""


def job() -> RareJob:
    """For the scheduler: once a day, which does nothing once all is sealed anew. Interrupted, it goes on."""
    return RareJob("seals of earlier releases", seal_anew, timedelta(days=1), apart=True)


def seal_anew(database: Database) -> int:
    """Seal anew what names no key; how many rows. The older key is retired when nothing is left.

    A role that may not change the history leaves its payloads to `./manage keys rotate` of the owner.
    """
    done = 0
    while UNNAMED in rotation.left_keys(database.engine):
        try:
            tally = rotation.reseal(database.engine, [UNNAMED], BEFORE, lambda _table, _tally: time.sleep(PAUSE))
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _NO_RIGHT:
                raise
            log.error("older_seals_left", reason="no right to change the history", mend="./manage keys rotate")
            return done
        done += tally.changed
        if not tally.changed:
            stored.retire(database.engine, [UNNAMED])
    if done:
        log.info("older_seals_renewed", rows=done)
    return done
