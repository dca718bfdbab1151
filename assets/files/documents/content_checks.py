"""Which type a document has by its content, and whether it may be kept.

This runs in the child process of `check_worker.py`, so that the libraries that read untrusted documents (qpdf,
oletools) are confined. Each library is imported where a document needs it: importing all takes longer than checking
one. Pictures are checked where they are decoded, in `assets/files/pictures/picture_worker.py`.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import IO

from assets.files.documents import archives, foreign_formats
from assets.files.file_types import FILE_TYPES, OLE_HEAD, PDF_HEAD_WITHIN, PICTURE, UNNAMED, ZIP, ZIP_HEAD, FileType
from assets.files.pictures import picture_formats
from assets.zip_bounds import member_name
from core.errors import Problem, invalid

_PICTURES = {
    picture_formats.JPEG: ".jpg",
    picture_formats.PNG: ".png",
    picture_formats.WEBP: ".webp",
    picture_formats.HEIC: ".heic",
}
_DEEPEST = 3
"""Most levels of nesting, as a workbook in a letter in a PDF; real documents are not nested deeper."""
_TEXT = ".txt"
_IN_ARCHIVE = "、".join([*(name for name in FILE_TYPES if name != ".zip"), _TEXT])


def check(file: IO[bytes], named: FileType, allowed: Sequence[str], *, depth: int = 0) -> FileType:
    """The type of the file; `named` is the type by its name, `allowed` the accepted extensions (none: all).

    Raises 422 with the reason and what to do when it is damaged, encrypted, dangerous, or of another type.
    """
    if depth > _DEEPEST:
        raise invalid("/file", "nested_too_deep", "文档中嵌入的文件层数过多，请删除嵌入的文件后重新上传")
    kind = _recognised(file, named, allowed, depth)
    unwanted = foreign_formats.unwanted(kind, named, allowed)
    if unwanted is not None:
        raise unwanted
    return kind


def _recognised(file: IO[bytes], named: FileType, allowed: Sequence[str], depth: int) -> FileType:
    def check_embedded(content: bytes, names: Sequence[str]) -> None:
        from assets.files.documents import embedded_checks

        embedded_checks.check(content, names, lambda document: _nested(document, depth + 1))

    file.seek(0)
    head = file.read(PDF_HEAD_WITHIN)
    if head.startswith(OLE_HEAD):
        from assets.files.documents import compound_checks

        file = compound_checks.unlocked(file)
        file.seek(0)
        head = file.read(len(OLE_HEAD))
        if head == OLE_HEAD:
            return compound_checks.check(file, named, allowed, check_embedded)
    if head.startswith(ZIP_HEAD):
        return _check_container(file, named, allowed, check_embedded)
    format_ = picture_formats.format_of(head)
    if format_ is not None:
        return FILE_TYPES[_PICTURES[format_]]
    if b"%PDF-" in head:
        from assets.files.documents import pdf_checks

        # The type is checked before the content: advice on a faulty PDF is useless where PDF is not accepted. The
        # other types are checked in the same order.
        unwanted = foreign_formats.unwanted(FILE_TYPES[".pdf"], named, allowed)
        if unwanted is not None:
            raise unwanted
        pdf_checks.check(file, check_embedded)
        return FILE_TYPES[".pdf"]
    raise foreign_formats.refusal(head, named, allowed)


def _nested(document: bytes, depth: int) -> None:
    """Check a document within another. Any type is accepted: slides and drawings are shown as a picture."""
    check(io.BytesIO(document), FILE_TYPES[".docx"], (), depth=depth)


def _check_container(
    file: IO[bytes], named: FileType, allowed: Sequence[str], check_embedded: archives.EmbeddedCheck
) -> FileType:
    with archives.opened(file, "压缩包" if named.shape in (PICTURE, UNNAMED.shape) else named.label) as archive:
        names = {name.lower() for name in archive.namelist()}
        if "[content_types].xml" in names:
            from assets.files.documents import office_checks

            return office_checks.check(archive, named, allowed, check_embedded)
        strange = foreign_formats.container(archive, named, allowed)
        if strange is not None:
            raise strange
        if allowed and ".zip" not in allowed:
            raise foreign_formats.mismatch(named, allowed)
        _check_members(archive)
    return FILE_TYPES[".zip"]


def _check_members(archive: zipfile.ZipFile) -> None:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if not members:
        raise invalid("/file", "empty_file", "压缩包是空的，请重新打包后上传")
    for member in members:
        name = member_name(member)
        try:
            _check_member(archive, member, name)
        except Problem as problem:
            raise _within(name, problem) from problem


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    extension = "." + name.rpartition(".")[2].lower() if "." in name else ""
    kind = FILE_TYPES.get(extension)
    if (kind is None and extension != _TEXT) or (kind is not None and kind.shape == ZIP):
        raise invalid("/file", "type_not_allowed", f"不支持的文件格式，压缩包内目前支持 {_IN_ARCHIVE}")
    content = b"".join(archives.pieces(archive, member))
    if kind is not None:
        # After unpacking it is opened by this name: a document must be some document, and a picture some picture.
        same = [name for name, other in FILE_TYPES.items() if (other.shape == PICTURE) == (kind.shape == PICTURE)]
        check(io.BytesIO(content), kind, [name for name in same if name != ".zip"], depth=1)
    elif b"\0" in content[:1024] or content.startswith((b"#!", b"MZ", b"<")):
        raise invalid("/file", "content_mismatch", "文件内容不是纯文本，请另存为纯文本后重新上传")


def _within(name: str, problem: Problem) -> Problem:
    fault = problem.errors[0]
    return invalid("/file", fault.code, f"压缩包内的“{name[-60:]}”：{fault.message}")
