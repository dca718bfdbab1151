"""One step for many filings (批量办理), as a long job: each filing is moved by itself, in a transaction of its own."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.database.paging import PageRequest
from core.errors import Problem, invalid, not_found
from core.long_jobs import operations
from core.long_jobs.models import LongJob
from core.long_jobs.operations import MOST_ROWS
from core.long_jobs.running import Work
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.reading import lists
from enterprise.filings.reading.lists import Filters
from enterprise.filings.sides.access import get_readable
from enterprise.filings.steps import actions

JOB = "filing_steps"
_PAGE = 100


def begin(
    session: Session, engine: Filings, actor: Actor, job_id: UUID, action: str, chosen: Sequence[UUID] | Filters,
    comment: str | None,
) -> LongJob:  # fmt: skip
    """Begin a job that takes the step for the chosen filings, or for those that the list shows with these filters.

    Raises 404 where no kind has the action, 403 where it may not be taken for many, 422 for too many filings.
    """
    steps = [step for kind in engine.kinds.values() for step in kind.steps if step.action == action]
    if not steps:
        raise not_found()
    if not any(step.many for step in steps):
        raise Problem("forbidden", "该操作须逐件办理，不能批量办理")
    ids = listed(session, engine, actor, chosen) if isinstance(chosen, Filters) else chosen
    params = {"action": action, **({"comment": comment} if comment else {})}
    return operations.begin(session, actor, job_id, JOB, ids, params)


def listed(session: Session, engine: Filings, actor: Actor, filters: Filters) -> list[UUID]:
    """The ids of all filings that the list shows; 422 for more than a job may have."""
    ids: list[UUID] = []
    after: str | None = None
    while True:
        page = lists.filings(session, engine, actor, filters, PageRequest(1, _PAGE, after))
        ids += [row.Filing.id for row in page.items]
        if len(ids) > MOST_ROWS:
            raise invalid("/filter", "too_many", f"符合条件的办件超过{MOST_ROWS}件，请缩小筛选范围后分批办理")
        after = page.next_after
        if after is None:
            return ids


def work(engine: Filings) -> Work:
    """What a job does with one filing."""

    def take(session: Session, actor: Actor, filing_id: UUID, params: Mapping[str, Any]) -> None:
        filing = get_readable(session, engine, actor, filing_id)
        step = engine.kind_of(filing).step(params["action"], filing.status)
        if step is not None and not step.many:
            raise Problem("forbidden", "该操作须逐件办理，不能批量办理")
        body = {name: params[name] for name in ("comment",) if name in params}
        actions.act(session, engine, actor, filing_id, params["action"], {**body, "version": filing.version})

    return take
