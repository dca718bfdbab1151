"""Printing many records (批量打印): the rows of a job, and the paper of each."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.paper.papers import Paper
from assets.paper.print_jobs import MOST, Prepare
from core.actor import Actor
from core.database.paging import PageRequest
from core.errors import invalid
from core.forms.library import FormLibrary
from core.long_jobs import operations
from core.long_jobs.models import LongJob
from inspection.printing import record_paper
from inspection.records import access, listing
from inspection.statistics.totals import Filters

JOB = "record_prints"
_PAGE = 100


def begin(
    session: Session, actor: Actor, job_id: UUID, record_type: str, chosen: Sequence[UUID] | Filters, form: str
) -> LongJob:
    """Begin a job that prints these records, or the submitted ones that the list shows with these filters.

    Raises 422 for more than `MOST`.
    """
    ids = _listed(session, actor, record_type, chosen) if isinstance(chosen, Filters) else list(chosen)
    if len(ids) > MOST:
        raise invalid("/filter", "too_many", f"一次最多打印{MOST}份，请缩小筛选范围后分批打印")
    return operations.begin(session, actor, job_id, JOB, ids, {"record_type": record_type, "format": form})


def preparing(forms: FormLibrary, public_url: str) -> Prepare:
    """What a job prints of one record, with the rights of who asked as they are then."""

    def prepare(session: Session, actor: Actor, record_id: UUID, params: Mapping[str, Any]) -> Paper:
        record = access.get_readable(session, actor, params["record_type"], record_id)
        return record_paper.prepared(session, forms, actor, record, public_url)

    return prepare


def _listed(session: Session, actor: Actor, record_type: str, filters: Filters) -> list[UUID]:
    ids: list[UUID] = []
    after: str | None = None
    while len(ids) <= MOST:
        page = listing.submitted(session, actor, record_type, filters, PageRequest(1, _PAGE, after))
        ids += [row.Inspection.id for row in page.items]
        after = page.next_after
        if after is None:
            break
    return ids
