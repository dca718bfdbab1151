"""Whether users, applications and reorganisations stand where their history ends, and moved what it says."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.models import Reorganisation
from accounts.workflows import APPLICATION, REORGANISATION, USER
from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.integrity import verify_ends


def verify(session: Session) -> Iterator[Broken]:
    """Each row that does not fit its history, or is gone."""
    for workflow in (USER, APPLICATION, REORGANISATION):
        yield from verify_ends(session, workflow)
    yield from _verify_moves(session)


def _verify_moves(session: Session) -> Iterator[Broken]:
    """Reorganisations whose chains are not those of their history: digests of ratings depend on them."""
    statement = (
        select(Reorganisation, HistoryEntry.seq, HistoryPayload.payload)
        .outerjoin(
            HistoryEntry, (HistoryEntry.subject_id == Reorganisation.id) & (HistoryEntry.action == "begin")
        )
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(Reorganisation.old_chain.is_not(None))
    )  # fmt: skip
    for record, seq, payload in session.execute(statement).all():
        recorded = payload or {}
        if (record.old_chain, record.new_chain) != (recorded.get("old_chain"), recorded.get("new_chain")):
            yield Broken(REORGANISATION.subject_type, record.id, seq or 0, "what was moved was changed")
