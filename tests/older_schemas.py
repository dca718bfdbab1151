"""A database as an older release had it, and back: people stay signed in, whom an upgrade else signs out once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Table, select, update

from accounts.models import UserSession
from core.database import migrate
from core.db import Database

_SESSIONS = cast(Table, UserSession.__table__)


@contextmanager
def at_revision(database: Database, revision: str) -> Iterator[None]:
    """The schema of that revision within, and today's afterwards."""
    with database.read() as session:
        proofs = session.execute(select(_SESSIONS.c.id, _SESSIONS.c.proof)).all()
    migrate.downgrade(database.engine, revision)
    yield
    migrate.upgrade(database.engine)
    with database.write() as session:
        for session_id, proof in proofs:
            session.execute(update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(proof=proof))
