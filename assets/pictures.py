"""Pictures are decoded in a child process, one for each picture, and never in this one.

A decoder fed by strangers is where memory runs out and where holes are found: the child is bounded
and shut in, dies with its picture, and the worker's own memory stays flat.
"""

import signal
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from assets.file_types import FileType
from assets.fork_servers import ForkServer
from assets.picture_server import NO_ROOM
from core.errors import Problem, disk_full, invalid

log = structlog.get_logger()

AT_ONCE = 2
"""Pictures that one worker process has decoded at the same time."""
_PATIENCE = 60.0
_places = threading.BoundedSemaphore(AT_ONCE)
_fork_server = ForkServer()

# What may be asked of the child: `assets/picture_worker.py`, whose import would bring the decoders into this process.
_AS_JPEG, _AS_PNG, _THUMBNAIL = b"J", b"P", b"T"

_REFUSALS = {
    "not_a_picture": ("content_mismatch", "文件内容不是有效的图片或已损坏，请重新拍照或另存后上传"),
    "too_large": ("picture_too_large", "图片尺寸过大，无法处理，请缩小后重新上传"),
    "polyglot": ("polyglot", "图片中附带了压缩包、程序或网页，请重新拍照或另存后上传"),
}


class Unreadable(Exception):
    """A picture that is stored cannot be decoded; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture as it is kept. Width and height are upright; degrees are decimal, north and east
    positive; `sha256` is of the kept bytes."""

    width: int
    height: int
    taken_at: datetime | None
    latitude: str | None
    longitude: str | None
    sha256: str


def prepare(source: Path, wanted: FileType, target: Path) -> Picture:
    """Write the picture to `target` as a file of the wanted type, with nothing beside its pixels.

    Raises 422 for what is no picture, too large, or something else besides; 503 when the picture could not get its
    turn, or the machine is out of time, memory or room on its disk.
    """
    answer = _ask(_AS_PNG if wanted.extension == ".png" else _AS_JPEG, source, target)
    if "refused" in answer:
        code, message = _REFUSALS[str(answer["refused"])]
        raise invalid("/file", code, message)
    taken_at = answer["taken_at"]
    return Picture(
        width=int(answer["width"]),
        height=int(answer["height"]),
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        latitude=answer["latitude"],
        longitude=answer["longitude"],
        sha256=answer["sha256"],
    )


def make_thumbnail(source: Path, target: Path) -> None:
    """Write a small upright JPEG of a kept picture. Raises `Unreadable`, and 503 as `prepare` does."""
    answer = _ask(_THUMBNAIL, source, target)
    if "refused" in answer:
        raise Unreadable(str(answer["refused"]))


def _ask(what: bytes, source: Path, target: Path) -> dict[str, Any]:
    if not _places.acquire(timeout=_PATIENCE):
        raise Problem("not_ready", retry_after=5)
    try:
        answer = _fork_server.ask(what, source, target)
    finally:
        _places.release()
    if answer.get("timeout"):
        # Its own bound of computing time is lower: the machine is busy, or its disk slow.
        log.warning("picture_timeout")
        raise Problem("not_ready", retry_after=5)
    if "returncode" not in answer:
        return answer
    returncode = answer["returncode"]
    log.warning("picture_failed", returncode=returncode)
    if returncode == NO_ROOM:
        raise disk_full()
    if returncode == -signal.SIGKILL:  # the machine is short of memory; the child's own bounds end otherwise
        raise Problem("not_ready", retry_after=5)
    # The child met a bound of its own, or a picture that the decoder does not survive.
    return {"refused": "not_a_picture"}
