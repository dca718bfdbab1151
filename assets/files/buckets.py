"""Access to a bucket of S3-compatible storage; every call has a time limit (`core/gateways/outside.py`).

An object is sent as one request: when a worker dies, a multipart upload would leave parts behind that only the owner
of the bucket can remove.
"""

import math
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import GenericError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from core.config import Settings
from core.gateways.outside import Outside, TooSlow

PIECE = 1024 * 1024
PLACES = 32
"""Concurrent storage calls of one process: more than there are file transfers at a time, so that none waits here."""
_RETRIES = 2
_LISTED = 1000
_CHECK_SECONDS = 2.0
_ANSWERS = (FileNotFoundError, NotFoundError, PermissionDeniedError, UnauthenticatedError)


class Bucket:
    """The bucket of the settings. Every method raises `BaseError` of obstore, or `OSError`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        whole = self._whole = settings.s3_timeout
        # One attempt may take three quarters of the time limit; another may only begin within the first quarter.
        self.store = self._client(attempt=whole * 3 / 4, retry_within=whole / 4)
        # A file is read piece by piece, so that a slow phone does not occupy a connection to the storage.
        self._reading = self._client(attempt=whole / 4, retry_within=whole / 4)
        self._checking = self._client(attempt=min(_CHECK_SECONDS, whole), retry_within=0, retries=0)
        self._outside = Outside("s3", seconds=whole, places=PLACES, patience=0, answers=_ANSWERS)

    def _client(self, *, attempt: float, retry_within: float, retries: int = _RETRIES) -> S3Store:
        settings = self._settings
        return S3Store(
            settings.s3_bucket,
            endpoint=settings.s3_endpoint or None,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=settings.s3_secret_access_key.get_secret_value(),
            client_options={
                "allow_http": settings.s3_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=min(3.0, attempt)),
                "timeout": timedelta(seconds=attempt),
            },
            retry_config={
                "max_retries": retries,
                "retry_timeout": timedelta(seconds=retry_within),
                "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=1), "base": 2},
            },
        )  # fmt: skip

    def put(self, key: str, source: Path, seconds: float = math.inf) -> None:
        """Store a file completely or not at all, within `seconds`."""
        self._outside.call(lambda: obstore.put(self.store, key, source, use_multipart=False), seconds)

    def chunks(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and content. All storage calls together may take half the time limit; a slow phone does not count."""
        began = time.monotonic()
        size, first = self._outside.call(lambda: self._begin(key))
        return size, self._pieces(key, size, first, time.monotonic() - began)

    def _begin(self, key: str) -> tuple[int, bytes]:
        try:
            found: Any = obstore.get(self._reading, key, options={"range": (0, PIECE)})
            return found.meta["size"], bytes(found.bytes())
        except GenericError:
            if obstore.head(self._reading, key)["size"] > 0:
                raise
            return 0, b""  # a range of an empty object is an error

    def _pieces(self, key: str, size: int, first: bytes, spent: float) -> Iterator[bytes]:
        yield first
        start = len(first)
        while start < size:
            if spent > self._whole / 2:
                raise TooSlow(f"s3: {start} of {size} bytes within {spent:.1f} seconds")
            began = time.monotonic()
            piece = self._outside.call(lambda at=start: self._piece(key, at, min(at + PIECE, size)))  # type: ignore[misc]
            spent += time.monotonic() - began
            yield piece
            start += len(piece)

    def _piece(self, key: str, start: int, end: int) -> bytes:
        return bytes(obstore.get_range(self._reading, key, start=start, end=end))

    def delete(self, key: str) -> None:
        """Delete an object; a missing one is no error."""
        self._outside.call(lambda: obstore.delete(self.store, key))

    def older_than(self, moment: datetime, prefix: str) -> Iterator[Sequence[str]]:
        """Keys below the prefix that were stored before `moment`, up to a thousand at a time."""
        pages = iter(obstore.list(self.store, prefix, chunk_size=_LISTED))
        while (batch := self._outside.call(lambda: next(pages, None))) is not None:
            yield [found["path"] for found in batch if found["last_modified"] < moment]

    def check(self) -> None:
        """Raise unless the bucket answers within `_CHECK_SECONDS`; called even while other calls are suspended."""
        # Listing a prefix without objects: a request for an object would fail alike without bucket or object.
        obstore.list(self._checking, "readiness").collect()
