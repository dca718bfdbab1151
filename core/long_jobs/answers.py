"""What is said of a job."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import clock
from core.long_jobs.models import OK, STATUSES, LongJob, LongJobRow

MOST_REFUSALS = 1000


def as_json(session: Session, job: LongJob) -> dict[str, Any]:
    """Progress and refusals, the first `MOST_REFUSALS` of them in the order of the rows."""
    refused = (
        select(LongJobRow)
        .where(LongJobRow.job_id == job.id, LongJobRow.outcome != OK)
        .order_by(LongJobRow.position)
        .limit(MOST_REFUSALS)
    )
    return {
        "id": str(job.id), "kind": job.kind, "status": job.status, "status_label": STATUSES[job.status],
        "total": job.total, "done": job.done, "refused": job.refused,
        "refusals": [
            {"id": str(row.subject_id), "code": row.outcome, "message": row.reason}
            for row in (session.scalars(refused) if job.refused else ())
        ],
        "created_at": clock.rfc3339(job.created_at),
        "finished_at": clock.rfc3339(job.finished_at) if job.finished_at else None,
    }  # fmt: skip
