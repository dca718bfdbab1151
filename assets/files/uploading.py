"""An upload (上传), from the bytes that have arrived to the answer: repetition, content, storage, row."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import String, Table, bindparam, func, select, update

from accounts.models import User
from assets.files import file_names
from assets.files.documents import documents
from assets.files.file_types import PICTURE, FileType
from assets.files.models import File
from assets.files.pictures import pictures
from assets.files.purposes import readable_size
from assets.files.storage import Storage, StorageUnavailable, new_key, unavailable
from assets.files.uploads import Uploads
from core import clock
from core.actor import Actor
from core.clock import TimeLimit
from core.database.prepared import Prepared
from core.db import Database, insert_into
from core.errors import Problem, invalid
from core.gateways.clamd import Clamd, ScannerUnavailable
from core.privacy import in_row

log = structlog.get_logger()

SECONDS = 18.0
"""What checking, scanning and storing a file may take in all; an upload may have waited two before, for its turn
(`file_places.py`)."""
UNCLAIMED_QUOTA = 500 * 1024 * 1024
"""Bytes that one user may have uploaded without a record that claims them."""
_RENEW_AFTER = timedelta(hours=1)
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies on disk at `source`, and what was said about it; `file_id` if the phone made the id."""

    source: Path
    filename: str
    purpose: str
    file_id: UUID | None = None


def upload(database: Database, uploads: Uploads, actor: Actor, sent: Upload) -> tuple[File, bool]:
    """Check a file, store it, and say whether it is new.

    The id that was sent is the file's id: the same id with the same bytes gives the file that is there, under
    another id they are another file. Sent without an id, the same bytes under the same name again are the same
    file while nobody claims it. The bytes are stored before the row, so that a row always has its bytes; what is
    left without a row is swept. Raises 409 `id_taken`, 413, 422, 503.
    """
    purpose = uploads.purposes.get(sent.purpose)
    size, digest = _measure(sent.source)
    if size == 0:
        raise invalid("/file", "empty_file", "文件是空的，请检查后重新上传")
    if size > purpose.max_bytes:
        raise Problem("payload_too_large", f"{purpose.label}不能超过 {readable_size(purpose.max_bytes)}")
    name, named = file_names.read(sent.filename, purpose)
    identity = _Identity(actor.user_id, purpose.code, name, digest, sent.file_id)
    repeated = _find_repeated(database, identity, size)
    if repeated is not None:
        return repeated, False
    deadline = TimeLimit(SECONDS)
    kind = documents.recognise(sent.source, named, purpose, deadline)
    identity = replace(identity, name=file_names.with_extension(name, kind))
    _scan(uploads.scanner, sent.source, deadline)
    as_sent = {"size": size, "sha256": digest}
    with _content_to_store(uploads.incoming, sent.source, kind, as_sent, deadline) as (content, facts):
        values = _row(identity, facts)
        is_new = _store(database, uploads.storage, values, content, deadline)
    if is_new:
        return File(**values), True
    # The same upload was stored by another request at this moment.
    repeated = _find_repeated(database, identity, 0)
    if repeated is None:
        raise Problem("not_ready", retry_after=1)
    return repeated, False


@dataclass(frozen=True, slots=True)
class _Identity:
    """By what a repeated upload is recognised: `file_id` if one was sent, otherwise all other fields together."""

    user_id: UUID
    purpose: str
    name: str
    sent_sha256: str
    file_id: UUID | None


