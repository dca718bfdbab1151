"""Office Open XML (.docx, .xlsx): whether the package is valid, without macros, DDE links and external content.

Read here is what Office itself uses: the relationships and content types of the package (ISO/IEC 29500-2) and the
fields of the text. oletools is used for macros in embedded objects only: it reads one part of each run of a field and
no field within a tracked insertion or a link, and it does not find pictures and data from other servers.
"""

import itertools
import posixpath
import re
import zipfile
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from assets.files.documents import archives, foreign_formats
from assets.files.documents.field_checks import FieldReader
from assets.files.file_types import FILE_TYPES, OLE, OOXML, FileType
from assets.xml_parts import XmlFault, read_part, read_prolog
from core.errors import Problem, invalid

_TYPES = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": ".xlsx",
}
_OTHERS = {
    "sheet.binary": "Excel 二进制工作簿（.xlsb）",
    "template.main": "Office 模板",
    "presentationml": "PowerPoint 演示文稿",
    "visio": "Visio 绘图",
}
_CONTENT_TYPES = "[content_types].xml"
_MACRO_TYPE = re.compile(r"macroenabled|vbaproject|vbadata|activex|macrosheet", re.IGNORECASE)
_MACRO_PART = re.compile(r"(^|/)(vbaproject|vbadata|activex|macrosheets|dialogsheets)", re.IGNORECASE)
_MAIN = "/officeDocument"
_HYPERLINK = "/hyperlink"
_CHUNK = "/aFChunk"
_XML = (".xml", ".rels", ".vml")


def macros(kind: FileType, allowed: Sequence[str]) -> Problem:
    """422 for a document with macros."""
    own = kind.extension if kind.shape in (OLE, OOXML) else ".docx"
    fitting = [advice for extension, advice in ((own, f"另存为不含宏的 {own}"), (".pdf", "导出为 PDF"))
               if not allowed or extension in allowed]  # fmt: skip
    advice = " 或".join(fitting) or f"改用 {'、'.join(allowed)} 文件"
    return invalid("/file", "macro_document", f"文件含有宏或控件，请{advice} 后重新上传")


def dde(kind: FileType) -> Problem:
    """422 for a document with a DDE link, which starts another program when it is updated."""
    return invalid(
        "/file", "active_content",
        f"文件含有会启动其他程序的 DDE 链接，请将其转为普通文字或数值，再另存为 {kind.extension} 后重新上传",
    )  # fmt: skip


def foreign(what: str) -> Problem:
    """422 for a document that loads something from elsewhere when it is opened."""
    return invalid("/file", "external_content", f"文档打开时会从网络载入{what}，请断开外部链接并另存后重新上传")


def check(
    archive: zipfile.ZipFile, named: FileType, allowed: Sequence[str], check_embedded: archives.EmbeddedCheck
) -> FileType:
    """The type of a package; raises 422 with the reason."""
    package = _Package(archive, named, allowed)
    kind = package.kind()
    unwanted = foreign_formats.unwanted(kind, named, allowed)
    if unwanted is not None:
        raise unwanted
    for member in archive.infolist():
        if member.filename.lower().endswith(".rels"):
            package.check_relations(member)
        elif "wordprocessingml" in package.type_of(member.filename):
            fields = FieldReader()
            package.each_element(member, fields.start, fields.end, fields.text)
            if fields.found_dde:
                raise dde(kind)
            if any(is_remote(target) for target in fields.loaded):
                raise foreign("图片或文字")
        elif "externalLink" in package.type_of(member.filename):
            package.each_element(member, _refuse_dde_link)
        else:
            package.check_other(member, check_embedded)
    return kind


def _refuse_dde_link(tag: str, _attributes: dict[str, str]) -> None:
    if tag.rpartition(":")[2].lower() == "ddelink":
        raise dde(FILE_TYPES[".xlsx"])


