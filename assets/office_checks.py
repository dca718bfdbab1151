"""Office documents: whether a .docx or .xlsx, .doc or .xls is one, without macros and without strings attached."""

import re
import struct
import zipfile
from collections.abc import Callable
from typing import IO, Any
from urllib.parse import urlsplit
from xml.parsers import expat

import olefile

from assets import archives
from assets.file_types import FileType
from core.errors import Problem, invalid

_MAIN = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
_CONTENT_TYPES = "[Content_Types].xml"
_MACRO_TYPE = re.compile(r"macroenabled|vbaproject|vbadata|activex|macrosheet", re.IGNORECASE)
_MACRO_PART = re.compile(r"(^|/)(vbaproject|vbadata|activex|macrosheets|dialogsheets)", re.IGNORECASE)
_HYPERLINK = "/hyperlink"
# The stream in which Windows packs any file into a document ("\x01Ole10Native", in UTF-16).
_PACKAGE = "\x01Ole10Native"
_PACKAGE_UTF16 = _PACKAGE.encode("utf-16-le")


def _macros(kind: FileType) -> Problem:
    return invalid("/file", "macro_document", f"文件含有宏，请另存为不含宏的 {kind.extension} 后重新上传")


def _mismatch(kind: FileType) -> Problem:
    return invalid(
        "/file", "content_mismatch",
        f"文件内容不是{kind.label}或已损坏，请用 Office 或 WPS 打开并另存为 {kind.extension} 后重新上传",
    )  # fmt: skip


def _package() -> Problem:
    return invalid("/file", "embedded_package", "文档中嵌入了程序或其他文件，请删除嵌入对象后重新上传")


def _encrypted() -> Problem:
    return invalid("/file", "encrypted", "文档已加密，请取消密码后重新上传")


def check_ooxml(file: IO[bytes], kind: FileType) -> None:
    """A .docx or .xlsx; raises 422 with the reason."""
    file.seek(0)
    if file.read(8) == olefile.MAGIC:
        # An encrypted document stands in the older container; so does a renamed .doc.
        raise _encrypted() if _is_encrypted_package(file) else _mismatch(kind)
    with archives.opened(file, kind.label) as archive:
        names = archive.namelist()
        if any(_MACRO_PART.search(name) for name in names):
            raise _macros(kind)
        _check_main_part(archive, names, kind)
        for member in archive.infolist():
            if member.filename.endswith(".rels"):
                _check_relations(archive, member.filename, kind)
            else:
                _read_through(archive, member)


def _check_main_part(archive: zipfile.ZipFile, names: list[str], kind: FileType) -> None:
    if _CONTENT_TYPES not in names:
        raise _mismatch(kind)
    main: set[str] = set()

    def part(_tag: str, attributes: dict[str, str]) -> None:
        content_type = attributes.get("ContentType", "")
        if _MACRO_TYPE.search(content_type):
            raise _macros(kind)
        if content_type == _MAIN[kind.extension] and "PartName" in attributes:
            main.add(attributes["PartName"].lstrip("/"))

    _each_element(archive, _CONTENT_TYPES, kind, part)
    if not main & set(names):
        raise _mismatch(kind)


def _each_element(
    archive: zipfile.ZipFile, name: str, kind: FileType, handle: Callable[[str, dict[str, str]], None]
) -> None:
    """Call `handle(tag, attributes)` for each element, without building a tree of it."""
    parser = expat.ParserCreate()

    def doctype(*_declared: object) -> None:
        # No part of an Office file declares a document type: entities, which could expand without end, need one.
        raise _mismatch(kind)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = handle
    try:
        for piece in archives.pieces(archive, archive.getinfo(name)):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _mismatch(kind) from error


