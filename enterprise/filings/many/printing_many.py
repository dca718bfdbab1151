"""Printing many filings (批量打印) of kinds that declare a paper: the rows of a job, and the paper of each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.paper.papers import Paper
from assets.paper.print_jobs import MOST, Prepare
from core.actor import Actor
from core.errors import invalid
from core.long_jobs import operations
from core.long_jobs.models import LongJob
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.many.steps_for_many import listed
from enterprise.filings.reading import papers
from enterprise.filings.reading.lists import Filters

JOB = "filing_prints"


def begin(
    session: Session, engine: Filings, actor: Actor, job_id: UUID, chosen: Sequence[UUID] | Filters, form: str
) -> LongJob:
    """Begin a job that prints these filings, or those that the list shows with these filters.

    Raises 422 for more than `MOST`.
    """
    ids = listed(session, engine, actor, chosen) if isinstance(chosen, Filters) else list(chosen)
    if len(ids) > MOST:
        raise invalid("/filter", "too_many", f"一次最多打印{MOST}份，请缩小筛选范围后分批打印")
    return operations.begin(session, actor, job_id, JOB, ids, {"format": form})


def preparing(engine: Filings, public_url: str) -> Prepare:
    """What a job prints of one filing, with the rights of who asked as they are then."""

    def prepare(session: Session, actor: Actor, filing_id: UUID, params: Mapping[str, Any]) -> Paper:
        return papers.prepared(session, engine, actor, filing_id, public_url)

    return prepare
