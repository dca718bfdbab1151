"""The first questions of every write: may the record be seen, was it submitted already, is the sender behind."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.actor import Actor
from core.errors import Problem, not_found
from core.versions import sent_version, stale
from inspection.models import Inspection
from inspection.workflows import DELETED, SUBMITTED


def find(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection | None:
    """The record if it is there; 404 if the actor may not see it.

    A draft is seen by the user name that saved it, a submitted record by whoever's office covers it.
    """
    record = session.get(Inspection, record_id, populate_existing=True)
    if record is None:
        return None
    if record.status == SUBMITTED:
        visible = actor.reach.covers(record.area1, record.area2, record.area3)
    else:
        visible = record.created_by == actor.user_id
    if record.book != book or not visible:
        raise not_found()
    return record


def find_living(session: Session, actor: Actor, book: str, record_id: UUID) -> Inspection:
    """The record; 404 also when it is not there or was deleted."""
    record = find(session, actor, book, record_id)
    if record is None or record.status == DELETED:
        raise not_found()
    return record


def refuse_submitted(record: Inspection) -> None:
    """409 `already_submitted`."""
    if record.status == SUBMITTED:
        raise Problem("already_submitted", current_version=record.version)


def refuse_stale(record: Inspection, body: Mapping[str, Any]) -> None:
    """409 `stale_version` unless the body names the version that the record has."""
    version = sent_version(body)
    if version != record.version:
        raise stale(record.version, version)
