"""Compound files (OLE: .doc, .xls, and objects within other documents): their type, and active content in them.

olefile reads the container, oletools finds macros and packed files and reads the records of workbooks, msoffcrypto
handles passwords. Two searches are done here: for Excel 4 macros, because oletools reports "none found" when its own
search fails, and for DDE links in a text, because oletools misses those that begin with a blank, as Word writes them.
"""

import io
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

import msoffcrypto
import olefile
from msoffcrypto.exceptions import FileFormatError, ParseError
from oletools import xls_parser
from oletools.common.clsid import KNOWN_CLSIDS
from oletools.crypto import EXCEL_TRANSPARENT_PASSWORD
from oletools.oleobj import OleNativeStream
from oletools.olevba import OlevbaBaseException, VBA_Parser

from assets.files.documents import archives, foreign_formats, office_checks
from assets.files.file_types import FILE_TYPES, FileType
from core.errors import Problem, invalid

_MAIN = {"worddocument": ".doc", "workbook": ".xls", "book": ".xls"}
_OTHERS = {"powerpoint document": "PowerPoint 演示文稿", "visiodocument": "Visio 绘图", "fileheader": "HWP 文档"}
_BROKEN = (
    OSError, IndexError, ValueError, TypeError, AttributeError, struct.error, MemoryError, RecursionError,
    OlevbaBaseException,
)  # fmt: skip
_WORD, _WORD_95 = b"\xec\xa5", b"\xdc\xa5"
# Classes of monikers that load the address they hold: URL, script, SOAP.
_FETCHING = [
    UUID(name).bytes_le
    for name in (
        "79EAC9E0-BAF9-11CE-8C82-00AA004BA90B", "06290BD3-48AA-11D2-8432-006008C3FBFC",
        "ECABB0C7-7F19-11D2-978E-0000F8757E2A",
    )
]  # fmt: skip
_PACKAGER = "OLE Package"
# The beginning of a field and its first word, in one or two bytes per character.
_DDE_FIELD = re.compile(rb"\x13\0?(?:[ \t]\0?)*D\0?D\0?E\0?(?:A\0?U\0?T\0?O\0?)?[ \t]", re.IGNORECASE)
_FILE_PASS, _SHEET, _MACRO_SHEET, _MACRO_STREAM = 0x002F, 0x0085, 1, 0x40


def check(file: IO[bytes], named: FileType, allowed: Sequence[str], check_embedded: archives.EmbeddedCheck) -> FileType:
    """The type of a compound file; raises 422 with the reason."""
    with _opened(file, named, allowed) as document:
        names = {path[0].lower(): path[0] for path in document.listdir() if len(path) == 1}
        kind = _kind(document, names, named, allowed)
        unwanted = foreign_formats.unwanted(kind, named, allowed)
        if unwanted is not None:
            raise unwanted
        _check_macros(file, kind, allowed)
        _check_streams(document, allowed, check_embedded)
        if any(not _is_stored(document, archive) for archive in archives.find_trailing_archives(file)):
            message = f"文档后附带了压缩包，{foreign_formats.save_as(kind, allowed)}"
            raise invalid("/file", "polyglot", message)
    return kind


@contextmanager
def _opened(file: IO[bytes], named: FileType, allowed: Sequence[str]) -> "Iterator[olefile.OleFileIO[str]]":
    file.seek(0)
    try:
        with olefile.OleFileIO(file) as document:
            yield document
    except _BROKEN as error:
        raise foreign_formats.mismatch(named, allowed) from error


def unlocked(file: IO[bytes]) -> IO[bytes]:
    """The file, decrypted if needed with the password that Excel uses for a workbook with protected structure.

    Every reader knows that password. Raises 422 `encrypted` for a file with any other password.
    """
    try:
        locked = msoffcrypto.OfficeFile(file)
        if not locked.is_encrypted():
            return file
    except (FileFormatError, ParseError, *_BROKEN):
        # Not a document that the library knows; the checks that follow find out what it is.
        return file
    opened = io.BytesIO()
    try:
        locked.load_key(password=EXCEL_TRANSPARENT_PASSWORD)
        locked.decrypt(opened)
    except Exception as error:  # whatever the library raises, the file cannot be decrypted
        raise _encrypted() from error
    opened.seek(0)
    return opened


def _encrypted() -> Problem:
    return invalid("/file", "encrypted", "文档设有密码，审阅人员无法打开，请取消密码后重新上传")


def _kind(document: Any, names: dict[str, str], named: FileType, allowed: Sequence[str]) -> FileType:
    if "encryptedpackage" in names:
        raise _encrypted()
    main = next((name for name in _MAIN if name in names), None)
    if main is None:
        what = next((label for name, label in _OTHERS.items() if name in names), None)
        if not allowed:
            return named
        if what is not None:
            message = f"文件内容是 {what}，{foreign_formats.save_as(named, allowed)}"
            raise invalid("/file", "content_mismatch", message)
        raise foreign_formats.mismatch(named, allowed)
    with document.openstream(names[main]) as stream:
        head = stream.read(32)
    # A text begins with the FIB ([MS-DOC] 2.5.2), a workbook with a record BOF ([MS-XLS] 2.4.21).
    fits = head[:2] in (_WORD, _WORD_95) if main == "worddocument" else head[:1] == b"\x09"
    if not fits or len(head) < 4:
        raise foreign_formats.mismatch(named, allowed)
    return FILE_TYPES[_MAIN[main]]


