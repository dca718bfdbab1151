"""What the ground floor leaves behind: receipts of writes that no phone will send again."""

from datetime import timedelta

from sqlalchemy import delete, select

from core import clock
from core.db import Database
from core.models import Receipt
from core.scheduler import RareJob

RECEIPTS_KEPT = timedelta(days=180)
"""How long a write that is sent again is recognised."""

_BATCH = 500


def sweep_receipts(database: Database, kept: timedelta = RECEIPTS_KEPT) -> int:
    """Delete older receipts; how many. A repetition of those writes is then judged anew.

    Receipts have no index over their time, which every write would have to pay for: they are searched without a
    transaction, and deleted in short ones.
    """
    limit = clock.now() - kept
    after, deleted = b"", 0
    while True:
        old = select(Receipt.key).where(Receipt.key > after, Receipt.at < limit).order_by(Receipt.key).limit(_BATCH)
        with database.read() as session:
            keys = session.scalars(old).all()
        if not keys:
            return deleted
        with database.write() as session:
            session.execute(delete(Receipt).where(Receipt.key.in_(keys)).execution_options(synchronize_session=False))
        after, deleted = keys[-1], deleted + len(keys)


def daily() -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("receipts", sweep_receipts, timedelta(days=1))
