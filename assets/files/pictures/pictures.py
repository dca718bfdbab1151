"""Pictures lose what stands beside their pixels; they are decoded in a child process, one for each, never in this one.

Decoders of pictures that strangers send may use much memory and have security holes: the child is bounded and
confined and ends with its picture, and the memory of the server does not grow. Most photos need no decoder: their
stream is walked here, by its bytes, and written again without the rest (`assets/files/pictures/lossless.py`).
"""

import hashlib
import signal
import threading
from dataclasses import dataclass
from datetime import datetime
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import Any

import structlog

from assets.files.file_types import FileType
from assets.files.pictures import lossless
from assets.files.pictures.exif import Notes
from assets.files.pictures.fork_servers import ForkServer
from assets.files.pictures.picture_formats import JPEG, format_of, is_something_besides
from assets.files.pictures.picture_server import NO_ROOM
from core.clock import TimeLimit
from core.errors import Problem, disk_full, invalid, not_done_in_time

log = structlog.get_logger()

AT_ONCE = 2
"""Pictures that one worker process has decoded at the same time."""
_PATIENCE = 10.0
_places = threading.BoundedSemaphore(AT_ONCE)
_fork_server = ForkServer()

# What may be asked of the child: `picture_worker.py`, whose import would bring the decoders into this process.
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


def prepare(source: Path, wanted: FileType, target: Path, deadline: TimeLimit) -> Picture:
    """Write the picture to `target` as a file of the wanted type, with nothing beside its pixels.

    Raises 422 for what is no picture, too large, or something else besides; 503 when the picture could not get its
    turn, or the machine is out of time, memory or room on its disk.
    """
    as_png = wanted.extension == ".png"
    if not as_png and (kept := _keep(source, target)) is not None:
        return kept
    answer = _ask(_AS_PNG if as_png else _AS_JPEG, source, target, deadline)
    if "refused" in answer:
        raise _refusal(str(answer["refused"]))
    notes = Notes(1, answer["taken_at"], answer["latitude"], answer["longitude"])
    return _picture(int(answer["width"]), int(answer["height"]), notes, str(answer["sha256"]))


def _keep(source: Path, target: Path) -> Picture | None:
    """A JPEG whose pixels can be kept as they are: it is walked here, where nothing is decoded. None for all others."""
    with source.open("rb") as file:
        if format_of(file.read(16)) != JPEG:
            return None
        # It goes when nothing of the walk is left.
        content = mmap(file.fileno(), 0, prot=PROT_READ)
    stream = lossless.walked(content)
    if stream is None:
        return None
    if is_something_besides(content, JPEG, stream):
        raise _refusal("polyglot")
    kept = lossless.strip(stream)
    if kept is None:
        return None
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for piece in kept.pieces:
            digest.update(piece)
            file.write(piece)
    return _picture(kept.width, kept.height, kept.notes, digest.hexdigest())


def _picture(width: int, height: int, notes: Notes, sha256: str) -> Picture:
    taken_at = datetime.fromisoformat(notes.taken_at) if notes.taken_at else None
    return Picture(width, height, taken_at, notes.latitude, notes.longitude, sha256)


def _refusal(reason: str) -> Problem:
    code, message = _REFUSALS[reason]
    return invalid("/file", code, message)


def make_thumbnail(source: Path, target: Path, deadline: TimeLimit) -> None:
    """Write a small upright JPEG of a kept picture. Raises `Unreadable`, and 503 as `prepare` does."""
    answer = _ask(_THUMBNAIL, source, target, deadline)
    if "refused" in answer:
        raise Unreadable(str(answer["refused"]))


def _ask(what: bytes, source: Path, target: Path, deadline: TimeLimit) -> dict[str, Any]:
    if not _places.acquire(timeout=deadline.left(_PATIENCE)):
        raise not_done_in_time()
    try:
        answer = _fork_server.ask(what, source, target, deadline)
    finally:
        _places.release()
    if answer.get("timeout"):
        # Its own bound of computing time is lower: the machine is busy, or its disk slow.
        log.warning("picture_timeout")
        raise not_done_in_time()
    if "returncode" not in answer:
        return answer
    returncode = answer["returncode"]
    log.warning("picture_failed", returncode=returncode)
    if returncode == NO_ROOM:
        raise disk_full()
    if returncode == -signal.SIGKILL:  # the machine is short of memory; the child's own bounds end otherwise
        raise not_done_in_time()
    # The child met a bound of its own, or a picture that the decoder does not survive.
    return {"refused": "not_a_picture"}
