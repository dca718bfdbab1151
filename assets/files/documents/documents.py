"""Checking uploaded documents, each in a child process of its own, because libraries read untrusted content there.

The child (`check_worker.py`) sets its own limits and confines itself; the memory of the server does not grow. The
document is not changed: the kept bytes are those that were sent.
"""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import structlog

from assets.files.file_types import FILE_TYPES, OLE_HEAD, PDF_HEAD_WITHIN, PICTURE, ZIP_HEAD, FileType
from assets.files.pictures import picture_formats
from assets.files.purposes import FilePurpose
from core.clock import TimeLimit
from core.errors import invalid, not_done_in_time

log = structlog.get_logger()

TIMEOUT = 15.0
"""Seconds that a document may take; most take a third of a second."""
AT_ONCE = 2
"""Documents that one server process has checked at the same time."""
_PATIENCE = 10.0  # seconds to wait for a slot
_PROGRAM = Path(__file__).with_name("check_worker.py")
_places = threading.BoundedSemaphore(AT_ONCE)


def recognise(source: Path, named: FileType, purpose: FilePurpose, deadline: TimeLimit) -> FileType:
    """The type of the file by its content, one of those that the purpose allows; its name does not decide.

    A document is checked now, a picture when it is decoded. Raises as `check` does.
    """
    with source.open("rb") as file:
        head = file.read(PDF_HEAD_WITHIN)
    format_ = picture_formats.format_of(head)
    document = head.startswith((OLE_HEAD, ZIP_HEAD)) or b"%PDF-" in head
    if format_ is not None or (named.shape == PICTURE and not document):
        return _kept_as(format_, named, purpose)
    return check(source, named, purpose, deadline)


def _kept_as(format_: str | None, named: FileType, purpose: FilePurpose) -> FileType:
    """The type as which a picture is stored, by its content and by what the purpose allows.

    The name does not decide, because phones and messengers give pictures wrong extensions. HEIC and WebP become JPEG,
    which every program shows.
    """
    if format_ == picture_formats.JPEG and named.extension == ".jpeg" and ".jpeg" in purpose.extensions:
        return named
    fitting = (".png", ".jpg") if format_ == picture_formats.PNG else (".jpg", ".png")
    kept = next((extension for extension in fitting if extension in purpose.extensions), None)
    if kept is None:
        code = "content_mismatch" if named.extension in purpose.extensions else "type_not_allowed"
        raise invalid("/file", code, f"文件是图片，{purpose.label}目前支持 {purpose.allowed}，请另存后重新上传")
    return FILE_TYPES[kept]


def check(source: Path, named: FileType, purpose: FilePurpose, deadline: TimeLimit) -> FileType:
    """The type of the document, one of those that the purpose allows.

    Raises 422 with the reason and what to do; 503 when no slot became free in time, or the machine lacks time or
    memory.
    """
    if not _places.acquire(timeout=deadline.left(_PATIENCE)):
        raise not_done_in_time()
    try:
        answer = _run(source, named, purpose, deadline.left(TIMEOUT))
    finally:
        _places.release()
    if "code" in answer:
        raise invalid("/file", answer["code"], answer["message"])
    return FILE_TYPES[answer["extension"]]


def _run(source: Path, named: FileType, purpose: FilePurpose, seconds: float) -> dict[str, str]:
    # Isolated (-I) and with an empty environment, so that the child holds no secret.
    command = [sys.executable, "-I", str(_PROGRAM), str(source.absolute()), named.extension, *purpose.extensions]
    try:
        done = subprocess.run(  # noqa: S603 -- our own program; the path is a random name of ours
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False, env={},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        # The child's limit of CPU time is lower, so the machine is busy or its disk is slow.
        log.warning("document_check_timeout", seconds=seconds)
        raise not_done_in_time() from error
    if done.returncode == 0:
        answer: dict[str, str] = json.loads(done.stdout)
        return answer
    log.warning("document_check_failed", returncode=done.returncode, error=done.stderr[-500:].decode(errors="replace"))
    if done.returncode == -signal.SIGKILL:  # the machine is out of memory; the child's own limits end it in other ways
        raise not_done_in_time()
    return {
        "code": "too_complex",
        "message": f"文件结构异常或过于复杂，无法检查，{_advice(purpose)}",
    }


def _advice(purpose: FilePurpose) -> str:
    if ".pdf" in purpose.extensions:
        return "请打印或扫描为 PDF 后重新上传"
    return f"请换用 {purpose.allowed} 文件重新上传"
