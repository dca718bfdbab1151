"""The key of the installation to which phones encrypt what they could not send (导出未发送).

It is made when it is first asked for, and stands in the database, sealed, so that all servers and every backup have it.
Older keys still open what was encrypted to them.
"""

import pyrage
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock, privacy
from core.db import Database, dialect_of, insert_into
from inspection.models import OutboxKey


def recipient(database: Database) -> str:
    """The public key (`age1…`), made now where there is none."""
    with database.read() as session:
        newest = _newest(session)
    if newest is not None:
        return newest
    made = pyrage.x25519.Identity.generate()
    with database.write() as session:
        fresh = insert_into(dialect_of(session), OutboxKey).values(
            id=1, recipient=str(made.to_public()), identity=privacy.InRow(str(made), 1), made_at=clock.now()
        )
        session.execute(fresh.on_conflict_do_nothing())  # two servers may ask at once
        newest = _newest(session)
    assert newest is not None
    return newest


def identities(session: Session) -> list[pyrage.x25519.Identity]:
    """All keys, the newest first."""
    kept = session.scalars(select(OutboxKey.identity).order_by(OutboxKey.id.desc())).all()
    return [pyrage.x25519.Identity.from_str(text) for text in kept]


def _newest(session: Session) -> str | None:
    return session.scalar(select(OutboxKey.recipient).order_by(OutboxKey.id.desc()).limit(1))
