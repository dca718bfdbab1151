"""Room on the disks that the installation writes to: who failed for want of it, and a warning before that."""

import errno
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Engine

from core.config import Settings

log = structlog.get_logger()

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - what is put there has a name that nobody can guess, for the owner only
"""A file system in memory, where there is one: for what must go on while the disks are full."""
WARN_AGAIN_AFTER = 3600.0
"""Seconds after which the log repeats that room is short."""
_MIB = 1024 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_SQLITE_FULL = (sqlite3.SQLITE_FULL, 4874)
"""A full disk, met with the database or its journal; SQLITE_IOERR_SHMSIZE, with its index."""
_POSTGRESQL_FULL = "53100"


def is_full(error: BaseException) -> bool:
    """Whether something failed because a disk, here or at the database, is full."""
    seen: BaseException | None = error
    while seen is not None:
        if _says_full(seen) or _says_full(getattr(seen, "orig", None)):  # `orig`: what SQLAlchemy wraps
            return True
        seen = seen.__cause__
    return False


def _says_full(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _SQLITE_FULL
    # psycopg's errors name the SQLSTATE; obstore's only quote the system.
    return getattr(error, "sqlstate", None) == _POSTGRESQL_FULL or "(os error 28)" in str(error)


@dataclass(frozen=True, slots=True)
class Room:
    """What is left on one file system, in bytes."""

    folder: Path
    free: int
    size: int

    def __str__(self) -> str:
        percent = 100 * self.free / self.size if self.size else 0.0
        return f"{self.free // _MIB} MiB ({percent:.1f} %) free in {self.folder}"


class DiskWatch:
    """Watches how much room is left in folders; one per process.

    Room is short below `percent` of the file system or below `mebibytes`. Folders on one file system count once.
    """

    def __init__(self, folders: Iterable[Path], percent: float, mebibytes: int) -> None:
        self._folders = list(dict.fromkeys(folders))
        self._percent, self._bytes = percent, mebibytes * _MIB
        self._lock = threading.Lock()
        self._warned_at: float | None = None

    @classmethod
    def of_installation(cls, settings: Settings, engine: Engine) -> "DiskWatch":
        """Watches the data folder, the folder for temporary files, and where the SQLite file lies."""
        folders = [settings.data_dir.absolute(), Path(tempfile.gettempdir())]
        if engine.dialect.name == "sqlite" and engine.url.database:
            folders.append(Path(engine.url.database).parent)
        return cls(folders, settings.disk_warning_percent, settings.disk_warning_mib)

    def short(self) -> list[Room]:
        """File systems on which room is short."""
        found: dict[int, Room] = {}
        for folder in self._folders:
            try:
                device, room = folder.stat().st_dev, os.statvfs(folder)
            except OSError:
                continue  # gone or not mounted: the check of the storage reports that
            found.setdefault(device, Room(folder, room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize))
        return [one for one in found.values() if one.free < max(self._bytes, one.size * self._percent / 100)]

    def look(self) -> str:
        """`ok`, or where room is short; logged when that begins, every hour while it lasts, and when it ends."""
        short = self.short()
        words = "low: " + "; ".join(map(str, short)) if short else "ok"
        with self._lock:
            now = time.monotonic()
            if short and (self._warned_at is None or now - self._warned_at >= WARN_AGAIN_AFTER):
                log.warning("disk_space_low", room=words)
                self._warned_at = now
            elif not short and self._warned_at is not None:
                log.info("disk_space_enough_again")
                self._warned_at = None
        return words
