"""A worker of the fork server that does what no picture should be able to do; the byte that is asked for says what."""

import os
import resource
import signal
import socket
from pathlib import Path
from typing import IO, Any

from assets.files.pictures.picture_worker import bound_child, bound_server

__all__ = ["bound_child", "bound_server", "warm_up", "work"]

_ENDS = {b"9": signal.SIGKILL, b"x": signal.SIGXCPU, b"s": signal.SIGSEGV, b"a": signal.SIGABRT}


def warm_up() -> None:
    """Nothing to import."""


def work(asked: bytes, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    if asked in _ENDS:
        os.kill(os.getpid(), _ENDS[asked])
    if asked == b"h":  # hangs
        target.write(str(os.getpid()).encode())
        target.flush()
        signal.pause()
    if asked == b"m":  # wants more memory than there is for it
        return {"got": len(bytearray(2 << 30))}
    if asked == b"c":  # copies
        target.write(source.read())
        return {"copied": True}
    if asked == b"q":  # cannot write
        raise OSError(28, "no space")
    return _surroundings(source, target)


def _surroundings(source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """What a child can see and reach."""
    told = source.read().decode().splitlines()
    port = int(told[0]) if told else 0
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "environment": dict(os.environ),
        "descriptors": sorted(set(_open_descriptors()) - {source.fileno(), target.fileno()}),
        "limits": {
            name: resource.getrlimit(getattr(resource, name))
            for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE")
        },
        "reads": [path for path in told[1:] if _reads(path)],
        "connects": _connects(port),
    }


def _open_descriptors() -> list[int]:
    found = []
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return found


def _reads(path: str) -> bool:
    try:
        return bool(Path(path).read_bytes())
    except OSError:
        return False


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
