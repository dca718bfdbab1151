"""Photos (照片) and signatures (签名) of field records: uploaded before, claimed by the record that names them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from assets import operations
from assets.file_types import Category, categories
from assets.operations import Claim, Subject
from core.actor import Actor
from core.errors import Fault

ALLOWED = categories(
    Category("photos", "照片", frozenset({"photo"}), max_count=9),
    Category("signatures", "签名", frozenset({"signature"}), max_count=9),
)


def is_named(body: Mapping[str, Any]) -> bool:
    """Whether a body says anything about files."""
    return any(body.get(category) not in (None, []) for category in ALLOWED)


def claim(
    session: Session, actor: Actor, subject: Subject, body: Mapping[str, Any], data: dict[str, Any]
) -> list[Fault]:
    """Claim the files that a body names, and put their ids into the record's data; the faults.

    A later fault of the body rolls the claims back with everything else. A list that is empty or
    absent leaves no key, so that records without pictures cost nothing.
    """
    faults: list[Fault] = []
    wanted: list[Claim] = []
    for category in ALLOWED:
        sent = body.get(category)
        if sent is None or sent == []:
            continue
        if not isinstance(sent, list):
            faults.append(Fault(f"/{category}", "wrong_type", "照片或签名的格式不正确，请重新上传，或更新小程序后重试"))
            continue
        for place, value in enumerate(sent):
            file_id = _as_uuid(value)
            if file_id is None:
                faults.append(Fault(f"/{category}/{place}", "bad_file", "文件编号不正确，请重新上传"))
            else:
                wanted.append(Claim(category, file_id, f"/{category}/{place}"))
    if not faults and wanted:
        faults = operations.claim(session, actor, subject, wanted, ALLOWED)
    for category in ALLOWED:
        ids = [str(one.file_id) for one in wanted if one.category == category]
        if ids:
            data[category] = ids
    return faults


def release_dropped(session: Session, subject: Subject, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Let go of what a draft no longer names. What was submitted is never let go of: its version keeps naming it."""
    if set(_ids(old)) - set(_ids(new)):
        operations.release(session, subject, _ids(new))


def _ids(data: Mapping[str, Any]) -> list[UUID]:
    return [UUID(text) for category in ALLOWED for text in data.get(category, [])]


def _as_uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
