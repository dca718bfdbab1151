"""Where the bytes of files are: a local folder, or S3-compatible storage, by setting.

Objects are written once under random keys and never changed. An object appears whole or not at
all: locally by a rename (only a power failure before `put` returns may leave half of one, of which no
row speaks), on S3 because it is sent as one request. (A multipart upload would leave
parts behind when a worker dies, which only the owner of the bucket can remove, and would keep ten
megabytes in the worker.)
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
"""All keys begin with it: what else is in the bucket is never swept."""


class StorageUnavailable(Exception):
    """The storage does not answer, or refused; the text is for the log."""


def unavailable(error: Exception) -> Problem:
    """The answer when the storage, or the disk that files arrive on, failed; the log gets the cause."""
    if disk.is_full(error):
        log.error("disk_full", error=str(error))
        return disk_full()
    log.error("storage_unavailable", error=str(error))
    return Problem("storage_unavailable", retry_after=10)


def new_key() -> str:
    """A random key that says nothing about the file; two levels, so that no local folder grows without end."""
    name = secrets.token_hex(16)
    return f"{_PREFIX}/{name[:2]}/{name[2:]}"


class Storage:
    """Bytes by key. Every method raises `StorageUnavailable` when the storage fails."""

    def __init__(self, place: LocalStore | Bucket, folder: Path | None = None) -> None:
        """`folder` is where a `LocalStore` keeps its files."""
        self._bucket = place if isinstance(place, Bucket) else None
        self._store = place.store if isinstance(place, Bucket) else place
        self._folder = folder

    def put(self, key: str, source: Path, seconds: float = math.inf) -> None:
        """Store a file from disk, which may be moved away; when this returns, it survives a power failure.

        A bucket has so many seconds for it, and its own limit at the most.
        """
        with _failures():
            if self._folder is not None:
                self._move(key, source, self._folder / key)
            elif self._bucket is not None:
                self._bucket.put(key, source, seconds)

    def _move(self, key: str, source: Path, target: Path) -> None:
        """Its bytes first, then its name: no name ever stands for half a file."""
        _make_folders(target.parent)
        try:
            _sync(source)
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # another file system
                raise
            obstore.put(self._store, key, source, chunk_size=_WRITE_CHUNK, max_concurrency=1)
            _sync(target)
        _sync(target.parent)

    def chunks(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and content. Asked for at once, so that what is missing is known before an answer begins."""
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
        """Delete objects; one that is not there is passed over."""
        for key in keys:
            with _failures(), suppress(FileNotFoundError):
                if self._bucket is not None:
                    self._bucket.delete(key)
                else:
                    obstore.delete(self._store, key)

    def discard(self, keys: Iterable[str]) -> None:
        """Delete objects that no row names; what cannot be deleted now is left to the sweep. Raises nothing."""
        try:
            self.delete(keys)
        except StorageUnavailable as error:
            log.warning("objects_left_for_the_sweep", error=str(error))

    def older_than(self, moment: datetime, prefix: str = _PREFIX) -> Iterator[Sequence[str]]:
        """Keys of the uploads, or of what else has its own prefix, that were stored before, some hundred at a time."""
        with _failures():
            if self._bucket is not None:
                yield from self._bucket.older_than(moment, prefix)
                return
            for batch in obstore.list(self._store, prefix, chunk_size=_LISTED):
                yield [found["path"] for found in batch if found["last_modified"] < moment]

    def check(self) -> None:
        """Whether the storage can be reached."""
        with _failures():
            if self._bucket is not None:
                self._bucket.check()
            elif self._folder is None or not os.access(self._folder, os.W_OK | os.X_OK):
                raise StorageUnavailable("the folder is missing or cannot be written")

    def remove_leavings(self, moment: datetime, prefix: str = _PREFIX) -> int:
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
    """Delete those files that were last changed before; how many."""
    removed = 0
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < moment.timestamp():
                path.unlink()
                removed += 1
    return removed


def _make_folders(folder: Path) -> None:
    """Like `mkdir -p`, and what is made survives a power failure as well."""
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
    """The storage that the settings name; makes the local folder."""
    if not settings.s3_bucket:
        folder = (settings.data_dir / "files").absolute()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Storage(LocalStore(folder), folder)
    return Storage(Bucket(settings))
