"""What the public reads of notices (published ones), and what an office reads of its own."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from accounts.models import Office
from assets.files.models import File
from core import clock
from core.actor import Actor
from core.database.name_search import like_pattern
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.errors import not_found
from enterprise.notices.declarations import NoticeSystems
from enterprise.notices.models import Notice

_PUBLISHED = Notice.status == "published"
_NEWEST_PUBLISHED = newest_first("notices", Notice.published_at, Notice.id)
_NEWEST_OWN = newest_first("own_notices", Notice.updated_at, Notice.id)


def published(session: Session, system: str | None, q: str | None, request: PageRequest) -> Page:
    """The published notices of a system, or of all, newest first; `q` is a fragment of the title."""
    conditions: list[ColumnElement[bool]] = [_PUBLISHED, Office.id == Notice.office_id]
    if system is not None:
        conditions.append(Notice.system == system)
    if q:
        conditions.append(Notice.folded_title.like(like_pattern(q), escape="\\"))
    return fetch(session, select(Notice, Office.name), _NEWEST_PUBLISHED, request, *conditions)


def get_published(session: Session, notice_id: UUID) -> tuple[Notice, str]:
    """A published notice and the name of its office; 404 for any other."""
    row = session.execute(
        select(Notice, Office.name)
        .join(Office, Office.id == Notice.office_id)
        .where(Notice.id == notice_id, _PUBLISHED)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise not_found()
    return row.Notice, row.name


def get_published_file(session: Session, notice_id: UUID, file_id: UUID) -> File:
    """A file of a published notice; 404 for any other."""
    get_published(session, notice_id)
    file = session.get(File, file_id, populate_existing=True)
    if file is None or (file.claimed_type, file.claimed_id) != ("notice", notice_id):
        raise not_found()
    return file


def own(session: Session, systems: NoticeSystems, actor: Actor, status: str | None, request: PageRequest) -> Page:
    """The notices of the actor's office, of the systems that the actor works for, in every status."""
    codes = [one.code for one in systems.writable_by(actor.verbs)]
    conditions: list[ColumnElement[bool]] = [
        Notice.office_id.in_(actor.offices), Notice.system.in_(codes), Office.id == Notice.office_id,
    ]  # fmt: skip
    if status is not None:
        conditions.append(Notice.status == status)
    return fetch(session, select(Notice, Office.name), _NEWEST_OWN, request, *conditions)


def may_read_notice(systems: NoticeSystems, session: Session, actor: Actor, notice_id: UUID) -> bool:
    """For the subject registry: everybody a published one, its office any."""
    notice = session.get(Notice, notice_id, populate_existing=True)
    if notice is None:
        return False
    system = systems.get(notice.system)
    of_office = notice.office_id in actor.offices and system is not None and system.verb in actor.verbs
    return of_office or notice.status == "published"


def row_answer(notice: Notice, office: str) -> dict[str, Any]:
    """A notice in a list."""
    return {
        "id": str(notice.id), "system": notice.system, "title": notice.title, "office": office,
        "published_at": notice.published_at and clock.rfc3339(notice.published_at), "files": len(notice.files),
    }  # fmt: skip


def answer(session: Session, notice: Notice, office: str) -> dict[str, Any]:
    """A notice, whole, with the names of its files."""
    ids = [UUID(one["file_id"]) for one in notice.files]
    files = {one.id: one for one in session.scalars(select(File).where(File.id.in_(ids)))}
    shown = [
        {"id": str(one), "name": files[one].original_name, "size": files[one].size, "media_type": files[one].media_type}
        for one in ids if one in files
    ]  # fmt: skip
    return {**row_answer(notice, office), "text": notice.text, "files": shown}


def own_answer(session: Session, notice: Notice, office: str) -> dict[str, Any]:
    """The same for its office, with what is needed to go on with it."""
    return {
        **answer(session, notice, office), "status": notice.status, "version": notice.version,
        "created_at": clock.rfc3339(notice.created_at), "updated_at": clock.rfc3339(notice.updated_at),
    }  # fmt: skip


def own_of(session: Session, notice: Notice) -> dict[str, Any]:
    """`own_answer` of one, its office looked up."""
    return own_answer(session, notice, session.get_one(Office, notice.office_id).name)
