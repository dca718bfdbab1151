"""Deletes what `core` no longer needs: idempotency keys of writes that no phone will send again."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from core import clock
from core.db import Database
from core.jobs.scheduler import RareJob
from core.models import IdempotencyKey
from core.retention.periods import PERIODS, RetentionSettings

KEYS_KEPT = timedelta(days=PERIODS["keep_idempotency_keys_days"].default)
"""How long a write that is sent again is recognised, where no setting says otherwise."""

BATCH = 500
"""Rows that are deleted in one transaction."""


def delete_in_batches(database: Database, key: InstrumentedAttribute[Any], condition: ColumnElement[bool]) -> int:
    """Delete the rows of the key's table for which the condition holds; how many.

    They are searched without a transaction, once through the table, and deleted in short ones, so that nobody waits
    for long. The condition is asked again when they are deleted: it may hold no longer.
    """
    old = select(key).where(condition).order_by(key).limit(BATCH)
    after: Any = None
    deleted = 0
    while True:
        with database.read() as session:
            keys = session.scalars(old if after is None else old.where(key > after)).all()
        if not keys:
            return deleted
        with database.write() as session:
            gone = session.execute(
                delete(key.class_).where(key.in_(keys), condition).execution_options(synchronize_session=False)
            )
        after, deleted = keys[-1], deleted + cast("CursorResult[Any]", gone).rowcount


def sweep_idempotency_keys(database: Database, kept: timedelta = KEYS_KEPT) -> int:
    """Delete older keys; how many. A repetition of those writes is then handled as a new write.

    They have no index over their time, which every write would have to pay for.
    """
    return delete_in_batches(database, IdempotencyKey.key, IdempotencyKey.at < clock.now() - kept)


def daily(settings: RetentionSettings) -> RareJob:
    """The sweep as a job of the scheduler."""
    kept = settings.kept("keep_idempotency_keys_days")
    return RareJob("idempotency keys", lambda database: sweep_idempotency_keys(database, kept), timedelta(days=1))
