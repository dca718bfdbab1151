"""Whether records still stand where their history ends.

It finds records that were changed past their history, that lost the last rows of it, or that are gone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.models import HistoryEntry, HistoryPayload
from core.workflows.history import Broken
from core.workflows.workflow import Workflow


def is_last_row() -> ColumnElement[bool]:
    """Condition: the `HistoryEntry` is the last of its subject."""
    other = aliased(HistoryEntry)
    last = select(func.max(other.seq)).where(other.subject_id == HistoryEntry.subject_id).correlate(HistoryEntry)
    return HistoryEntry.seq == last.scalar_subquery()


def in_chunks(session: Session, statement: Select[Any], model: Any, chunk: int) -> Iterator[Sequence[Any]]:
    """The rows of a statement in the order of the model's ids, so many at a time; the model is its first entity.

    Memory stays flat and nothing is locked: a server-side cursor PostgreSQL gives only inside a transaction.
    """
    statement = statement.order_by(model.id).limit(chunk).execution_options(populate_existing=True)
    after: UUID | None = None
    while True:
        rows = session.execute(statement if after is None else statement.where(model.id > after)).all()
        yield rows
        if len(rows) < chunk:
            return
        after = rows[-1][0].id
        session.expunge_all()


def verify_ends(session: Session, workflow: Workflow, chunk: int = 1000) -> Iterator[Broken]:
    """Each record of the workflow's table that is not at the status and version its history ends with, or is gone."""
    model: Any = workflow.model
    statement = select(model, HistoryEntry).outerjoin(
        HistoryEntry, (HistoryEntry.subject_id == model.id) & is_last_row()
    )
    for rows in in_chunks(session, statement, model, chunk):
        for record, entry in rows:
            reason = broken_end(record.status, record.version, entry)
            if reason:
                yield Broken(workflow.subject_type, record.id, entry.seq if entry else 0, reason)
    yield from verify_presence(session, workflow.subject_type, model)


def verify_said(
    session: Session, workflow: Workflow, changed: Callable[[Any, Mapping[str, Any]], str | None], chunk: int = 500
) -> Iterator[Broken]:
    """As `verify_ends`, and what `changed` finds of a record and the payload that its last history row carries.

    A record is read with that row by one statement, so that concurrent steps raise no false alarm. Payloads that were
    erased by law are skipped.
    """
    model: Any = workflow.model
    statement = (
        select(model, HistoryEntry, HistoryPayload.payload)
        .select_from(model)
        .outerjoin(HistoryEntry, (HistoryEntry.subject_id == model.id) & is_last_row())
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
    )
    for rows in in_chunks(session, statement, model, chunk):
        for record, entry, payload in rows:
            reason = broken_end(record.status, record.version, entry)
            if reason is None and payload is not None:
                reason = changed(record, payload)
            if reason:
                yield Broken(workflow.subject_type, record.id, entry.seq if entry else 0, reason)
    yield from verify_presence(session, workflow.subject_type, model)


def verify_presence(session: Session, subject_type: str, model: Any) -> Iterator[Broken]:
    """Each history of a type of subject whose record is gone from the model's table; records are never deleted."""
    there = exists().where(model.id == HistoryEntry.subject_id)
    begun = (HistoryEntry.subject_type == subject_type) & (HistoryEntry.seq == 1)
    for subject_id in session.scalars(select(HistoryEntry.subject_id).where(begun, ~there)):
        yield Broken(subject_type, subject_id, 1, "record is gone")


def broken_end(status: str, version: int, entry: HistoryEntry | None) -> str | None:
    """Why a record does not fit the last row of its history; None when it does."""
    if entry is None:
        return "has no history"
    if entry.version != version:
        return f"record is at version {version}, its history ends at {entry.version}"
    if entry.to_status != status:
        return f"record is {status}, its history ends at {entry.to_status}"
    return None


def recorded_contents(session: Session, subjects: Collection[UUID], id_name: str, digest_name: str) -> dict[UUID, str]:
    """The digests that moves of subjects noted of rows beside them, by the id of such a row.

    `id_name` and `digest_name` are those of the payload. A subject with an erased payload stands among the keys.
    """
    rows = session.execute(
        select(HistoryEntry.subject_id, HistoryPayload.payload)
        .outerjoin(HistoryPayload, HistoryPayload.history_id == HistoryEntry.id)
        .where(HistoryEntry.subject_id.in_(subjects))
        .order_by(HistoryEntry.subject_id, HistoryEntry.seq)
    ).all()
    recorded: dict[UUID, str] = {}
    for subject_id, payload in rows:
        if payload is None:
            recorded[subject_id] = ""
        elif id_name in payload and digest_name in payload:
            recorded[UUID(payload[id_name])] = payload[digest_name]
    return recorded