def _check_relations(archive: zipfile.ZipFile, name: str, kind: FileType) -> None:
    """A link waits for a click; everything else that is external is loaded when the document is opened.

    A template or picture from a foreign server brings macros along or tells who reads.
    """

    def relation(_tag: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode") != "External" or attributes.get("Type", "").endswith(_HYPERLINK):
            return
        if _is_remote(attributes.get("Target", "")):
            raise invalid(
                "/file", "external_content",
                "文档打开时会从网络载入模板、图片或数据，请断开外部链接并另存后重新上传",
            )  # fmt: skip

    _each_element(archive, name, kind, relation)


def _is_remote(target: str) -> bool:
    text = target.strip().replace("\\", "/")
    if text.startswith("//"):
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return True
    if parts.scheme.lower() == "file":
        # file:///C:/… is the author's own disk, where Word notes its template; with a host it is a share.
        return bool(parts.netloc) or parts.path.startswith("//")
    return len(parts.scheme) > 1


def _read_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    embedded = "/embeddings/" in member.filename
    tail = b""
    for piece in archives.pieces(archive, member):
        if embedded:
            if _PACKAGE_UTF16 in tail + piece:
                raise _package()
            tail = piece[-len(_PACKAGE_UTF16) :]


def check_ole(file: IO[bytes], kind: FileType) -> None:
    """A .doc or .xls (Compound File Binary); raises 422 with the reason."""
    document = _compound(file, kind)
    try:
        streams = ["/".join(path) for path in document.listdir(streams=True, storages=True)]
        leaves = {path.rsplit("/", 1)[-1].lower() for path in streams}
        if "EncryptedPackage" in streams:
            raise _encrypted()
        if leaves & {"macros", "vba", "_vba_project", "_vba_project_cur"}:
            raise _macros(kind)
        if _PACKAGE.lower() in leaves:
            raise _package()
        main = {".doc": ["WordDocument"], ".xls": ["Workbook", "Book"]}[kind.extension]
        found = next((name for name in main if name in streams), None)
        if found is None:
            raise _mismatch(kind)
        with document.openstream(found) as stream:
            _check_main_stream(stream.read(4096), kind)
        if any(not _is_stored(document, archive) for archive in archives.found_at_end(file)):
            raise invalid(
                "/file", "polyglot",
                f"文档后附带了压缩包，请用 Office 或 WPS 打开并另存为 {kind.extension} 后重新上传",
            )  # fmt: skip
    except (OSError, IndexError, ValueError, struct.error) as error:
        raise _mismatch(kind) from error
    finally:
        document.close()


def _is_stored(document: Any, archive: archives.Span) -> bool:
    """Whether an archive ends in a sector that the document (an `OleFileIO`, whose types leave out its table of
    sectors) uses: a workbook may lie in a letter as it is."""
    # The header takes the place of a sector, which has no number.
    sector = (archive.end - 1) // document.sector_size - 1
    return bool(0 <= sector < len(document.fat) and document.fat[sector] != olefile.FREESECT)


def _compound(file: IO[bytes], kind: FileType) -> "olefile.OleFileIO[str]":
    file.seek(0)
    if file.read(8) != olefile.MAGIC:
        raise _mismatch(kind)
    file.seek(0)
    try:
        return olefile.OleFileIO(file)
    except (OSError, IndexError, ValueError, struct.error, MemoryError) as error:
        raise _mismatch(kind) from error


def _check_main_stream(head: bytes, kind: FileType) -> None:
    if kind.extension == ".doc":
        # FIB: wIdent, then at offset 10 the flags; 0x0100 is fEncrypted ([MS-DOC] 2.5.2).
        if len(head) < 32 or head[:2] != b"\xec\xa5":
            raise _mismatch(kind)
        if struct.unpack_from("<H", head, 10)[0] & 0x0100:
            raise _encrypted()
        return
    # BIFF: a BOF record, soon followed by FilePass (0x002F) when the workbook is encrypted ([MS-XLS] 2.4.117).
    if len(head) < 4 or head[0] != 0x09:
        raise _mismatch(kind)
    place = 0
    while place + 4 <= len(head):
        record, length = struct.unpack_from("<HH", head, place)
        if record == 0x002F:
            raise _encrypted()
        place += 4 + length


def _is_encrypted_package(file: IO[bytes]) -> bool:
    file.seek(0)
    try:
        with olefile.OleFileIO(file) as document:
            return bool(document.exists("EncryptedPackage"))
    except (OSError, IndexError, ValueError, struct.error):
        return False