def _measure(source: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


_FILES = cast(Table, File.__table__)
_BY_ID = Prepared(select(_FILES.c.id).where(_FILES.c.id == bindparam("file_id")))
_BY_CONTENT = Prepared(
    select(_FILES.c.id)
    .where(
        _FILES.c.uploaded_by == bindparam("user_id"), _FILES.c.sent_sha256 == bindparam("sent"),
        _FILES.c.purpose == bindparam("purpose"),
        # The first upload may have been given the extension of what it is.
        _FILES.c.original_name.in_([bindparam("name"), bindparam("stem", type_=String).concat(_FILES.c.extension)]),
        ~_FILES.c.id_was_sent, _FILES.c.unclaimed_since.is_not(None),
    )
    .order_by(_FILES.c.unclaimed_since.desc())
    .limit(1)
)  # fmt: skip
_UNCLAIMED_BYTES = Prepared(
    select(func.coalesce(func.sum(_FILES.c.size), 0).label("bytes")).where(
        _FILES.c.uploaded_by == bindparam("user_id"), _FILES.c.unclaimed_since.is_not(None)
    )
)
_ONE_BY_ONE = Prepared(select(User.id).where(User.id == bindparam("user_id")).with_for_update(key_share=True))
_INSERT = Prepared(lambda dialect, _names: insert_into(dialect, _FILES).on_conflict_do_nothing().returning(_FILES.c.id))


def _find_repeated(database: Database, identity: _Identity, size: int) -> File | None:
    """The file that this upload repeats; raises 409 when its id stands for something else.

    None for a new one, for which there must be room: raises 422 `upload_quota`, before it is checked and stored. What
    came at the same moment is counted when the row is written (`_store`).
    """
    with database.look() as look:
        if identity.file_id is not None:
            there = _BY_ID.first(look, {"file_id": identity.file_id})
        else:
            wanted = {
                "user_id": identity.user_id, "sent": identity.sent_sha256, "purpose": identity.purpose,
                "name": identity.name, "stem": identity.name.rpartition(".")[0],
            }  # fmt: skip
            there = _BY_CONTENT.first(look, wanted)
        if there is None:
            if _UNCLAIMED_BYTES.first(look, {"user_id": identity.user_id}).bytes + size > UNCLAIMED_QUOTA:
                raise Problem("upload_quota")
            return None
    with database.read() as session:
        found = session.get(File, there.id)
    if found is None:  # swept at this moment
        return None
    there_already = (found.uploaded_by, found.purpose, found.sent_sha256)
    if there_already != (identity.user_id, identity.purpose, identity.sent_sha256):
        raise Problem("id_taken")
    return _renew(database, found)


def _renew(database: Database, file: File) -> File | None:
    """The file, which a sweep must not take before the record is saved for which it was uploaded again."""
    if file.unclaimed_since is None or clock.now() - file.unclaimed_since < _RENEW_AFTER:
        return file
    renewed = update(File).where(File.id == file.id, File.unclaimed_since.is_not(None))
    with database.write() as session:
        session.execute(renewed.values(unclaimed_since=clock.now()))
        return session.get(File, file.id)


def _scan(scanner: Clamd | None, source: Path, deadline: TimeLimit) -> None:
    if scanner is None:
        return
    try:
        with source.open("rb") as file:
            found = scanner.scan(file, deadline.left())
    except ScannerUnavailable as error:
        log.error("scanner_unavailable", error=str(error))
        raise Problem("scanner_unavailable", retry_after=30) from error
    if found is not None:
        log.warning("infected_file", found=found)
        raise invalid("/file", "infected", "文件含有病毒，请杀毒后重新上传")


@contextmanager
def _content_to_store(
    incoming: Path, source: Path, kind: FileType, as_sent: Mapping[str, Any], deadline: TimeLimit
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What is stored, and the columns that follow from it: a picture is encoded anew, other files stay as they came.

    `as_sent`: size in bytes and digest of the file as it came.
    """
    facts = {"extension": kind.extension, "media_type": kind.media_type, **as_sent}
    if kind.shape != PICTURE:
        yield source, facts
        return
    target = incoming / f"picture-{uuid.uuid4().hex}"
    try:
        picture = pictures.prepare(source, kind, target, deadline)
        yield target, {
            **facts, "size": target.stat().st_size, "sha256": picture.sha256,
            "width": picture.width, "height": picture.height,
            "taken_at": picture.taken_at, "latitude": picture.latitude, "longitude": picture.longitude,
        }  # fmt: skip
    finally:
        target.unlink(missing_ok=True)  # the storage may have moved it away


def _row(identity: _Identity, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a file that nobody has claimed yet; `facts`: those that follow from its content."""
    now = clock.now()
    return {
        "id": identity.file_id or uuid.uuid4(), "id_was_sent": identity.file_id is not None,
        "purpose": identity.purpose, "original_name": identity.name,
        "sent_sha256": identity.sent_sha256, "stored_key": new_key(), "thumbnail_key": None,
        "uploaded_by": identity.user_id, "uploaded_at": now, "unclaimed_since": now, **facts,
    }  # fmt: skip


def _store(database: Database, storage: Storage, values: dict[str, Any], content: Path, deadline: TimeLimit) -> bool:
    """Store the bytes, then the row; False, and nothing stays stored, when the row is there already.

    The user's row is held meanwhile, so that uploads of one moment do not pass the quota together.
    """
    key, stored, created = values["stored_key"], False, None
    try:
        storage.put(key, content, deadline.left())
        stored = True
        with database.write() as session:
            _ONE_BY_ONE.first(session, {"user_id": values["uploaded_by"]})
            written = _INSERT.first(session, in_row(File, values))
            if written and _UNCLAIMED_BYTES.first(session, {"user_id": values["uploaded_by"]}).bytes > UNCLAIMED_QUOTA:
                raise Problem("upload_quota")
        created = written
    except StorageUnavailable as error:
        raise unavailable(error) from error
    finally:
        if stored and created is None:  # what could not be stored is not deleted: that would only wait again
            storage.discard([key])
    return created is not None
