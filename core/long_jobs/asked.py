"""What was asked for, sealed with the job: by whom, of which kind, over which rows, with what.

A job acts in somebody's name after the answer. Its row says whose; only what was sealed when it was asked for is
believed, so that nobody takes steps in the name of another by writing into the tables.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.long_jobs.models import LongJob, LongJobRow


def sealed(user_id: UUID, kind: str, subject_ids: Sequence[UUID], params: Mapping[str, Any]) -> str:
    """The text that the column `params` encrypts, bound to its row."""
    return orjson.dumps({**_said(user_id, kind, subject_ids), "params": params}).decode()


def params_of(session: Session, job: LongJob) -> Mapping[str, Any] | None:
    """What the rows of a job have in common; None where the job or its rows are not those that were asked for."""
    there = select(LongJobRow.subject_id).where(LongJobRow.job_id == job.id).order_by(LongJobRow.position)
    said = orjson.loads(job.params)
    expected = _said(job.user_id, job.kind, session.scalars(there).all())
    if not isinstance(said, dict) or {name: said.get(name) for name in expected} != expected:
        return None
    params: Mapping[str, Any] = said["params"]
    return params


def _said(user_id: UUID, kind: str, subject_ids: Sequence[UUID]) -> dict[str, str]:
    rows = hashlib.sha256(b"".join(one.bytes for one in subject_ids)).hexdigest()
    return {"by": user_id.hex, "kind": kind, "rows": rows}
