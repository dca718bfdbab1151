"""Beginning a job, cancelling it, and deleting what is long over."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from core import clock
from core.actor import Actor
from core.db import Database, dialect_of, insert_into
from core.errors import Problem, not_found
from core.jobs.scheduler import RareJob
from core.long_jobs import asked
from core.long_jobs.models import CANCELLED, DONE, RUNNING, LongJob, LongJobRow
from core.privacy import in_row

MOST_ROWS = 10_000
KEPT = timedelta(days=7)
"""How long a finished job can be read."""
_BATCH = 20


def begin(
    session: Session, actor: Actor, job_id: UUID, kind: str, subject_ids: Sequence[UUID], params: Mapping[str, Any]
) -> LongJob:
    """Begin a job over these rows, at most `MOST_ROWS`; the same id again returns the job as it is now.

    It is worked on with the rights that the actor has then. Raises 409 `id_taken` where the id is another's.
    """
    subject_ids = list(dict.fromkeys(subject_ids))
    if len(subject_ids) > MOST_ROWS:
        raise ValueError(f"more than {MOST_ROWS} rows")
    now = clock.now()
    values = {
        "id": job_id, "kind": kind, "user_id": actor.user_id, "session_id": actor.session_id,
        "operator_name": actor.operator_name, "params": asked.sealed(actor.user_id, kind, subject_ids, params),
        "status": RUNNING,
        "total": len(subject_ids), "done": 0, "refused": 0, "created_at": now, "leased_until": now,
        "finished_at": None,
    }  # fmt: skip
    if not subject_ids:
        values |= {"status": DONE, "finished_at": now}
    fresh = insert_into(dialect_of(session), LongJob).values(in_row(LongJob, values)).on_conflict_do_nothing()
    if session.execute(fresh.returning(LongJob.id)).scalar_one_or_none() is None:
        found = session.get(LongJob, job_id)
        if found is None or found.user_id != actor.user_id or found.kind != kind:
            raise Problem("id_taken")
        return found
    rows = [{"job_id": job_id, "position": at, "subject_id": one} for at, one in enumerate(subject_ids)]
    if rows:
        session.execute(insert(LongJobRow), rows)
    return session.get_one(LongJob, job_id)


def own(session: Session, actor: Actor, job_id: UUID) -> LongJob:
    """A job of the actor's; 404 for any other."""
    found = session.get(LongJob, job_id, populate_existing=True)
    if found is None or found.user_id != actor.user_id:
        raise not_found()
    return found


def cancel(session: Session, actor: Actor, job_id: UUID) -> LongJob:
    """Let a job end before its next row; what was done stays. One that is over stays as it is."""
    own(session, actor, job_id)
    session.execute(
        update(LongJob)
        .where(LongJob.id == job_id, LongJob.status == RUNNING)
        .values(status=CANCELLED, finished_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    return own(session, actor, job_id)


def sweep(database: Database) -> int:
    """Delete jobs that ended long ago, with their rows; how many."""
    deleted = 0
    while True:
        with database.write() as session:
            old = select(LongJob.id).where(LongJob.finished_at < clock.now() - KEPT).limit(_BATCH)
            ids = session.scalars(old).all()
            if not ids:
                return deleted
            session.execute(delete(LongJobRow).where(LongJobRow.job_id.in_(ids)))
            session.execute(delete(LongJob).where(LongJob.id.in_(ids)))
        deleted += len(ids)


def daily() -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("finished long jobs", sweep, timedelta(days=1))
