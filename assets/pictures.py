"""Pictures are decoded and re-encoded in a child process, one for each picture.

A decoder fed by strangers is where memory runs out and where holes are found: the child bounds
itself and dies with its picture, and the worker's own memory stays flat. It is started as a program
rather than forked, because a worker has threads.
"""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from assets.file_types import FileType
from core.errors import Problem, invalid

log = structlog.get_logger()

TIMEOUT = 30.0
"""Seconds that a picture may take; most take a tenth of one."""
AT_ONCE = 2
"""Pictures that one worker process has decoded at the same time."""
_PATIENCE = 60.0
_NO_ROOM = 75
"""`NO_ROOM` of the child; importing it from there would bring the decoders into this process."""
_PROGRAM = Path(__file__).with_name("picture_worker.py")
_places = threading.BoundedSemaphore(AT_ONCE)

_REFUSALS = {
    "not_a_picture": ("content_mismatch", "文件内容不是有效的图片或已损坏，请重新拍照或另存后上传"),
    "too_large": ("picture_too_large", "图片尺寸过大（最多 4000 万像素），请缩小后重新上传"),
    "polyglot": ("polyglot", "图片中附带了压缩包、程序或网页，请重新拍照或另存后上传"),
}
_EXTENSIONS = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",)}


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a re-encoded picture. Degrees are decimal, north and east positive."""

    width: int
    height: int
    taken_at: datetime | None
    latitude: str | None
    longitude: str | None


def reencode(source: Path, kind: FileType, picture: Path, thumbnail: Path) -> Picture:
    """Write the upright picture without its metadata, and its thumbnail, to the two paths.

    Raises 422 for what is no picture of that type, too large, or something else besides; 503 when
    the picture could not get its turn, or the machine is out of time, memory or room on its disk.
    """
    if not _places.acquire(timeout=_PATIENCE):
        raise Problem("not_ready", retry_after=5)
    try:
        answer = _run(source, picture, thumbnail)
    finally:
        _places.release()
    if "refused" in answer:
        code, message = _REFUSALS[str(answer["refused"])]
        raise invalid("/file", code, message)
    if kind.extension not in _EXTENSIONS[str(answer["format"])]:
        raise invalid(
            "/file", "content_mismatch",
            f"文件内容是 {answer['format']} 图片，与扩展名 {kind.extension} 不符，请改名后重新上传",
        )  # fmt: skip
    taken_at = answer["taken_at"]
    return Picture(
        width=int(str(answer["width"])),
        height=int(str(answer["height"])),
        taken_at=datetime.fromisoformat(str(taken_at)) if taken_at else None,
        latitude=str(answer["latitude"]) if answer["latitude"] else None,
        longitude=str(answer["longitude"]) if answer["longitude"] else None,
    )


def _run(source: Path, picture: Path, thumbnail: Path) -> dict[str, object]:
    # Isolated (-I) and with an empty environment: the child has nothing to give away.
    command = [sys.executable, "-I", str(_PROGRAM), *(str(path.absolute()) for path in (source, picture, thumbnail))]
    try:
        done = subprocess.run(  # noqa: S603 -- our own program; the paths are random names of ours
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False, env={},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        # Its own bound of computing time is lower: the machine is busy, or its disk slow.
        log.warning("picture_timeout", seconds=TIMEOUT)
        raise Problem("not_ready", retry_after=5) from error
    if done.returncode != 0:
        told = done.stderr[-300:].decode(errors="replace")
        log.warning("picture_failed", returncode=done.returncode, error=told)
        if done.returncode == _NO_ROOM:
            raise Problem("storage_unavailable", retry_after=10)
        if done.returncode == -signal.SIGKILL:  # the machine is short of memory; the child's own bounds end otherwise
            raise Problem("not_ready", retry_after=5)
        # The child met a bound of its own, or a picture that the decoder does not survive.
        return {"refused": "not_a_picture"}
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
