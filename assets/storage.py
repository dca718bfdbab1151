"""Where the bytes of files are: a local folder, or S3-compatible storage, by setting.

Objects are written once under random keys and never changed. An object appears whole or not at
all: locally by a rename (only a power failure before `put` returns may leave half of one, of which no
row speaks), on S3 because it is sent as one request. (A multipart upload would leave
parts behind when a worker dies, which only the owner of the bucket can remove, and would keep ten
megabytes in the worker.)
"""

import errno
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from core import disk
from core.config import Settings
from core.errors import Problem, disk_full

log = structlog.get_logger()

READ_CHUNK = 1024 * 1024
_WRITE_CHUNK = 1024 * 1024
_TIMEOUT = timedelta(seconds=30)
_ATTEMPTS = 3
_BACKOFF = 0.2
_LISTED = 1000
_PREFIX = "uploads"
"""All keys begin with it: what else is in the bucket is nobody's to sweep."""


class StorageUnavailable(Exception):
    """The storage does not answer, or refused; the text is for the log."""


def unavailable(error: Exception) -> Problem:
    """What a caller is told when the storage, or the disk that files arrive on, failed; the log is told more."""
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

    def __init__(self, store: LocalStore | S3Store, folder: Path | None = None) -> None:
        """`folder` is where a `LocalStore` keeps its files."""
        self._store = store
        self._folder = folder

    def put(self, key: str, source: Path) -> None:
        """Store a file from disk, which may be moved away; when this returns, it survives a power failure."""
        try:
            if self._folder is not None:
                self._move(key, source, self._folder / key)
            else:
                self._send(key, source)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def _move(self, key: str, source: Path, target: Path) -> None:
        """Its name first, then one wait for the disk for both: until that is over, no row speaks of the file.

        Linux writes a change of a file's name down with the file itself (ext4, XFS and Btrfs: the rename touches its
        inode, and is in the journal when the inode's fsync returns). Elsewhere the folder is waited for as well.
        """
        _make_folders(target.parent)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # another file system
                raise
            obstore.put(self._store, key, source, chunk_size=_WRITE_CHUNK, max_concurrency=1)
        _sync(target)
        if not sys.platform.startswith("linux"):
            _sync(target.parent)

    def _send(self, key: str, source: Path) -> None:
        """One signed request that streams from disk, repeated when the service fails or cannot be reached."""
        assert isinstance(self._store, S3Store)
        for attempt in range(1, _ATTEMPTS + 1):
            # Signed by us, of the endpoint in the settings, which begins with http(s).
            url = obstore.sign(self._store, "PUT", key, timedelta(minutes=10))
            try:
                with source.open("rb") as file:
                    length = {"Content-Length": str(source.stat().st_size), "Content-Type": "application/octet-stream"}
                    request = urllib.request.Request(url, data=file, method="PUT", headers=length)  # noqa: S310 -- ours
                    with urllib.request.urlopen(request, timeout=_TIMEOUT.total_seconds()):  # noqa: S310 -- ours
                        return
            except OSError as error:
                refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
                if refused or attempt == _ATTEMPTS:
                    raise
            time.sleep(_BACKOFF * 2**attempt)

    def chunks(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and content. Asked for at once, so that what is missing is known before an answer begins."""
        try:
            if self._folder is not None:
                file = (self._folder / key).open("rb")
                return os.fstat(file.fileno()).st_size, self._pieces(file)
            found = obstore.get(self._store, key)
            return found.meta["size"], self._stream(found)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    @staticmethod
    def _stream(found: "obstore.GetResult") -> Iterator[bytes]:
        try:
            yield from found.stream(min_chunk_size=READ_CHUNK)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    @staticmethod
    def _pieces(file: IO[bytes]) -> Iterator[bytes]:
        try:
            with file:
                while piece := file.read(READ_CHUNK):
                    yield piece
        except OSError as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is passed over."""
        for key in keys:
            try:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, key)
            except (BaseError, OSError) as error:
                raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def older_than(self, moment: datetime, prefix: str = _PREFIX) -> Iterator[Sequence[str]]:
        """Keys of the uploads, or of what else has its own prefix, that were stored before, some hundred at a time."""
        try:
            for batch in obstore.list(self._store, prefix, chunk_size=_LISTED):
                yield [found["path"] for found in batch if found["last_modified"] < moment]
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def check(self) -> None:
        """Whether the storage can be reached."""
        try:
            if self._folder is not None:
                if not os.access(self._folder, os.W_OK | os.X_OK):
                    raise StorageUnavailable("the folder is missing or cannot be written")
                return
            # A listing of nothing: asking for an object would not tell a missing bucket from a missing object.
            obstore.list(self._store, "readiness").collect()
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"{type(error).__name__}: {error}") from error

    def remove_leavings(self, moment: datetime, prefix: str = _PREFIX) -> int:
        """Delete half-written files that a killed process left in the local folder before `moment`."""
        return 0 if self._folder is None else remove_old(self._folder.glob(f"{prefix}/*/*#*"), moment)


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
    store = S3Store(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint or None,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        client_options={
            "allow_http": settings.s3_endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": _TIMEOUT,
        },
        retry_config={"max_retries": _ATTEMPTS - 1, "retry_timeout": _TIMEOUT},
    )
    return Storage(store)
