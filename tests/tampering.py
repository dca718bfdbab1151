"""What somebody does who can write to the database, knows the source, and has no key."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.orm import Session

from accounts.models import SignIn, User
from core.db import Database, canonical_json, dialect_of
from core.models import HistoryEntry, HistoryPayload
from inspection.models import Inspection, InspectionVersion


def with_all_rights(session: Session) -> None:
    """As the owner of the tables, who may tell the triggers of PostgreSQL to stand aside."""
    if dialect_of(session) == "postgresql":
        session.execute(text("SET LOCAL gongpin.history = 'maintenance'"))


def attack(database: Database, steps: Callable[[Session], Any]) -> None:
    """One transaction with all rights."""
    with database.write() as session:
        with_all_rights(session)
        steps(session)


def rows_of(session: Session, subject: UUID) -> list[HistoryEntry]:
    """The history of a subject, oldest first."""
    of_subject = select(HistoryEntry).where(HistoryEntry.subject_id == subject).order_by(HistoryEntry.seq)
    return list(session.scalars(of_subject.execution_options(populate_existing=True)))


def chain_anew(session: Session, subject: UUID) -> None:
    """All digests and hashes of a subject as they are without a key, in the way of releases up to 0.4."""
    previous = bytes(32)
    for entry in rows_of(session, subject):
        payload = session.get(HistoryPayload, entry.id)
        if payload is not None:
            entry.payload_digest = hashlib.sha256(payload.salt + canonical_json(payload.payload)).digest()
        parts = [
            entry.subject_type, str(entry.subject_id), entry.seq, entry.at.isoformat(), entry.action,
            entry.from_status, entry.to_status, entry.version,
            None if entry.actor_id is None else str(entry.actor_id), entry.payload_digest.hex(), previous.hex(),
        ]  # fmt: skip
        entry.previous_hash = previous
        entry.hash = previous = hashlib.sha256(canonical_json(parts)).digest()
        session.flush()


def rewrite_payload(session: Session, subject: UUID) -> None:
    """Somebody else did it, and all hashes fit."""
    payload = session.get_one(HistoryPayload, rows_of(session, subject)[0].id)
    payload.payload = {**payload.payload, "actor": "somebody_else"}
    session.flush()
    chain_anew(session, subject)


def delete_rows(session: Session, ids: list[int]) -> None:
    """Rows of the history, with what they carried."""
    session.execute(delete(HistoryPayload).where(HistoryPayload.history_id.in_(ids)))
    session.execute(delete(HistoryEntry).where(HistoryEntry.id.in_(ids)))


def columns_of(session: Session, table: Table, record: UUID) -> Mapping[str, Any]:
    """A record as it stands in its table."""
    return session.execute(select(table).where(table.c.id == record)).one()._mapping


def turn_back(session: Session, table: Table, before: Mapping[str, Any]) -> None:
    """A record as it was before its last step, which has never been."""
    session.execute(update(table).where(table.c.id == before["id"]).values(**before))
    delete_rows(session, [rows_of(session, before["id"])[-1].id])
    after = InspectionVersion.version >= before.get("version", 0)
    session.execute(delete(InspectionVersion).where(InspectionVersion.inspection_id == before["id"], after))


def delete_record(session: Session, record: UUID) -> None:
    """An inspection that has never been."""
    delete_rows(session, [row.id for row in rows_of(session, record)])
    session.execute(delete(Inspection).where(Inspection.id == record))


def delete_payload(session: Session, subject: UUID) -> None:
    """What a step carried is gone, without a reason."""
    session.execute(delete(HistoryPayload).where(HistoryPayload.history_id == rows_of(session, subject)[0].id))


def set_user(session: Session, username: str, **values: Any) -> None:
    """A user changed in the table."""
    session.execute(update(User).where(User.username == username).values(**values))


def empty_sign_ins(session: Session) -> None:
    """Nobody has ever signed in."""
    session.execute(delete(SignIn))
