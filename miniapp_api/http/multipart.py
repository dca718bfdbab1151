"""A body with one file (multipart/form-data): the file goes to disk while it arrives, and is removed afterwards."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from assets.files.file_types import LARGEST_FILE, MIB
from core.errors import Fault, Problem
from core.text import clean_line

_ENVELOPE = 64 * 1024
"""Bytes that a multipart body may hold besides the file."""
_MOST_PARTS = 8
_READ_AT_ONCE = 256 * 1024
_FORM_MEMORY = 4 * _READ_AT_ONCE
"""For the fields beside the file, and for the parser's own buffer, which holds a read and what was left of the last."""


@contextmanager
def received_file(
    incoming: Path, faults_of: Callable[[Mapping[str, str]], list[Fault]] = lambda _form: []
) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Where the file of the body lies, its name, and the fields beside it. Raises 400, 413, 415, 422.

    `faults_of` names what is wrong with the fields, so that all faults come at once.
    """
    if request.mimetype != "multipart/form-data":
        raise Problem("unsupported_media_type", "上传文件请使用 multipart/form-data")
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary.isascii() or not 1 <= len(boundary) <= 200:
        raise Problem("bad_request")
    request.max_content_length = LARGEST_FILE + _ENVELOPE
    with ExitStack() as opened:

        def on_disk(*_described: object, **_more: object) -> IO[bytes]:
            file = opened.enter_context(tempfile.NamedTemporaryFile(dir=incoming, prefix="upload-", delete=False))
            opened.callback(Path(file.name).unlink, missing_ok=True)  # the storage may have moved it
            return file

        parser = MultiPartParser(
            on_disk, max_form_memory_size=_FORM_MEMORY, max_form_parts=_MOST_PARTS, buffer_size=_READ_AT_ONCE
        )
        try:
            sent, files = parser.parse(request.stream, boundary.encode(), request.content_length)
        except RequestEntityTooLarge as error:
            raise Problem("payload_too_large", f"文件不能超过 {LARGEST_FILE // MIB}M") from error
        except ValueError as error:
            raise Problem("bad_request") from error
        form = {name: clean_line(value) for name, value in sent.items()}
        parts = files.getlist("file")
        faults = [] if len(parts) == 1 else [Fault("/file", "required", "请选择一个文件上传（每次一个）")]
        faults += faults_of(form)
        if faults:
            raise Problem("invalid", errors=faults)
        parts[0].stream.flush()
        yield Path(parts[0].stream.name), parts[0].filename or "", form
