"""Preparing uploaded pictures: metadata is removed, and each picture is decoded in a child process of its own.

Decoders may use much memory and have security holes, and strangers send the pictures. So the child has limits, is
confined, and ends with its picture; the memory of the server does not grow. Most photos need no decoder: their stream
is parsed here and written again without its metadata (`assets/files/pictures/lossless.py`).
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
from assets.files.pictures.picture_formats import JPEG, format_of, is_polyglot
from assets.files.pictures.picture_server import NO_ROOM
from core.clock import TimeLimit
from core.errors import Problem, disk_full, invalid, not_done_in_time

log = structlog.get_logger()

AT_ONCE = 2
"""Pictures that one worker process has decoded at the same time."""
_PATIENCE = 10.0  # seconds to wait for a slot
_places = threading.BoundedSemaphore(AT_ONCE)
_fork_server = ForkServer()

# As in `picture_worker.py`, which is not imported here because that would load the decoders into this process.
_AS_JPEG, _AS_PNG, _THUMBNAIL = b"J", b"P", b"T"

_REFUSALS = {
    "not_a_picture": ("content_mismatch", "文件内容不是有效的图片或已损坏，请重新拍照或另存后上传"),
    "too_large": ("picture_too_large", "图片尺寸过大，无法处理，请缩小后重新上传"),
    "polyglot": ("polyglot", "图片中附带了压缩包、程序或网页，请重新拍照或另存后上传"),
}


class Unreadable(Exception):
    """A stored picture cannot be decoded; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Facts about a picture as it is kept.

    Width and height are those of the upright picture; degrees are decimal, north and east positive; `sha256` is that
    of the kept bytes.
    """

    width: int
    height: int
    taken_at: datetime | None
    latitude: str | None
    longitude: str | None
    sha256: str


def prepare(source: Path, wanted: FileType, target: Path, deadline: TimeLimit) -> Picture:
    """Write the picture to `target` as a file of the wanted type, without metadata.

    Raises 422 when it is no picture, too large, or a polyglot; 503 when no slot became free in time, or the machine
    lacks time, memory or disk space.
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
    """Write a JPEG whose pixels can be kept as they are; None for every other picture. Nothing is decoded."""
    with source.open("rb") as file:
        if format_of(file.read(16)) != JPEG:
            return None
        # Not closed here: the parsed stream refers to it, and it is freed together with the stream.
        content = mmap(file.fileno(), 0, prot=PROT_READ)
    stream = lossless.parse(content)
    if stream is None:
        return None
    if is_polyglot(content, JPEG, stream):
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
        # The child's limit of CPU time is lower, so the machine is busy or its disk is slow.
        log.warning("picture_timeout")
        raise not_done_in_time()
    if "returncode" not in answer:
        return answer
    returncode = answer["returncode"]
    log.warning("picture_failed", returncode=returncode)
    if returncode == NO_ROOM:
        raise disk_full()
    if returncode == -signal.SIGKILL:  # the machine is out of memory; the child's own limits end it in other ways
        raise not_done_in_time()
    # The child met a limit of its own, or the picture crashed the decoder.
    return {"refused": "not_a_picture"}
