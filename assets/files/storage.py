"""Storage for the bytes of files: a local folder or S3-compatible storage, by setting.

Objects are written once under random keys and never changed. An object appears completely or not at all: locally by a
rename (a power failure before `put` returns may leave half a file, but no row names it), on S3 because it is sent as
one request. (When a worker dies, a multipart upload would leave parts behind that only the owner of the bucket can
remove; it would also keep ten megabytes in the worker.)
"""

import errno
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from assets.files.buckets import Bucket
from core.config import Settings
from core.database import disk
from core.errors import Problem, disk_full

log = structlog.get_logger()

READ_CHUNK = 1024 * 1024
_WRITE_CHUNK = 1024 * 1024
_LISTED = 1000
_PREFIX = "uploads"
"""Prefix of all keys of uploads: other objects in the bucket are never swept."""


class StorageUnavailable(Exception):
    """The storage does not answer, or refuses; the text is for the log."""


def unavailable(error: Exception) -> Problem:
    """The answer when the storage failed, or the disk on which files arrive; the cause is logged."""
    if disk.is_full(error):
        log.error("disk_full", error=str(error))
        return disk_full()
    log.error("storage_unavailable", error=str(error))
    return Problem("storage_unavailable", retry_after=10)


def new_key() -> str:
    """A random key that says nothing about the file; in two levels, so that no local folder grows without bound."""
    name = secrets.token_hex(16)
    return f"{_PREFIX}/{name[:2]}/{name[2:]}"


class Storage:
    """Bytes by key. Every method raises `StorageUnavailable` when the storage fails."""

    def __init__(self, place: LocalStore | Bucket, folder: Path | None = None) -> None:
        """`folder` is that of the `LocalStore`."""
        self._bucket = place if isinstance(place, Bucket) else None
        self._store = place.store if isinstance(place, Bucket) else place
        self._folder = folder

    def put(self, key: str, source: Path, seconds: float = math.inf) -> None:
        """Store a file from disk, possibly by moving it; after the return it survives a power failure.

        A bucket has at most `seconds`, and never more than its own limit.
        """
        with _failures():
            if self._folder is not None:
                self._move(key, source, self._folder / key)
            elif self._bucket is not None:
                self._bucket.put(key, source, seconds)

    def _move(self, key: str, source: Path, target: Path) -> None:
        """Write the bytes to disk before the name appears, so that no name ever refers to half a file."""
        _make_folders(target.parent)
        try:
            _sync(source)
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # EXDEV: the target is on another file system
                raise
            obstore.put(self._store, key, source, chunk_size=_WRITE_CHUNK, max_concurrency=1)
            _sync(target)
        _sync(target.parent)

    def chunks(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and content. The object is opened at once, so that a missing one is known before an answer begins."""
        with _failures():
            if self._bucket is not None:
                size, pieces = self._bucket.chunks(key)
                return size, self._guarded(pieces)
            assert self._folder is not None
            file = (self._folder / key).open("rb")
            return os.fstat(file.fileno()).st_size, self._guarded(_read(file))

    @staticmethod
    def _guarded(pieces: Iterator[bytes]) -> Iterator[bytes]:
        with _failures():
            yield from pieces

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones are ignored."""
        for key in keys:
            with _failures(), suppress(FileNotFoundError):
                if self._bucket is not None:
                    self._bucket.delete(key)
                else:
                    obstore.delete(self._store, key)

    def discard(self, keys: Iterable[str]) -> None:
        """Delete objects that no row names. Raises nothing: the sweep deletes later what cannot be deleted now."""
        try:
            self.delete(keys)
        except StorageUnavailable as error:
            log.warning("objects_left_for_the_sweep", error=str(error))

    def older_than(self, moment: datetime, prefix: str = _PREFIX) -> Iterator[Sequence[str]]:
        """Keys below a prefix (by default that of uploads) that were stored before `moment`, a thousand at a time."""
        with _failures():
            if self._bucket is not None:
                yield from self._bucket.older_than(moment, prefix)
                return
            for batch in obstore.list(self._store, prefix, chunk_size=_LISTED):
                yield [found["path"] for found in batch if found["last_modified"] < moment]

    def check(self) -> None:
        """Raise unless the storage is available."""
        with _failures():
            if self._bucket is not None:
                self._bucket.check()
            elif self._folder is None or not os.access(self._folder, os.W_OK | os.X_OK):
                raise StorageUnavailable("the folder is missing or cannot be written")

    def remove_partial_files(self, moment: datetime, prefix: str = _PREFIX) -> int:
        """Delete half-written files that a killed process left in the local folder before `moment`."""
        return 0 if self._folder is None else remove_old(self._folder.glob(f"{prefix}/*/*#*"), moment)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"{type(error).__name__}: {error}") from error


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(READ_CHUNK):
            yield piece


def remove_old(paths: Iterable[Path], moment: datetime) -> int:
    """Delete the files that were last changed before `moment`; their number."""
    removed = 0
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < moment.timestamp():
                path.unlink()
                removed += 1
    return removed


def _make_folders(folder: Path) -> None:
    """Like `mkdir -p`; new folders survive a power failure."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name; creates the local folder."""
    if not settings.s3_bucket:
        folder = (settings.data_dir / "files").absolute()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Storage(LocalStore(folder), folder)
    return Storage(Bucket(settings))
