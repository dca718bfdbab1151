"""Files for the figures for Prometheus, which the workers map into memory and share.

Writing to a mapped file kills the process (SIGBUS) when the disk is full. So the files are in shared memory if
possible, and every worker allocates the whole size of its files before it maps them.
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
"""Bytes for one worker, by kind of figure. Routes, methods and statuses are few, so that a third is used."""
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "gongpin-figures-"


class Figures:
    """The folder for the figures of one server's workers; `folder` is None if no disk has room for it."""

    def __init__(self, data_dir: Path, workers: int) -> None:
        """Create the folder. Must run before the Prometheus library is imported, which looks for it then."""
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
            # Held as long as a process of this server lives, so that others do not remove the folder.
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.folder = folder

    def reserve(self) -> bool:
        """Allocate the files of this worker before it counts anything; False if the disk has no room."""
        if self.folder is None:
            return True  # the figures are in this worker's own memory
        try:
            for kind, size in KINDS.items():
                _take_room(self.folder / f"{kind}_{os.getpid()}.db", size)
        except OSError as error:
            log.warning("no_room_for_figures", folder=str(self.folder), error=str(error))
            for kind in KINDS:
                (self.folder / f"{kind}_{os.getpid()}.db").unlink(missing_ok=True)
            return False
        return True

    def give_back(self, pid: int) -> None:
        """After a worker has ended: keep its figures and free the disk space that it did not use."""
        if self.folder is None:
            return
        for kind in KINDS:
            with suppress(OSError), (self.folder / f"{kind}_{pid}.db").open("rb+") as file:
                file.truncate(max(_used(file), 8))

    def remove(self) -> None:
        """Remove the folder at the end of the server."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _take_room(path: Path, size: int) -> None:
    """Create a file of this size on the disk. It gets its name when it is whole: a reader cannot read an empty one."""
    unfinished = path.with_suffix(".unfinished")
    try:
        with unfinished.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _used(file: IO[bytes]) -> int:
    """Number of used bytes, with which a file in the format of the Prometheus library begins."""
    return int(struct.unpack("i", file.read(4))[0])


def _remove_old(parent: Path) -> None:
    """Remove the folders of servers that were killed."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / "lock").open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
