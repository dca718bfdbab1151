"""What changes files: they are received first, claimed when a record is saved, and let go of when it drops them."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import String, Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from assets.files import file_names
from assets.files.documents import documents
from assets.files.documents.document_conversion import Converter
from assets.files.file_types import PICTURE, PURPOSES, Category, Purpose, readable_size
from assets.files.models import File
from assets.files.pictures import pictures
from assets.files.storage import Storage, StorageUnavailable, new_key, unavailable
from core import clock
from core.actor import Actor
from core.database.prepared import Prepared
from core.db import Database, UTCDateTime, insert_into
from core.deadline import Deadline
from core.errors import Fault, Problem, invalid
from core.gateways.clamd import Clamd, ScannerUnavailable

log = structlog.get_logger()

SECONDS = 18.0
"""What judging, scanning and storing a file may take in all; before, two go for a place (`file_places.py`)."""
UNCLAIMED_QUOTA = 500 * 1024 * 1024
"""Bytes that one user may have uploaded without a record that claims them."""
_RENEW_AFTER = timedelta(hours=1)
_CHUNK = 256 * 1024

Subject = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Desk:
    """What receiving and showing need besides the database; one per process. `incoming` is a folder on disk."""

    storage: Storage
    scanner: Clamd | None
    incoming: Path
    converter: Converter | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that a record wants; `path` is where the id stands in the body, for faults."""

    category: str
    file_id: UUID
    path: str


def receive(
    database: Database, desk: Desk, actor: Actor, source: Path, filename: str, purpose_code: str, file_id: UUID | None
) -> tuple[File, bool]:
    """Judge a file that lies on disk, store it, and say whether it is new.

    The id that was sent is the file's id: the same id with the same bytes gives the file that is there, under
    another id they are another file. Sent without an id, the same bytes under the same name again are the same
    file while nobody claims it. The bytes are stored before the row, so that a row always has its bytes; what is
    left without a row is swept. Raises 409 `id_taken`, 413, 422, 503.
    """
    purpose = _purpose(purpose_code)
    name = file_names.display_name(filename)
    named = file_names.file_type(name, purpose)
    size, sent = _measure(source)
    if size == 0:
        raise invalid("/file", "empty_file", "文件是空的，请检查后重新上传")
    if size > purpose.max_bytes:
        raise Problem("payload_too_large", f"{purpose.label}不能超过 {readable_size(purpose.max_bytes)}")
    known = _known(database, actor, purpose, sent, name, file_id, size)
    if known is not None:
        return known, False
    deadline = Deadline(SECONDS)
    kind = documents.recognise(source, named, purpose, deadline)
    name = file_names.with_extension(name, kind)
    with source.open("rb") as file:
        _scan(desk.scanner, file, deadline)
    row: dict[str, Any] = {
        "id": file_id or uuid.uuid4(), "id_was_sent": file_id is not None, "purpose": purpose.code,
        "original_name": name, "extension": kind.extension,
        "media_type": kind.media_type, "size": size, "sha256": sent, "sent_sha256": sent,
        "stored_key": new_key(), "thumbnail_key": None, "uploaded_by": actor.user_id,
    }  # fmt: skip
    if kind.shape != PICTURE:
        return _keep(database, desk, actor, purpose, row, source, deadline)
    picture = desk.incoming / f"picture-{uuid.uuid4().hex}"
    try:
        made = pictures.prepare(source, kind, picture, deadline)
        row |= {
            "size": picture.stat().st_size, "sha256": made.sha256, "width": made.width, "height": made.height,
            "taken_at": made.taken_at, "latitude": made.latitude, "longitude": made.longitude,
        }  # fmt: skip
        return _keep(database, desk, actor, purpose, row, picture, deadline)
    finally:
        picture.unlink(missing_ok=True)  # the storage may have taken it


def _purpose(code: str) -> Purpose:
    purpose = PURPOSES.get(code)
    if purpose is None:
        raise invalid("/purpose", "unknown_purpose", f"没有这个用途，可选：{'、'.join(PURPOSES)}")
    return purpose


