"""Thumbnails (缩略图): made on the first request and kept in the storage.

They are not made at upload, because most photos are never shown again. `files.thumbnail_key` is the key of the
thumbnail, and the sweep deletes it together with the picture.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, update
from sqlalchemy.exc import DBAPIError

from assets.files.file_types import FILE_TYPES, PICTURE
from assets.files.models import File
from assets.files.pictures import pictures
from assets.files.pictures.pictures import Unreadable
from assets.files.storage import StorageUnavailable, new_key, unavailable
from assets.files.uploads import Uploads
from core.clock import TimeLimit
from core.database.disk import SHARED_MEMORY, is_full
from core.db import Database
from core.errors import Problem, disk_full, not_found

log = structlog.get_logger()

SECONDS = 18.0
"""Seconds that a thumbnail may take in all, as many as an upload."""
PATIENCE = 10.0
"""Seconds that a caller waits while another one makes the same thumbnail."""
_turns = threading.Condition()
_being_made: set[UUID] = set()


def get_or_make_key(database: Database, uploads: Uploads, file: File) -> str:
    """The key of a picture's thumbnail, which is made now if there is none. No transaction is open meanwhile.

    The caller has checked permission to read the file. Raises 404 when it is no picture or was deleted, 409
    `preview_failed`, 503.
    """
    if FILE_TYPES[file.extension].shape != PICTURE:
        raise not_found()
    if file.thumbnail_key is not None:
        return file.thumbnail_key
    deadline = TimeLimit(SECONDS)
    with _one_at_a_time(file.id):
        found = _stored(database, file.id)
        if found.thumbnail_key is not None:  # another thread made it meanwhile
            return found.thumbnail_key
        return _made(database, uploads, found, deadline)


def make_without_saving(uploads: Uploads, file: File) -> bytes:
    """Make a thumbnail in shared memory without keeping it, so that it is shown even while the disk is full.

    Raises 409 `preview_failed`, 503.
    """
    try:
        with TemporaryDirectory(dir=SHARED_MEMORY, prefix="gongpin-thumbnail-") as name:
            return _make(uploads, file, Path(name), TimeLimit(SECONDS)).read_bytes()
    except (StorageUnavailable, OSError) as error:
        raise unavailable(error) from error


@contextmanager
def _one_at_a_time(file_id: UUID) -> Iterator[None]:
    """Let one thread at a time make the thumbnail of a file; raises 503 when the wait is too long."""
    with _turns:
        if not _turns.wait_for(lambda: file_id not in _being_made, PATIENCE):
            raise Problem("not_ready", retry_after=1)
        _being_made.add(file_id)
    try:
        yield
    finally:
        with _turns:
            _being_made.discard(file_id)
            _turns.notify_all()


def _stored(database: Database, file_id: UUID) -> File:
    with database.read() as session:
        file = session.get(File, file_id)
    if file is None:
        raise not_found()
    return file


def _made(database: Database, uploads: Uploads, file: File, deadline: TimeLimit) -> str:
    key, noted = new_key(), False
    try:
        with TemporaryDirectory(dir=uploads.incoming, prefix="thumbnail-") as name:
            uploads.storage.put(key, _make(uploads, file, Path(name), deadline), deadline.left())
        noted = _note(database, file.id, key)
    except (StorageUnavailable, OSError) as error:
        raise unavailable(error) from error
    except DBAPIError as error:
        if is_full(error):
            raise disk_full() from error
        raise
    finally:
        if not noted:
            uploads.storage.discard([key])
    if noted:
        return key
    # The file was swept meanwhile, or another process was faster.
    other = _stored(database, file.id).thumbnail_key
    if other is None:
        raise Problem("not_ready", retry_after=1)
    return other


def _make(uploads: Uploads, file: File, folder: Path, deadline: TimeLimit) -> Path:
    source, target = folder / "picture", folder / "thumbnail"
    _, chunks = uploads.storage.chunks(file.stored_key)
    with source.open("wb") as copy:
        for chunk in chunks:
            copy.write(chunk)
    try:
        pictures.make_thumbnail(source, target, deadline)
    except Unreadable as error:
        log.error("thumbnail_failed", file_id=str(file.id), error=str(error))
        raise Problem("preview_failed") from error
    return target


def _note(database: Database, file_id: UUID, key: str) -> bool:
    """Record the key unless the file has a thumbnail already; whether it was recorded."""
    with database.write() as session:
        noted = session.execute(
            update(File)
            .where(File.id == file_id, File.thumbnail_key.is_(None))
            .values(thumbnail_key=key)
            .execution_options(synchronize_session=False)
        )
    return cast("CursorResult[object]", noted).rowcount == 1
