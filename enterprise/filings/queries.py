"""What is read of filings, already limited to what the caller may read: versions, history, files.

The list stands in `reading/lists.py`.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actor import Actor
from core.database.paging import Page, PageRequest, ascending, fetch
from core.workflows import history
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.drafts.working_copy import sent_files
from enterprise.filings.models import Filing, FilingVersion
from enterprise.filings.moves import find
from enterprise.filings.sides.access import standing
from enterprise.filings.steps import step_data

_OLDEST_VERSION_FIRST = ascending("filing_versions", FilingVersion.number)


def versions(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The versions that were sent, oldest first."""
    sent = select(FilingVersion)
    return fetch(session, sent, _OLDEST_VERSION_FIRST, request, FilingVersion.filing_id == filing.id)


def history_of(session: Session, filing: Filing, request: PageRequest) -> Page:
    """The moves of a filing, oldest first."""
    return history.page(session, filing.id, request)


def may_fetch(session: Session, engine: Filings, actor: Actor, filing_id: UUID, file_id: UUID) -> bool:
    """For the subject registry: who may fetch a file of a filing.

    The enterprise fetches what it put there itself, everybody else what was sent; files of steps are for those to whom
    the step is shown.
    """
    filing = find(session, filing_id)
    stands = standing(session, engine, actor, filing) if filing is not None else None
    if filing is None or stands is None:
        return False
    kind = engine.kind_of(filing)
    if file_id in step_data.files_of(session, kind, filing_id, stands):
        return True
    if stands.own or stands.is_one_of(kind.status(filing.status).editors):
        return file_id not in step_data.all_files(session, kind, filing_id)
    return file_id in sent_files(session, filing_id)