def _measure(source: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _scan(scanner: Clamd | None, file: Any, deadline: Deadline) -> None:
    if scanner is None:
        return
    try:
        found = scanner.scan(file, deadline.left())
    except ScannerUnavailable as error:
        log.error("scanner_unavailable", error=str(error))
        raise Problem("scanner_unavailable", retry_after=30) from error
    if found is not None:
        log.warning("infected_file", found=found)
        raise invalid("/file", "infected", "文件含有病毒，请杀毒后重新上传")


_FILES = cast(Table, File.__table__)
_TAKEN = Prepared(select(_FILES.c.id).where(_FILES.c.id == bindparam("file_id")))
_AGAIN = Prepared(
    select(_FILES.c.id)
    .where(
        _FILES.c.uploaded_by == bindparam("user_id"), _FILES.c.sent_sha256 == bindparam("sent"),
        _FILES.c.purpose == bindparam("purpose"),
        # Its ending may have been mended when it came first.
        _FILES.c.original_name.in_([bindparam("name"), bindparam("stem", type_=String).concat(_FILES.c.extension)]),
        ~_FILES.c.id_was_sent, _FILES.c.unclaimed_since.is_not(None),
    )
    .order_by(_FILES.c.unclaimed_since.desc())
    .limit(1)
)  # fmt: skip
_PILED_UP = Prepared(
    select(func.coalesce(func.sum(_FILES.c.size), 0).label("bytes")).where(
        _FILES.c.uploaded_by == bindparam("user_id"), _FILES.c.unclaimed_since.is_not(None)
    )
)
_KEEP = Prepared(lambda dialect, _names: insert_into(dialect, _FILES).on_conflict_do_nothing().returning(_FILES.c.id))


def _known(
    database: Database, actor: Actor, purpose: Purpose, sent: str, name: str, file_id: UUID | None, size: int
) -> File | None:
    """The file that this upload repeats; raises 409 when its id stands for something else.

    None for a new one, for which there must be room: raises 422 `upload_quota`. Many uploads at one moment may go over
    by what is under way; the traffic limits bound that.
    """
    with database.look() as look:
        if file_id is not None:
            there = _TAKEN.first(look, {"file_id": file_id})
        else:
            wanted = {
                "user_id": actor.user_id, "sent": sent, "purpose": purpose.code, "name": name,
                "stem": name.rpartition(".")[0],
            }  # fmt: skip
            there = _AGAIN.first(look, wanted)
        if there is None:
            if _PILED_UP.first(look, {"user_id": actor.user_id}).bytes + size > UNCLAIMED_QUOTA:
                raise Problem("upload_quota")
            return None
    with database.read() as session:
        found = session.get(File, there.id)
    if found is None:  # swept at this moment
        return None
    if (found.uploaded_by, found.sent_sha256, found.purpose) != (actor.user_id, sent, purpose.code):
        raise Problem("id_taken")
    if found.unclaimed_since is None or clock.now() - found.unclaimed_since < _RENEW_AFTER:
        return found
    # It is wanted again: a sweep must not take it before the record is saved.
    renew = update(File).where(File.id == found.id, File.unclaimed_since.is_not(None))
    with database.write() as session:
        session.execute(renew.values(unclaimed_since=clock.now()))
        return session.get(File, found.id)


def _keep(
    database: Database,
    desk: Desk,
    actor: Actor,
    purpose: Purpose,
    row: dict[str, Any],
    content: Path,
    deadline: Deadline,
) -> tuple[File, bool]:
    now = clock.now()
    values = {**row, "uploaded_at": now, "unclaimed_since": now}
    created = None
    stored: list[str] = []
    try:
        desk.storage.put(row["stored_key"], content, deadline.left())
        stored.append(row["stored_key"])
        with database.write() as session:
            created = _KEEP.first(session, values)
    except StorageUnavailable as error:
        raise unavailable(error) from error
    finally:
        if created is None:
            discard(desk.storage, stored)  # not what failed: the storage would only be waited for again
    if created is not None:
        return File(**values), True
    # The same upload won at this very moment.
    sent_id = row["id"] if row["id_was_sent"] else None
    found = _known(database, actor, purpose, row["sent_sha256"], row["original_name"], sent_id, 0)
    if found is None:
        raise Problem("not_ready", retry_after=1)
    return found, False


def discard(storage: Storage, keys: Iterable[str]) -> None:
    """Delete objects that no row names; what cannot be deleted now is left to the sweep."""
    try:
        storage.delete(keys)
    except StorageUnavailable as error:
        log.warning("objects_left_for_the_sweep", error=str(error))


def claim(
    session: Session, actor: Actor, subject: Subject, wanted: Sequence[Claim], allowed: Mapping[str, Category]
) -> list[Fault]:
    """Claim files for a record, within the transaction that saves it; the faults, none when all are its own now.

    Taken are the actor's own unclaimed files, and whatever the same record claims already (it may
    move to another category). With a fault nothing is claimed. Of two records that claim a file
    at once one gets it.
    """
    files = _claimable(session, {claim.file_id for claim in wanted})
    faults = _count_faults(wanted, allowed)
    seen: set[UUID] = set()
    for claim_ in wanted:
        fault = _fault(files.get(claim_.file_id), actor, subject, claim_, allowed, repeated=claim_.file_id in seen)
        seen.add(claim_.file_id)
        if fault is not None:
            faults.append(fault)
    if faults:
        return faults
    # In one order everywhere, so that two records that want the same files do not wait for each other.
    for claim_ in sorted(wanted, key=lambda one: one.file_id):
        file = files[claim_.file_id]
        if (file.claimed_type, file.claimed_id, file.category) == (*subject, claim_.category):
            continue
        if not _take(session, actor, subject, claim_):
            faults.append(_claimed(claim_))
    return faults


_ONE_BY_ONE = 20
"""Files of a record that are looked up each by itself, which costs less than to compile a list into a statement."""
_ASKED = select(
    *(_FILES.c[name] for name in (
        "id", "uploaded_by", "claimed_type", "claimed_id", "unclaimed_since", "category", "original_name", "purpose",
        "extension", "size",
    ))
)  # fmt: skip
_CLAIMABLE = Prepared(_ASKED.where(_FILES.c.id == bindparam("file_id")))
_TAKE = Prepared(
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
        rows = session.execute(_ASKED.where(_FILES.c.id.in_(ids)))
    else:
        rows = (_CLAIMABLE.first(session, {"file_id": file_id}) for file_id in ids)
    return {row.id: row for row in rows if row is not None}


def _take(session: Session, actor: Actor, subject: Subject, claim_: Claim) -> bool:
    subject_type, subject_id = subject
    values = {
        "file_id": claim_.file_id, "user_id": actor.user_id, "own_type": subject_type, "own_id": subject_id,
        "wanted_category": claim_.category, "now": clock.now(),
    }  # fmt: skip
    return _TAKE.first(session, values) is not None


def _count_faults(wanted: Sequence[Claim], allowed: Mapping[str, Category]) -> list[Fault]:
    faults = []
    for category in allowed.values():
        places = [claim_.path for claim_ in wanted if claim_.category == category.code]
        if len(places) > category.max_count:
            message = f"{category.label}最多上传 {category.max_count} 个文件"
            faults.append(Fault(places[category.max_count], "too_many_files", message))
    return faults


def _fault(
    file: Any,
    actor: Actor,
    subject: Subject,
    claim_: Claim,
    allowed: Mapping[str, Category],
    *,
    repeated: bool,
) -> Fault | None:
    own = file is not None and (file.claimed_type, file.claimed_id) == subject
    if file is None or (not own and file.uploaded_by != actor.user_id):
        # What others have uploaded is not told apart from what is not there.
        return Fault(claim_.path, "unknown_file", "文件不存在或已过期，请重新上传")
    if not own and file.unclaimed_since is None:
        return _claimed(claim_)
    if repeated:
        return Fault(claim_.path, "repeated_file", f"文件“{file.original_name}”重复，请删除重复的一项")
    category = allowed.get(claim_.category)
    if category is None:
        return Fault(claim_.path, "unknown_category", "没有这个材料类别，请重新选择")
    if file.purpose not in category.purposes or file.extension not in category.allowed:
        return Fault(
            claim_.path, "wrong_file_type", f"{category.label}目前支持 {'、'.join(category.allowed)}，请重新上传"
        )
    if category.max_bytes is not None and file.size > category.max_bytes:
        limit = readable_size(category.max_bytes)
        return Fault(claim_.path, "file_too_large", f"{category.label}不能超过 {limit}，请压缩后重新上传")
    return None


def _claimed(claim_: Claim) -> Fault:
    return Fault(claim_.path, "file_claimed", "文件已用于其他记录，请重新上传")


def release(session: Session, subject: Subject, keep: Iterable[UUID]) -> None:
    """Let go of the files of a record that are not to be kept; the sweep takes them a day later.

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
