"""Removes files that no record claimed for a day, and what interrupted uploads left behind."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select

from assets.files.models import File
from assets.files.storage import Storage, remove_old
from core import clock
from core.db import Database
from core.jobs.scheduler import RareJob
from core.retention.periods import PERIODS, RetentionSettings

KEPT_UNCLAIMED = timedelta(days=PERIODS["keep_unclaimed_files_days"].default)
"""How long a file is kept that no record claims, where no setting says otherwise."""
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed: unclaimed files, stored objects without a file, half-written files."""

    files: int
    objects: int
    partial_files: int


def sweep(database: Database, storage: Storage, incoming: Path, kept: timedelta = KEPT_UNCLAIMED) -> Swept:
    """Remove what is older than that; safe beside uploads and claims, and safe to interrupt.

    Rows go before their bytes, so that a file that is still listed can always be read. Raises
    `StorageUnavailable`; what was removed until then stays removed.
    """
    limit = clock.now() - kept
    files = 0
    while removed := _sweep_rows(database, storage, limit):
        files += removed
    objects = _sweep_objects(database, storage, limit)
    partial_files = storage.remove_partial_files(limit)
    partial_files += remove_old((path for path in incoming.rglob("*") if path.is_file()), limit)
    _remove_empty(incoming, limit)
    return Swept(files, objects, partial_files)


def _remove_empty(incoming: Path, limit: datetime) -> None:
    """Folders in which a killed process was at work; inner ones first."""
    folders = [path for path in incoming.rglob("*") if path.is_dir() and not path.is_symlink()]
    for folder in sorted(folders, reverse=True):
        with suppress(OSError):  # not empty, or gone already
            if folder.stat().st_mtime < limit.timestamp():
                folder.rmdir()


def daily(storage: Storage, incoming: Path, settings: RetentionSettings) -> RareJob:
    """The sweep as a job of the scheduler; its figure is how many unclaimed files it removed."""
    kept = settings.kept("keep_unclaimed_files_days")
    return RareJob("file sweep", lambda database: sweep(database, storage, incoming, kept).files, timedelta(days=1))


def _sweep_rows(database: Database, storage: Storage, limit: datetime) -> int:
    with database.write() as session:
        old = select(File.id).where(File.unclaimed_since < limit).limit(_BATCH)
        # Asked again in the statement itself: a record may claim the file at this moment.
        gone = session.execute(
            delete(File)
            .where(File.id.in_(old), File.unclaimed_since < limit)
            .returning(File.stored_key, File.thumbnail_key, File.preview_key)
            .execution_options(synchronize_session=False)
        ).all()
    storage.delete([key for row in gone for key in row if key is not None])
    return len(gone)


def _sweep_objects(database: Database, storage: Storage, limit: datetime) -> int:
    """Objects are listed only when they are older than any upload that could still be under way."""
    removed = 0
    for keys in storage.older_than(limit):
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            with database.read() as session:
                owned = select(File.stored_key, File.thumbnail_key, File.preview_key).where(
                    File.stored_key.in_(batch) | File.thumbnail_key.in_(batch) | File.preview_key.in_(batch)
                )
                known = {key for row in session.execute(owned) for key in row}
            lost = [key for key in batch if key not in known]
            storage.delete(lost)
            removed += len(lost)
    return removed
