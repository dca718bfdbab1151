"""Claiming files (附件) for a record when it is saved, and letting go of those that it no longer names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from assets.files.models import File
from assets.files.purposes import Category, readable_size
from core import clock
from core.database.prepared import Prepared
from core.db import UTCDateTime
from core.errors import Fault

Subject = tuple[str, UUID]
"""The type and id of the record that claims."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that a record names; `path` is where the id stands in the body, for faults."""

    category: str
    file_id: UUID
    path: str


def claim(
    session: Session, user_id: UUID, subject: Subject, claims: Sequence[Claim], allowed: Mapping[str, Category]
) -> list[Fault]:
    """Claim files for a record, within the transaction that saves it; the faults, none when all are its own now.

    A record may claim the user's own unclaimed files, and keep what it claims already (a file may
    move to another category). With a fault nothing is claimed. Of two records that claim a file
    at once one gets it.
    """
    files = _claimable(session, {one.file_id for one in claims})
    faults = _count_faults(claims, allowed)
    seen: set[UUID] = set()
    for one in claims:
        fault = _fault(files.get(one.file_id), user_id, subject, one, allowed, repeated=one.file_id in seen)
        seen.add(one.file_id)
        if fault is not None:
            faults.append(fault)
    if faults:
        return faults
    # In one order everywhere, so that two records that claim the same files do not wait for each other.
    for one in sorted(claims, key=lambda one: one.file_id):
        file = files[one.file_id]
        if (file.claimed_type, file.claimed_id, file.category) == (*subject, one.category):
            continue
        if not _claim_one(session, user_id, subject, one):
            faults.append(_claimed_by_another(one))
    return faults


_FILES = cast(Table, File.__table__)
_ONE_BY_ONE = 20
"""Up to so many files are looked up each by itself, which costs less than to compile a list into a statement."""
_COLUMNS = select(
    *(_FILES.c[name] for name in (
        "id", "uploaded_by", "claimed_type", "claimed_id", "unclaimed_since", "category", "original_name", "purpose",
        "extension", "size",
    ))
)  # fmt: skip
_BY_ID = Prepared(_COLUMNS.where(_FILES.c.id == bindparam("file_id")))
_CLAIM = Prepared(
    update(_FILES)
    .where(
        _FILES.c.id == bindparam("file_id"),
        (_FILES.c.unclaimed_since.is_not(None) & (_FILES.c.uploaded_by == bindparam("user_id")))
        | ((_FILES.c.claimed_type == bindparam("own_type")) & (_FILES.c.claimed_id == bindparam("own_id"))),
    )
    .values(
        claimed_type=bindparam("own_type"), claimed_id=bindparam("own_id"), category=bindparam("wanted_category"),
        claimed_at=func.coalesce(_FILES.c.claimed_at, bindparam("now", type_=UTCDateTime())), unclaimed_since=None,
    )
    .returning(_FILES.c.id)
)  # fmt: skip


def _claimable(session: Session, ids: set[UUID]) -> dict[UUID, Any]:
    rows: Iterable[Any]
    if len(ids) > _ONE_BY_ONE:
        rows = session.execute(_COLUMNS.where(_FILES.c.id.in_(ids)))
    else:
        rows = (_BY_ID.first(session, {"file_id": file_id}) for file_id in ids)
    return {row.id: row for row in rows if row is not None}


def _claim_one(session: Session, user_id: UUID, subject: Subject, one: Claim) -> bool:
    subject_type, subject_id = subject
    values = {
        "file_id": one.file_id, "user_id": user_id, "own_type": subject_type, "own_id": subject_id,
        "wanted_category": one.category, "now": clock.now(),
    }  # fmt: skip
    return _CLAIM.first(session, values) is not None


def _count_faults(claims: Sequence[Claim], allowed: Mapping[str, Category]) -> list[Fault]:
    faults = []
    for category in allowed.values():
        places = [one.path for one in claims if one.category == category.code]
        if len(places) > category.max_count:
            message = f"{category.label}最多上传 {category.max_count} 个文件"
            faults.append(Fault(places[category.max_count], "too_many_files", message))
    return faults


def _fault(
    file: Any, user_id: UUID, subject: Subject, one: Claim, allowed: Mapping[str, Category], *, repeated: bool
) -> Fault | None:
    own = file is not None and (file.claimed_type, file.claimed_id) == subject
    if file is None or (not own and file.uploaded_by != user_id):
        # The same answer for what others have uploaded: nobody learns by it that the file exists.
        return Fault(one.path, "unknown_file", "文件不存在或已过期，请重新上传")
    if not own and file.unclaimed_since is None:
        return _claimed_by_another(one)
    if repeated:
        return Fault(one.path, "repeated_file", f"文件“{file.original_name}”重复，请删除重复的一项")
    category = allowed.get(one.category)
    if category is None:
        return Fault(one.path, "unknown_category", "没有这个材料类别，请重新选择")
    if not category.takes(file.purpose) or file.extension not in category.allowed:
        message = f"{category.label}目前支持 {'、'.join(category.allowed)}，请重新上传"
        return Fault(one.path, "wrong_file_type", message)
    if category.max_bytes is not None and file.size > category.max_bytes:
        limit = readable_size(category.max_bytes)
        return Fault(one.path, "file_too_large", f"{category.label}不能超过 {limit}，请压缩后重新上传")
    return None


def _claimed_by_another(one: Claim) -> Fault:
    return Fault(one.path, "file_claimed", "文件已用于其他记录，请重新上传")


def release(session: Session, subject: Subject, keep: Iterable[UUID]) -> None:
    """Let go of the files of a record that are not to be kept; the sweep removes them a day later.

    `keep` holds what the record refers to now and what any submitted version of it refers to:
    such files are never let go of.
    """
    subject_type, subject_id = subject
    kept = list(keep)
    session.execute(
        update(File)
        .where(File.claimed_id == subject_id, File.claimed_type == subject_type, File.id.not_in(kept))
        .values(claimed_type=None, claimed_id=None, category=None, unclaimed_since=clock.now())
        .execution_options(synchronize_session=False)
    )
