"""Writing, publishing and withdrawing notices (通知公告): by the officers of a system, at the office that wrote them.

What is published is not edited: it is withdrawn, with the reason, edited, and published again, each a row of history.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets.files.claiming import Claim, claim, release
from assets.files.purposes import Category, FilePurpose, categories
from core import clock
from core.actor import Actor
from core.errors import Problem, not_found
from core.text import clean, clean_line, demanded, fold_to_fit
from core.workflows import idempotency
from core.workflows.versions import refuse_stale
from enterprise.notices.declarations import NoticeSystems
from enterprise.notices.models import Notice
from enterprise.notices.workflows import EDITABLE, NOTICE

FILE = FilePurpose("notice_file", "公告附件", (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".jpg", ".jpeg", ".png"))
MOST_FILES = 10
_FILES = categories(Category("file", "附件", frozenset({FILE}), max_count=MOST_FILES))


def get_own(session: Session, systems: NoticeSystems, actor: Actor, notice_id: UUID) -> Notice:
    """A notice of the actor's office, whose system the actor works for.

    404 for others that the public does not see, 403 for published ones of another office or system.
    """
    notice = session.get(Notice, notice_id, populate_existing=True)
    if notice is None:
        raise not_found()
    system = systems.get(notice.system)
    if notice.office_id in actor.offices and system is not None and system.verb in actor.verbs:
        return notice
    raise Problem("forbidden") if notice.status == "published" else not_found()


def save(
    session: Session, systems: NoticeSystems, actor: Actor, notice_id: UUID, body: Mapping[str, Any]
) -> tuple[Notice, bool]:
    """Write a notice, or change one that is not published; it and whether it is new."""
    there = session.get(Notice, notice_id, populate_existing=True)
    if there is not None:
        get_own(session, systems, actor, notice_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, "notices.save", notice_id, body)):
        return get_own(session, systems, actor, notice_id), False
    system = systems.writable(body["system"], actor.verbs)
    if there is not None:
        refuse_stale(there.version, body)
        if there.status not in EDITABLE:
            raise Problem("wrong_status", "公告已发布，请先撤回再修改", current_status=there.status)
    title = demanded(clean_line(body["title"]), "/title", "请填写公告标题")
    words = demanded(clean(body["text"]), "/text", "请填写公告内容")
    now, files = clock.now(), [UUID(str(one)) for one in body.get("files") or []]
    values: dict[str, Any] = {
        "system": system.code, "title": title, "folded_title": fold_to_fit(title, 200), "text": words,
        "files": [{"category": "file", "file_id": str(one)} for one in files], "updated_at": now,
    }  # fmt: skip
    if there is None:
        fresh = {"id": notice_id, "office_id": actor.office_id, "created_at": now, "published_at": None, **values}
        if not NOTICE.enter(session, actor, "write", fresh, {"title": title}):
            raise Problem("id_taken")
    else:
        NOTICE.move(session, actor, there, "edit", values, {"title": title})
    _claim_files(session, actor, notice_id, files)
    return get_own(session, systems, actor, notice_id), there is None


def _claim_files(session: Session, actor: Actor, notice_id: UUID, files: Sequence[UUID]) -> None:
    wanted = [Claim("file", one, f"/files/{place}") for place, one in enumerate(files)]
    faults = claim(session, actor.user_id, ("notice", notice_id), wanted, _FILES)
    if faults:
        raise Problem("invalid", errors=faults)
    release(session, ("notice", notice_id), set(files))


def act(
    session: Session, systems: NoticeSystems, actor: Actor, notice_id: UUID, action: str, body: Mapping[str, Any]
) -> Notice:
    """Publish a notice, or withdraw it with a reason. Raises 409 `wrong_status` and `stale_version`."""
    notice = get_own(session, systems, actor, notice_id)
    if not idempotency.claim(session, idempotency.key(actor.user_id, f"notices.{action}", notice_id, body)):
        return get_own(session, systems, actor, notice_id)
    NOTICE.step(action, notice.status, actor)
    refuse_stale(notice.version, body)
    now = clock.now()
    values: dict[str, Any] = {"updated_at": now}
    payload: dict[str, Any] = {}
    if action == "publish":
        values["published_at"] = now
    else:
        payload["reason"] = demanded(clean(body.get("reason") or "") or None, "/reason", "请填写撤回原因")
    NOTICE.move(session, actor, notice, action, values, payload)
    return get_own(session, systems, actor, notice_id)