class _Package:
    def __init__(self, archive: zipfile.ZipFile, named: FileType, allowed: Sequence[str]) -> None:
        self._archive, self._named, self._allowed = archive, named, allowed
        # Part names are case-insensitive.
        self._members = {member.filename.lower(): member for member in archive.infolist()}
        self._types: dict[str, str] = {}
        self._defaults: dict[str, str] = {}

    def _mismatch(self) -> Problem:
        return foreign_formats.mismatch(self._named, self._allowed)

    def kind(self) -> FileType:
        """The type of the package, by the content type of its main part."""
        if any(_MACRO_PART.search(name) for name in self._members):
            raise macros(self._named, self._allowed)

        def declared(_tag: str, attributes: dict[str, str]) -> None:
            content_type = attributes.get("ContentType", "")
            if _MACRO_TYPE.search(content_type) and "sheet.binary" not in content_type:
                raise macros(self._named, self._allowed)
            if "PartName" in attributes:
                self._types[attributes["PartName"].lstrip("/").lower()] = content_type
            elif "Extension" in attributes:
                self._defaults[attributes["Extension"].lower()] = content_type

        self.each_element(self._members[_CONTENT_TYPES], declared)
        main = self._main_part()
        content_type = self.type_of(main)
        extension = _TYPES.get(content_type)
        if extension is not None or not self._allowed:
            return FILE_TYPES[extension] if extension else self._named
        what = next((label for part, label in _OTHERS.items() if part in content_type), None)
        if what is None:
            raise self._mismatch()
        message = f"文件内容是 {what}，{foreign_formats.save_as(self._named, self._allowed)}"
        raise invalid("/file", "content_mismatch", message)

    def type_of(self, part: str) -> str:
        """The content type of a part: its own, or that of its extension."""
        name = part.lower()
        return self._types.get(name) or self._defaults.get(name.rpartition(".")[2], "")

    def _main_part(self) -> str:
        if "_rels/.rels" not in self._members:
            raise self._mismatch()
        found: list[str] = []

        def relation(_tag: str, attributes: dict[str, str]) -> None:
            if attributes.get("Type", "").endswith(_MAIN) and attributes.get("TargetMode") != "External":
                found.append(unquote(attributes.get("Target", "")))

        self.each_element(self._members["_rels/.rels"], relation)
        main = posixpath.normpath("/" + found[0].replace("\\", "/")).lstrip("/").lower() if found else ""
        if main not in self._members:
            raise self._mismatch()
        return main

    def each_element(
        self,
        member: zipfile.ZipInfo,
        start: Callable[[str, dict[str, str]], object],
        end: Callable[[str], object] | None = None,
        text: Callable[[str], object] | None = None,
    ) -> None:
        """As `read_part`; raises 422 for a part that is no plain XML."""
        try:
            read_part(archives.pieces(self._archive, member), start, end, text)
        except XmlFault as error:
            raise self._mismatch() from error

    def check_other(self, member: zipfile.ZipInfo, check_embedded: archives.EmbeddedCheck) -> None:
        """A part whose content does not matter here, unless it is an object or declares a document type."""
        pieces = archives.pieces(self._archive, member)
        first = next(pieces, b"")
        # Any part may be an OLE object, even one that is named like a picture: macros are hidden that way.
        if "/embeddings/" in f"/{member.filename.lower()}" or first.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
            check_embedded(b"".join((first, *pieces)), [])
            return
        if member.filename.lower().endswith(_XML) or "xml" in self.type_of(member.filename).rpartition("/")[2]:
            try:
                read_prolog(itertools.chain((first,), pieces))
            except XmlFault as error:
                raise self._mismatch() from error
        for _ in pieces:
            pass

    def check_relations(self, member: zipfile.ZipInfo) -> None:
        """Refuse external relationships other than links, because they are loaded when the document is opened.

        A template from another server can bring macros; a picture shows that server who reads the document.
        """

        def relation(_tag: str, attributes: dict[str, str]) -> None:
            kind, target = attributes.get("Type", ""), attributes.get("Target", "")
            if attributes.get("TargetMode") != "External":
                if kind.endswith(_CHUNK):
                    message = "文档中插入了其他格式的文件（HTML、RTF 等），请用 Word 或 WPS 打开并另存后重新上传"
                    raise invalid("/file", "embedded_package", message)
            elif not kind.endswith(_HYPERLINK) and is_remote(target):
                raise foreign("模板、图片或数据")

        self.each_element(member, relation)


def is_remote(target: str) -> bool:
    """Whether the address refers to another machine."""
    text = target.strip().replace("\\", "/")
    if text.startswith("//"):
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return True
    if parts.scheme.lower() == "file":
        # file:///C:/… is the author's own disk, from which Word names its template; with a host it is a network share.
        return bool(parts.netloc) or parts.path.startswith("//")
    return len(parts.scheme) > 1
