"""A small file system of its own for one server process: a tmpfs in a mount namespace, so that nothing is left behind.

It can be full. What lies in it is reached through `/proc/<pid>/root`, as the server sees it.
"""

import errno
import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && cp -a "$3/." "$2/" && shift 3 && exec "$@"'
_CHUNK = bytes(1024 * 1024)


@functools.cache
def why_not() -> str:
    """Why there can be no small file system here; empty when there can."""
    if shutil.which("unshare") is None:
        return "there is no unshare(1)"
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True, text=True, check=False
    )
    return f"no file system can be mounted: {tried.stderr.strip()}" if tried.returncode else ""


def on_small_disk(place: Path, content: Path, mebibytes: int) -> Sequence[str]:
    """A command before the server's: `place` is a disk of that size, and holds what the folder `content` holds."""
    return ("unshare", "--mount", "sh", "-c", _MOUNT, "sh", f"{mebibytes}m", str(place), str(content))


@dataclass(frozen=True)
class Disk:
    """The disk at `place` as a running process sees it."""

    pid: int
    place: Path

    @property
    def path(self) -> Path:
        """Where it is reached from outside."""
        return Path(f"/proc/{self.pid}/root{self.place}")

    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Until nothing more fits, not one byte."""
        with (self.path / "filler").open("ab", buffering=0) as file:
            piece = _CHUNK
            while piece:
                try:
                    file.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece = piece[: len(piece) // 2]
        assert self.free() == 0

    def make_room(self) -> None:
        """Take away what filled it."""
        (self.path / "filler").unlink()

    def files(self, folder: str) -> set[str]:
        """Files below one folder of it."""
        top = self.path / folder
        return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}