def _check_macros(file: IO[bytes], kind: FileType, allowed: Sequence[str]) -> None:
    file.seek(0)
    parser = VBA_Parser("document", data=file.read())
    try:
        if parser.detect_vba_macros():
            raise office_checks.macros(kind, allowed)
    finally:
        parser.close()


def _check_streams(document: Any, allowed: Sequence[str], check_embedded: archives.EmbeddedCheck) -> None:
    for path in document.listdir(streams=True, storages=True):
        name = path[-1].lower()
        if document.get_type(path) != olefile.STGTY_STREAM:
            _check_class(document.getclsid(path))
        elif name in ("workbook", "book"):
            _check_workbook(document, path, allowed)
        elif name == "worddocument":
            if _DDE_FIELD.search(document.openstream(path).read()):
                raise office_checks.dde(FILE_TYPES[".doc"])
        elif name == "\x01ole10native":
            _check_native(document.openstream(path).read(), document.getclsid(path[:-1]), check_embedded)
        elif name in ("package", "contents"):
            content = document.openstream(path).read()
            if content.startswith((b"PK\x03\x04", b"%PDF-", olefile.MAGIC)):
                check_embedded(content, [])
        elif name == "\x01ole":
            link = document.openstream(path).read()
            if any(moniker in link for moniker in _FETCHING):
                raise office_checks.foreign("链接的对象")


def _check_class(clsid: str) -> None:
    """Refuse classes of objects that oletools lists as exploits.

    Equations are accepted: they are common, and their vulnerable editor was removed from Office.
    """
    known = KNOWN_CLSIDS.get(clsid.upper(), "")
    if ("CVE" in known or "exploit" in known) and "Equation" not in known and "StdOleLink" not in known:
        raise invalid("/file", "embedded_package", "文档中嵌入了可执行的控件，请删除该对象后重新上传")


class _Records(xls_parser.WorkbookStream):  # type: ignore[misc]
    """The records of a workbook; oletools reads no data for those of sheets and passwords, this class does."""

    @classmethod
    def record_class_for_type(cls, rec_type: int) -> tuple[type[Any], bool]:
        if rec_type in (_SHEET, _FILE_PASS):
            return xls_parser.XlsRecord, True
        found: tuple[type[Any], bool] = super().record_class_for_type(rec_type)
        return found


def _check_workbook(document: Any, path: list[str], allowed: Sequence[str]) -> None:
    kind = FILE_TYPES[".xls"]
    size = document.get_size(path)
    for record in _Records(document.openstream(path), size, path[-1], olefile.STGTY_STREAM).iter_records():
        if record.type == _FILE_PASS:
            raise _encrypted()
        macro = record.type == _SHEET and len(record.data) > 5 and record.data[5] == _MACRO_SHEET
        if macro or getattr(record, "doctype", None) == _MACRO_STREAM:
            otherwise = "或另存为 .xlsx " if not allowed or ".xlsx" in allowed else ""
            message = f"文件含有 Excel 4.0 宏表，请删除宏表（包括隐藏的）{otherwise}后重新上传"
            raise invalid("/file", "macro_document", message)
        if getattr(record, "support_link_type", None) == xls_parser.XlsRecordSupBook.LINK_TYPE_OLE_DDE:
            raise office_checks.dde(kind)


def _check_native(stream: bytes, clsid: str, check_embedded: archives.EmbeddedCheck) -> None:
    """Check a native stream: a program's own data (Paint: a bitmap, ClipArt: a drawing), or a file of the packager.

    The class names the program that opens it. Without a class it is checked as a file of the packager.
    """
    if clsid and not KNOWN_CLSIDS.get(clsid.upper(), "").startswith(_PACKAGER):
        check_embedded(stream[4:], [])
        return
    try:
        packed = OleNativeStream(bindata=stream)
    except _BROKEN:
        # Not a readable package; a name is given, so that it is not accepted as a program's own drawing.
        check_embedded(stream[4:], [""])
        return
    check_embedded(packed.data or b"", [packed.filename, packed.src_path, packed.temp_path, ""])


def _is_stored(document: Any, archive: archives.Span) -> bool:
    """Whether an archive ends in a sector that the document uses: a letter may hold a workbook uncompressed.

    The document is an `OleFileIO`, whose type hints leave out `fat`.
    """
    # The header takes the space of one sector, which is not numbered.
    sector = (archive.end - 1) // document.sector_size - 1
    return bool(0 <= sector < len(document.fat) and document.fat[sector] != olefile.FREESECT)
