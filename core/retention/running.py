"""The nightly job that removes what is kept no longer, class by class.

Each batch is a transaction of its own, so that nobody waits for long; what was removed is counted in the same one. A
run that is stopped goes on where it was, because what is gone is not due any more. When it ends, one row of the history
says how much of each class was removed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import clock
from core.db import Database, dialect_of, insert_into
from core.jobs.scheduler import RareJob
from core.retention.models import RetentionRun
from core.retention.periods import RetentionSettings
from core.workflows import history
from core.workflows.history import Move

log = structlog.get_logger()

SUBJECT_TYPE = "retention"
SUBJECT_ID = uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "urn:gongpin:retention")
"""Under which the history knows the job; one for an installation."""
BATCH = 200
NIGHT = range(1, 6)
"""Hours, local time, as those of the daily backup and of the verification of the history."""
RESTED, OVERDUE = timedelta(hours=18), timedelta(hours=30)
"""Time since the last run from which on another begins at night, and at any hour."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of data.

    `due` gives at most so many keys of rows that are kept no longer than the instant says, behind a given key, in the
    order of keys. `remove` removes what these rows hold, having asked again whether they are due, and says of how many.
    """

    setting: str
    due: Callable[[Session, datetime, Any, int], Sequence[Any]]
    remove: Callable[[Session, datetime, Sequence[Any]], int]


def nightly(settings: RetentionSettings, rules: Sequence[Rule]) -> RareJob:
    """For the scheduler. In a thread of its own: the first run over an old installation takes long."""
    return RareJob(
        "retention",
        lambda database: sum(run(database, settings, rules).values()) if is_due(database) else 0,
        timedelta(minutes=30),
        apart=True,
    )


def is_due(database: Database) -> bool:
    """Whether a run begins now: at night, once; and at any hour where the last one was stopped or is long past."""
    now = clock.now()
    at_night = now.astimezone(clock.LOCAL).hour in NIGHT
    with database.read() as session:
        last = session.get(RetentionRun, 1)
    if last is None:
        return at_night
    if last.finished_at is None:
        return True
    rested = now - last.finished_at
    return rested >= OVERDUE or (rested >= RESTED and at_night)


def run(database: Database, settings: RetentionSettings, rules: Sequence[Rule]) -> dict[str, int]:
    """Remove all that is due; how much of each class since the last run that ended."""
    _begin(database)
    now = clock.now()
    for rule in rules:
        _follow(database, rule, now - settings.kept(rule.setting))
    return _finish(database)


def _follow(database: Database, rule: Rule, limit: datetime) -> None:
    """Once through all that is due under a rule; what fails is passed over and tried the next night."""
    last: Any = None
    while True:
        with database.read() as session:
            keys = rule.due(session, limit, last, BATCH)
        if not keys:
            return
        last = keys[-1]
        try:
            _remove(database, rule, limit, keys)
        # Whatever one of them raises keeps the others from nothing.
        except Exception as error:
            log.warning("retention_batch_failed", rule=rule.setting, error=type(error).__name__)
            _one_by_one(database, rule, limit, keys)


def _one_by_one(database: Database, rule: Rule, limit: datetime, keys: Sequence[Any]) -> None:
    for key in keys:
        try:
            _remove(database, rule, limit, [key])
        except Exception as error:
            log.error("retention_failed", rule=rule.setting, key=str(key), error=type(error).__name__, exc_info=True)


def _remove(database: Database, rule: Rule, limit: datetime, keys: Sequence[Any]) -> None:
    with database.write() as session:
        removed = rule.remove(session, limit, keys)
        if not removed:
            return
        row = session.get_one(RetentionRun, 1, with_for_update=True, populate_existing=True)
        counts = {**row.counts, rule.setting: row.counts.get(rule.setting, 0) + removed}
        session.execute(update(RetentionRun).where(RetentionRun.id == 1).values(counts=counts))


def _begin(database: Database) -> None:
    """Counts of a run that was stopped stay."""
    with database.write() as session:
        fresh = insert_into(dialect_of(session), RetentionRun).values(id=1, begun_at=clock.now(), counts={})
        session.execute(fresh.on_conflict_do_update(index_elements=["id"], set_={"finished_at": None}))


def _finish(database: Database) -> dict[str, int]:
    with database.write() as session:
        row = session.get_one(RetentionRun, 1, with_for_update=True, populate_existing=True)
        counts = dict(row.counts)
        if counts:
            payload = {"begun_at": clock.rfc3339(row.begun_at), "removed": counts}
            history.append(
                session, Move(SUBJECT_TYPE, SUBJECT_ID, "sweep", "kept", "kept", 1, None, payload)
            )  # fmt: skip
        now = clock.now()
        values = {"finished_at": now, "begun_at": now, "counts": {}}
        session.execute(update(RetentionRun).where(RetentionRun.id == 1).values(values))
    return counts


def keys_behind(
    session: Session, key: InstrumentedAttribute[Any], after: Any, most: int, *conditions: ColumnElement[bool]
) -> Sequence[Any]:
    """What `Rule.due` returns: the keys of rows that meet conditions, in order, from the one behind `after` on."""
    found = select(key).where(*conditions)
    if after is not None:
        found = found.where(key > after)
    return session.scalars(found.order_by(key).limit(most)).all()
