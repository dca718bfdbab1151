"""Previews (预览): a form of a file that a browser or a phone shows without another program.

PDF and pictures are shown as they are. An Office document is converted to PDF once, and the PDF is kept in the
storage like a thumbnail; `files.preview_key` is its key, and the sweep deletes it together with the file.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, update

from assets.files.documents.document_conversion import FILTERS, ConversionFailed, Converter
from assets.files.file_types import FILE_TYPES, PDF, PICTURE
from assets.files.models import File
from assets.files.storage import StorageUnavailable, new_key, unavailable
from assets.files.uploads import Uploads
from core import clock
from core.db import Database
from core.errors import Problem, not_found

log = structlog.get_logger()

TRIED_AGAIN_AFTER = timedelta(days=1)
"""A failed conversion is not tried again before: the document may be broken, or the server was short of memory."""

ROOM = 64 * 1024 * 1024
"""Bytes that must be free on the disk: the converter does not report a full disk, so the document would be recorded as
broken."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown: the key of an object in the storage, its media type, and a file name."""

    stored_key: str
    media_type: str
    name: str


def get_preview(uploads: Uploads, file: File) -> Preview | None:
    """The preview, or None when it must be made first. Raises 409 `no_preview`."""
    if FILE_TYPES[file.extension].shape in (PDF, PICTURE):
        return Preview(file.stored_key, file.media_type, file.original_name)
    if uploads.converter is None or file.extension not in FILTERS:
        raise Problem("no_preview")
    if file.preview_key is None:
        return None
    name = os.path.splitext(file.original_name)[0] + ".pdf"
    return Preview(file.preview_key, FILE_TYPES[".pdf"].media_type, name)


def make(database: Database, uploads: Uploads, file_id: UUID) -> None:
    """Convert a document and keep the PDF, unless another call has done so. No transaction is open meanwhile.

    The caller checks permission to read the file before and after. Raises 409 `preview_failed`, 503.
    """
    converter = uploads.converter
    assert converter is not None
    with converter.turn():
        file = _due(database, file_id)
        if file is None:
            return
        if not converter.is_there():
            log.error("converter_missing")
            raise Problem("converter_unavailable", retry_after=60)
        try:
            key = _converted(uploads, converter, file)
        except ConversionFailed as error:
            log.warning("preview_failed", file_id=str(file.id), error=str(error))
            _note(database, file.id, preview_failed_at=clock.now())
            raise Problem("preview_failed") from error
        except (StorageUnavailable, OSError) as error:
            raise unavailable(error) from error
        noted = False
        try:
            noted = _note(database, file.id, preview_key=key)
        finally:
            if not noted:  # the file was swept meanwhile, or another process was faster
                uploads.storage.discard([key])


def _due(database: Database, file_id: UUID) -> File | None:
    """The file, or None when it has its preview. Raises 404, and 409 while a failure is remembered."""
    with database.read() as session:
        file = session.get(File, file_id)
    if file is None:
        raise not_found()
    if file.preview_key is not None:
        return None
    if file.preview_failed_at is not None and clock.now() - file.preview_failed_at < TRIED_AGAIN_AFTER:
        raise Problem("preview_failed")
    return file


def _converted(uploads: Uploads, converter: Converter, file: File) -> str:
    """The key under which the PDF is stored. Raises `ConversionFailed`, `StorageUnavailable`, OSError."""
    # Absolute, because the child process runs in another working directory.
    with TemporaryDirectory(dir=uploads.incoming.absolute(), prefix="preview-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < ROOM:
            raise OSError(errno.ENOSPC, "too little room on the disk to convert a document")
        source = folder / f"document{file.extension}"
        _, chunks = uploads.storage.chunks(file.stored_key)
        with source.open("wb") as target:
            for chunk in chunks:
                target.write(chunk)
        pdf = converter.to_pdf(source, FILE_TYPES[file.extension], folder)
        key = new_key()
        uploads.storage.put(key, pdf)
        return key


def _note(database: Database, file_id: UUID, **values: Any) -> bool:
    """Record the outcome in the row of a file that has no preview yet; whether it was recorded."""
    with database.write() as session:
        noted = session.execute(
            update(File)
            .where(File.id == file_id, File.preview_key.is_(None))
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return cast("CursorResult[Any]", noted).rowcount == 1
