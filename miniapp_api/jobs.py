"""Long jobs (后台任务): how far one has come, and what was refused."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from core.actor import Actor
from core.long_jobs import operations
from core.long_jobs.answers import as_json
from core.long_jobs.models import STATUSES
from miniapp_api.http.answers import Answer, answers, one_of
from miniapp_api.http.gates import gate

bp = APIBlueprint("jobs", __name__, tag="Jobs")


class JobRefusal(Answer):
    """A row that could not be done, and why."""

    id: UUID
    code: str = Field(description="code of the problem, as the single call answers it")
    message: str


class Job(Answer):
    """A job and its progress; it can be read until a week after its end."""

    id: UUID
    kind: str
    status: Annotated[str, one_of(STATUSES)]
    status_label: str
    total: int
    done: int
    refused: int
    refusals: list[JobRefusal] = Field(description="the first thousand")
    created_at: datetime
    finished_at: datetime | None


@bp.get("/jobs/<uuid:job_id>")
@gate()
@answers(Job)
def read_job(session: Session, actor: Actor, job_id: UUID) -> dict[str, Any]:
    """How far an own job has come."""
    return as_json(session, operations.own(session, actor, job_id))


@bp.delete("/jobs/<uuid:job_id>")
@gate()
@answers(Job)
def cancel_job(session: Session, actor: Actor, job_id: UUID) -> dict[str, Any]:
    """Cancel an own job before its next row; what was done stays."""
    return as_json(session, operations.cancel(session, actor, job_id))
