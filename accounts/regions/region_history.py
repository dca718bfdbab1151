"""The table of regions (行政区划) in the history: which county lies below which city, nobody changes unnoticed.

Offices have histories of their own (`accounts/office_history.py`); the regions are noted as a whole, by one digest at
each load and reorganisation that changed any.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from accounts.models import Region
from core.db import Database
from core.models import HistoryEntry
from core.workflows import digests, history
from core.workflows.history import Broken, Move

SUBJECT, WHOLE = "regions", UUID("7e1f0c2a-5b1d-4c53-9a53-5d7b6f0a3204")
LOAD, WITNESS = "load", "witness"
_DIGEST = "regions"
_TABLE = cast(Table, Region.__table__)


@contextmanager
def changing(session: Session, action: str, payload: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Note the regions after some were changed, or where they were not noted yet (releases up to 0.3)."""
    before, recorded = _rows(session), history.last_payload(session, WHOLE).get(_DIGEST)
    yield
    session.flush()
    after = _rows(session)
    if after == before and recorded is not None:
        return
    found = [] if recorded is None or _fits(recorded, before) else [_DIGEST]
    key_id, digest = digests.digest_of(_DIGEST, after)
    noted = {**(payload or {}), **history.marked(found), _DIGEST: f"{key_id}:{digest.hex()}"}
    last = _last(session)
    version = 1 if last is None else last.seq + 1
    came_from = None if last is None else "loaded"
    history.append(session, Move(SUBJECT, WHOLE, action, came_from, "loaded", version, None, noted), first=last is None)


def witness_former(database: Database) -> None:
    """Note the regions of a release up to 0.3, for the founding of the seals: they are taken for right."""
    with database.write() as session, changing(session, WITNESS):
        pass


def verify(session: Session) -> Iterator[Broken]:
    """Whether the regions are what the last step noted."""
    last = _last(session)
    recorded = history.last_payload(session, WHOLE).get(_DIGEST)
    if last is not None and recorded is not None and not _fits(recorded, _rows(session)):
        yield Broken(SUBJECT, WHOLE, last.seq, "the regions were changed")


def _rows(session: Session) -> list[list[Any]]:
    return [list(row) for row in session.execute(select(*_TABLE.c).order_by(_TABLE.c.code))]


def _fits(recorded: str, rows: list[list[Any]]) -> bool:
    key_id, _, digest = recorded.partition(":")
    return digests.fits(_DIGEST, rows, key_id, bytes.fromhex(digest))


def _last(session: Session) -> HistoryEntry | None:
    of_regions = select(HistoryEntry).where(HistoryEntry.subject_id == WHOLE)
    return session.scalar(of_regions.order_by(HistoryEntry.seq.desc()).limit(1))
