"""Codes and papers that are made once and then kept: in the process, and in the storage under `made/`.

One that was lost is made again, and a storage that fails only costs the time of making it. So they are swept by age:
nobody knows which code is still printed.
"""

import hashlib
import json
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from assets.files.storage import Storage, StorageUnavailable
from assets.paper import compiling, qr_codes
from assets.paper.limits import Form
from core import clock
from core.errors import Problem
from core.jobs.scheduler import RareJob

log = structlog.get_logger()

PREFIX = "made"
KEPT_BYTES = 8 * 1024 * 1024
"""What one process keeps in its memory."""
ASKING_AT_ONCE = 2
"""Threads of one process that wait for the storage at the same time."""
STORAGE_PAUSE = 60.0
"""Seconds for which a storage that failed is not asked again."""
KEPT_FOR = timedelta(days=90)
"""How long the storage keeps a picture."""


class MadePictures:
    """One per process; `scratch` is a folder on disk."""

    def __init__(self, storage: Storage, scratch: Path) -> None:
        self._storage, self._scratch = storage, scratch
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # one paper is made at a time
        self._asking = threading.BoundedSemaphore(ASKING_AT_ONCE)
        self._asked_again_at = 0.0

    def qr_png(self, text: str, *, size: int | None = None) -> bytes:
        """As `qr_codes.png`."""
        return self._get(_key("qr.png", text=text, size=size), lambda: qr_codes.png(text, size=size))

    def qr_svg(self, text: str) -> bytes:
        """As `qr_codes.svg`."""
        return self._get(_key("qr.svg", text=text), lambda: qr_codes.svg(text))

    def paper(self, template: Path, data: Mapping[str, Any], form: Form) -> bytes:
        """As `compiling.compile`, and raises like it; of many who ask for the same paper at once, one has it made.

        Not for papers with personal data: these copies are not deleted when a person's data is erased.
        """
        key = _key(f"paper.{form}", template=compiling.identity(template), data=data)

        def make() -> bytes:
            if not self._turn.acquire(timeout=compiling.PATIENCE):
                raise Problem("not_ready", retry_after=5)
            try:
                content = self._from_memory(key) or compiling.compile(template, data, form)
                self._keep(key, content)
                return content
            finally:
                self._turn.release()

        return self._get(key, make)

    def _get(self, key: str, make: Callable[[], bytes]) -> bytes:
        content = self._from_memory(key)
        if content is not None:
            return content
        content = self._from_storage(key)
        if content is None:
            content = make()
            self._keep(key, content)
            self._store(key, content)
        else:
            self._keep(key, content)
        return content

    def _from_memory(self, key: str) -> bytes | None:
        with self._lock:
            content = self._kept.get(key)
            if content is not None:
                self._kept.move_to_end(key)
            return content

    def _keep(self, key: str, content: bytes) -> None:
        with self._lock:
            self._size += len(content) - len(self._kept.pop(key, b""))
            self._kept[key] = content
            while self._size > KEPT_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1])

    def _from_storage(self, key: str) -> bytes | None:
        """None also while it fails, or while others wait for it: what is made anew costs less than waiting."""
        if time.monotonic() < self._asked_again_at or not self._asking.acquire(blocking=False):
            return None
        try:
            size, chunks = self._storage.chunks(key)
            content = b"".join(chunks)
        except StorageUnavailable as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                self._pause(error)
            return None
        finally:
            self._asking.release()
        return content if content and len(content) == size else None

    def _store(self, key: str, content: bytes) -> None:
        if time.monotonic() < self._asked_again_at or not self._asking.acquire(blocking=False):
            return
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._scratch, prefix="made-") as folder:
                source = Path(folder) / "picture"
                with source.open("wb") as file:
                    file.write(content)
                    file.flush()
                    # No row says that it was stored whole, so no name may ever stand for half of it.
                    os.fsync(file.fileno())
                self._storage.put(key, source)
        except (StorageUnavailable, OSError) as error:
            self._pause(error)
        finally:
            self._asking.release()

    def _pause(self, error: Exception) -> None:
        log.warning("made_pictures_not_kept", error=str(error), seconds=STORAGE_PAUSE)
        self._asked_again_at = time.monotonic() + STORAGE_PAUSE


def sweep(storage: Storage) -> int:
    """Delete pictures that were stored long ago; how many. Raises `StorageUnavailable`."""
    limit = clock.now() - KEPT_FOR
    removed = storage.remove_partial_files(limit, PREFIX)
    for keys in storage.older_than(limit, PREFIX):
        storage.delete(keys)
        removed += len(keys)
    return removed


def daily(storage: Storage) -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("made pictures", lambda _database: sweep(storage), timedelta(days=1))


def _key(kind: str, **parts: Any) -> str:
    """Where it is kept: a digest of everything that goes into it."""
    content = json.dumps({"kind": kind, **parts}, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return f"{PREFIX}/{digest[:2]}/{digest[2:]}"
