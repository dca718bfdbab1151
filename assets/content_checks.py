"""Whether the content of a file is what its extension says, by reading it once and without opening it in anything.

Pictures are judged where they are decoded, in `assets/picture_worker.py`.
"""

import re
import tempfile
import zipfile
from collections.abc import Callable
from typing import IO

from assets import archives, picture_formats
from assets.file_types import FILE_TYPES, OLE, OOXML, PDF, PICTURE, ZIP, FileType
from assets.office_checks import check_ole, check_ooxml
from core.errors import Problem, invalid

_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d")
_PDF_END = 1024
_STREAM = re.compile(rb"\bstream\r?\n\Z")
_STREAM_END = re.compile(rb"\s*endstream\b")
_SPOOL = 1024 * 1024
_LONGEST_MEMBER_NAME = 200
_TEXT = ".txt"
_IN_ARCHIVE = "、".join([*(name for name in FILE_TYPES if name != ".zip"), _TEXT])


def check_content(file: IO[bytes], kind: FileType) -> None:
    """Raise 422 with the reason when the file is not what it says; pictures pass."""
    check = _CHECKS.get(kind.shape)
    if check is not None:
        check(file, kind)


def _check_pdf(file: IO[bytes], kind: FileType) -> None:
    mismatch = invalid("/file", "content_mismatch", "文件内容不是 PDF 文档或已损坏，请重新导出为 PDF 后上传")
    file.seek(0)
    if not _PDF_HEAD.match(file.read(16)):
        raise mismatch
    size = file.seek(0, 2)
    file.seek(max(0, size - _PDF_END))
    tail = file.read(_PDF_END)
    if b"%%EOF" not in tail or b"startxref" not in tail:
        raise mismatch
    if not all(_is_attachment(file, archive) for archive in archives.found_at_end(file)):
        raise invalid("/file", "polyglot", "PDF 文档后附带了压缩包，请重新导出为 PDF 后上传")


def _is_attachment(file: IO[bytes], archive: archives.Span) -> bool:
    """Whether an archive fills a stream of the PDF: a Word document that is attached to it without being packed."""
    if archive.start < 0:
        return False
    file.seek(max(0, archive.start - 16))
    before = file.read(min(16, archive.start))
    file.seek(archive.end)
    return _STREAM.search(before) is not None and _STREAM_END.match(file.read(16)) is not None


def _check_zip(file: IO[bytes], kind: FileType) -> None:
    with archives.opened(file, kind.label) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if not members:
            raise invalid("/file", "empty_file", "压缩包是空的，请重新打包后上传")
        for member in archive.infolist():
            _check_path(member)
        for member in members:
            name = archives.member_name(member)
            try:
                _check_member(archive, member, name)
            except Problem as problem:
                raise _within(name, problem) from problem


def _check_path(member: zipfile.ZipInfo) -> None:
    name = archives.member_name(member)
    parts = name.replace("\\", "/").split("/")
    # Unix keeps the kind of a file in the upper half of its attributes: 0xA is a symbolic link.
    link = (member.external_attr >> 28) == 0xA
    if link or "\0" in name or ".." in parts or parts[0] == "" or ":" in parts[0] or len(name) > _LONGEST_MEMBER_NAME:
        raise invalid("/file", "unsafe_path", "压缩包内有不安全的路径，请重新打包后上传")


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    extension = "." + name.rpartition(".")[2].lower() if "." in name else ""
    kind = FILE_TYPES.get(extension)
    if (kind is None and extension != _TEXT) or (kind is not None and kind.shape == ZIP):
        raise invalid("/file", "type_not_allowed", f"不支持的文件格式，压缩包内目前支持 {_IN_ARCHIVE}")
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as content:
        for piece in archives.pieces(archive, member):
            content.write(piece)
        content.seek(0)
        head = content.read(16)
        if kind is None:
            if b"\0" in head or head.startswith((b"#!", b"MZ", b"<")):
                raise invalid("/file", "content_mismatch", "文件内容不是纯文本")
        elif kind.shape == PICTURE:
            # Any of them under any of their endings: programs go by the content.
            if picture_formats.format_of(head) is None:
                raise invalid("/file", "content_mismatch", f"文件内容不是{kind.label}")
        else:
            check_content(content, kind)


def _within(name: str, problem: Problem) -> Problem:
    fault = problem.errors[0]
    return invalid("/file", fault.code, f"压缩包内的“{name[-60:]}”：{fault.message}")


_CHECKS: dict[str, Callable[[IO[bytes], FileType], None]] = {
    PDF: _check_pdf,
    OLE: check_ole,
    OOXML: check_ooxml,
    ZIP: _check_zip,
}
