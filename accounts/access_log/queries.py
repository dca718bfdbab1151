"""What is read of the access log (查阅日志), already limited to what the caller may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from accounts.access_log.models import AccessEntry, AccessSubject
from accounts.access_log.recording import MOST_IDS
from accounts.models import Office, Region, User
from core import clock
from core.actor import Actor
from core.database.paging import Page, PageRequest, fetch, newest_first

NEWEST = newest_first("access log", AccessEntry.at, AccessEntry.id)
SHOWN_IDS = 100
"""Ids that the list shows of one entry."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list, combined with AND; `since` is included, `until` is not."""

    username: str | None = None
    subject_type: str | None = None
    subject_id: UUID | None = None
    operation: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def entries(session: Session, actor: Actor, filters: Filters, request: PageRequest) -> Page:
    """What users of offices within the actor's scope read, newest first; rows for `entry_answer`."""
    return fetch(session, select(AccessEntry), NEWEST, request, *_within(actor), *conditions(filters))


def _within(actor: Actor) -> list[ColumnElement[bool]]:
    """The own office and those of the covered regions, as `accounts.queries.users` lists their people."""
    if actor.scope.national:
        return []
    covered = select(Office.id).join(Region, Region.code == Office.region_code).where(actor.scope.condition(Region))
    return [AccessEntry.office_id.in_(covered)]


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as conditions over `AccessEntry`."""
    found: list[ColumnElement[bool]] = []
    if filters.subject_id is not None:
        found.append(about([filters.subject_id]))
    if filters.subject_type is not None:
        found.append(AccessEntry.subject_type == filters.subject_type)
    if filters.operation is not None:
        found.append(AccessEntry.operation == filters.operation)
    if filters.username is not None:
        named = select(User.id).where(func.lower(User.username) == filters.username.lower())
        found.append(AccessEntry.user_id.in_(named))
    if filters.since is not None:
        found.append(AccessEntry.at >= filters.since)
    if filters.until is not None:
        found.append(AccessEntry.at < filters.until)
    return found


def about(subjects: list[UUID]) -> ColumnElement[bool]:
    """Condition: the entry notes one of these records."""
    return AccessEntry.id.in_(select(AccessSubject.entry_id).where(AccessSubject.subject_id.in_(subjects)))


def subjects_of(session: Session, ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """The ids of records that entries note, by entry; at most `SHOWN_IDS` of each."""
    found: dict[UUID, list[UUID]] = {}
    for one in ids:
        chosen = select(AccessSubject.subject_id).where(AccessSubject.entry_id == one)
        found[one] = list(session.scalars(chosen.order_by(AccessSubject.subject_id).limit(SHOWN_IDS)))
    return found


def entry_answer(entry: AccessEntry, subjects: list[UUID]) -> dict[str, Any]:
    """An entry as the HTTP contract writes it."""
    return {
        "id": str(entry.id),
        "at": clock.rfc3339(entry.at),
        "username": entry.username,
        "operator_name": entry.operator_name,
        "office": {"id": str(entry.office_id), "name": entry.office_name},
        "address": entry.address,
        "operation": entry.operation,
        "subject_type": entry.subject_type,
        "subjects": [str(one) for one in subjects],
        "noted": entry.noted,
        "rows": entry.rows,
        "asked": orjson.loads(entry.asked) if entry.asked else {},
    }


@dataclass(frozen=True, slots=True)
class ReadBy:
    """An entry that notes some of the records that were asked about, with these."""

    entry: AccessEntry
    subjects: tuple[UUID, ...]


def of_records(session: Session, subjects: Iterable[UUID], filters: Filters) -> list[ReadBy]:
    """All entries of any office that note one of these records, oldest first; for the administrator."""
    found: dict[UUID, list[UUID]] = {}
    wanted = sorted(set(subjects))
    for start in range(0, len(wanted), _CHUNK):
        some = AccessSubject.subject_id.in_(wanted[start : start + _CHUNK])
        for row in session.execute(select(AccessSubject.entry_id, AccessSubject.subject_id).where(some)):
            found.setdefault(row.entry_id, []).append(row.subject_id)
    read_by: list[ReadBy] = []
    ids = list(found)
    for start in range(0, len(ids), _CHUNK):
        chosen = select(AccessEntry).where(AccessEntry.id.in_(ids[start : start + _CHUNK]), *conditions(filters))
        read_by += [ReadBy(entry, tuple(found[entry.id])) for entry in session.scalars(chosen)]
    return sorted(read_by, key=lambda one: (one.entry.at, one.entry.id))


def not_wholly_noted(session: Session, subject_types: Iterable[str], filters: Filters) -> list[AccessEntry]:
    """Exports of such records that held more than was noted, or were broken off, oldest first: they may hold others."""
    chosen = select(AccessEntry).where(
        AccessEntry.subject_type.in_(list(subject_types)),
        AccessEntry.rows.is_(None) | (AccessEntry.rows > AccessEntry.noted),
        AccessEntry.noted >= MOST_IDS,
        *conditions(filters),
    )
    return list(session.scalars(chosen.order_by(AccessEntry.at, AccessEntry.id).limit(MOST_SHOWN)))


_CHUNK = 500
MOST_SHOWN = 1000
"""Exports that held more than was noted, of which at most so many are named."""
