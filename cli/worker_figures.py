"""Where the workers keep their figures for Prometheus: files that they map into memory and share.

Writing to a mapped file for which the disk has no room kills the process (SIGBUS). So the files stand in shared
memory where there is some, and every worker takes the whole room for its own before it maps them.
"""

import fcntl
import os
import shutil
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

from core.database.disk import SHARED_MEMORY

log = structlog.get_logger()

KINDS = {"counter": 1024 * 1024, "histogram": 1024 * 1024}
"""Bytes for the figures of one worker by kind of figure. Routes, methods and statuses are few: a third is used."""
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "gongpin-figures-"


class Figures:
    """The folder for the figures of one server's workers; None where there is no room for them anywhere."""

    def __init__(self, data_dir: Path, workers: int) -> None:
        """Makes it, before Prometheus' library is imported, which looks for it then."""
        self.folder: Path | None = None
        self._lock: IO[bytes] | None = None
        os.environ.pop(_VARIABLE, None)
        for parent in (SHARED_MEMORY, data_dir.absolute() / "metrics"):
            try:
                self._make(parent, workers)
            except OSError as error:
                log.warning("no_room_for_figures", folder=str(parent), error=str(error))
            else:
                os.environ[_VARIABLE] = str(self.folder)
                return

    def _make(self, parent: Path, workers: int) -> None:
        if parent != SHARED_MEMORY:
            parent.mkdir(exist_ok=True)
        _remove_old(parent)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            probe = folder / "probe"
            _take_room(probe, sum(KINDS.values()) * workers)
            probe.unlink()
            self._lock = (folder / "lock").open("ab")
            # Held as long as a process of this server lives; so others see that the folder is in use.
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.folder = folder

    def reserve(self) -> bool:
        """In a worker, before it counts anything: take room for its figures; False where there is none."""
        if self.folder is None:
            return True  # they stand in this worker's own memory
        try:
            for kind, size in KINDS.items():
                _take_room(self.folder / f"{kind}_{os.getpid()}.db", size)
        except OSError as error:
            log.warning("no_room_for_figures", folder=str(self.folder), error=str(error))
            return False
        return True

    def give_back(self, pid: int) -> None:
        """A worker has ended: its figures stay, the room that it did not use is given back."""
        if self.folder is None:
            return
        for kind in KINDS:
            with suppress(OSError), (self.folder / f"{kind}_{pid}.db").open("rb+") as file:
                file.truncate(max(_used(file), 8))

    def remove(self) -> None:
        """At the end of the server."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _take_room(path: Path, size: int) -> None:
    with path.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def _used(file: IO[bytes]) -> int:
    """The library's format: the file begins with how many bytes of it are used."""
    return int(struct.unpack("i", file.read(4))[0])


def _remove_old(parent: Path) -> None:
    """Folders of servers that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / "lock").open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
