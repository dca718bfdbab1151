"""Many applications for accounts decided alike (批量审核), each by itself, by a long job."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from accounts import applications
from core.actor import Actor
from core.errors import not_found
from core.long_jobs import operations as long_jobs
from core.long_jobs.models import LongJob
from core.text import clean, demanded

JOB = "account_decisions"


def begin(
    session: Session, actor: Actor, job_id: UUID, action: str, ids: Sequence[UUID], opinion: str | None
) -> LongJob:
    """Begin a job that approves or rejects these applications. Raises 404 for another action, 422 without opinion."""
    if action not in ("approve", "reject"):
        raise not_found()
    said = clean(opinion or "") or None
    if action == "reject":
        demanded(said, "/opinion", "审核不通过须填写意见")
    params = {"action": action, "body": {"opinion": said} if said else {}}
    return long_jobs.begin(session, actor, job_id, JOB, ids, params)


def work(session: Session, actor: Actor, application_id: UUID, params: Mapping[str, Any]) -> None:
    """One row of that job."""
    applications.decide(session, actor, application_id, params["action"], params["body"])
