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
    """Each that does not fit its history, or is gone."""
    for workflow in (USER, APPLICATION, REORGANISATION):
        yield from verify_ends(session, workflow)
    yield from _verify_moves(session)


def _verify_moves(session: Session) -> Iterator[Broken]:
    """Digests of what was rated lean on where reorganisations moved it from (`EarlierChains`)."""
    statement = (
        select(Reorganisation, HistoryEntry.seq, HistoryPayload.payload)
        .outerjoin(
            HistoryEntry, (HistoryEntry.subject_id == Reorganisation.id) & (HistoryEntry.action == "begin")
        )
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(Reorganisation.old_chain.is_not(None))
    )  # fmt: skip
    for record, seq, payload in session.execute(statement).all():
        said = payload or {}
        if (record.old_chain, record.new_chain) != (said.get("old_chain"), said.get("new_chain")):
            yield Broken(REORGANISATION.subject_type, record.id, seq or 0, "what was moved was changed")
