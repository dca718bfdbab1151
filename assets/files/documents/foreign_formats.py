"""Files in formats that are not accepted: their format by content, and advice as which type to save them (另存为)."""

import re
import zipfile
from collections.abc import Sequence

from assets.files.file_types import FileType
from core.errors import Problem, invalid

_SHEETS = frozenset([".xls", ".xlsx"])
_AS = {
    ".docx": "Word 文档 (*.docx)",
    ".doc": "Word 97-2003 文档 (*.doc)",
    ".xlsx": "Excel 工作簿 (*.xlsx)",
    ".xls": "Excel 97-2003 工作簿 (*.xls)",
    ".pdf": "PDF (*.pdf)",
}
# A comment ends at its first end, and for good (`*+`): else each could take in those behind it, in 2^n ways.
_PAGE = re.compile(
    rb"\A(<\?xml[^>]*>)?\s*(?:<!--.{0,400}?-->\s*)*+<(!doctype\s+html|html|head|body|table|meta|div)\b",
    re.I | re.S,
)
_MHT = re.compile(rb"\A\s*(mime-version:|from:\s*<saved by)", re.I)
_XML_OFFICE = re.compile(
    rb"progid=\"(word|excel)\.|urn:schemas-microsoft-com:office:spreadsheet|2003/wordml|2006/xmlPackage", re.I
)
_SYLK = re.compile(rb"\AID;")
# Parts that identify the containers of other programs, and the names of these formats.
_CONTAINERS = {
    "ofd.xml": "OFD 版式文件",
    "content.xml": "OpenDocument 文档",
    "index/document.iwa": "苹果 iWork 文档",
    "androidmanifest.xml": "安卓安装包",
}


def save_as(named: FileType, allowed: Sequence[str]) -> str:
    """Advice to save the file as an accepted type of the same family."""
    if named.extension == ".pdf" and ".pdf" in allowed:
        return "请重新导出或扫描为 PDF 后重新上传"
    family = (".xlsx", ".xls", ".pdf") if named.extension in _SHEETS else (".docx", ".doc", ".pdf")
    target = next((extension for extension in family if extension in allowed), None)
    if target is None:
        return f"请转换为支持的格式（{'、'.join(allowed)}）后重新上传" if allowed else "请转换为支持的格式后重新上传"
    return f"请用 Office 或 WPS 打开，另存为 {_AS[target]} 后重新上传"


def refusal(head: bytes, named: FileType, allowed: Sequence[str]) -> Problem:
    """422 for content without the signature of an accepted format."""
    what = _named(head.removeprefix(b"\xef\xbb\xbf"))
    if what is not None:
        only_named = f"只是扩展名为 {named.extension}，" if named.extension else ""
        message = f"文件内容是 {what}，{only_named}{save_as(named, allowed)}"
        return invalid("/file", "content_mismatch", message)
    return mismatch(named, allowed)


def _named(head: bytes) -> str | None:
    if head.lstrip().startswith(b"{\\rt"):
        return "RTF 文档"
    if _XML_OFFICE.search(head):
        return "Office XML 文档"
    if _PAGE.match(head.lstrip()):
        return "网页（HTML）"
    if _MHT.match(head):
        return "单个文件网页（MHT）"
    if _SYLK.match(head):
        return "SYLK 表格"
    if head and b"\0" not in head and not head.startswith((b"#!", b"MZ", b"%")):
        return "纯文本" if _is_text(head) else None
    return None


def _is_text(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = head.decode(encoding)
        except UnicodeDecodeError as error:
            # Only the beginning of the file was read, so its last character may be cut.
            if error.start < len(head) - 4:
                continue
            text = head[: error.start].decode(encoding)
        return all(character.isprintable() or character in "\r\n\t\f" for character in text)
    return False


def container(archive: zipfile.ZipFile, named: FileType, allowed: Sequence[str]) -> Problem | None:
    """422 for the container of another program; None for an ordinary archive."""
    names = {name.lower() for name in archive.namelist()}
    what = next((label for part, label in _CONTAINERS.items() if part in names), None)
    if what is None:
        return None
    return invalid("/file", "content_mismatch", f"文件内容是 {what}，暂不支持，{save_as(named, allowed)}")


def unwanted(kind: FileType, named: FileType, allowed: Sequence[str]) -> Problem | None:
    """422 for a document whose type is not among `allowed` (none: all are); None when it is accepted."""
    if not allowed or kind.extension in allowed:
        return None
    listed = "、".join(allowed)
    if named.extension in allowed:
        message = f"文件内容是 {kind.label}，与扩展名 {named.extension} 不符，这里只支持 {listed}，请转换后重新上传"
        return invalid("/file", "content_mismatch", message)
    message = f"不支持的文件格式（{kind.label}），这里只支持 {listed}，请转换后重新上传"
    return invalid("/file", "type_not_allowed", message)


def mismatch(named: FileType, allowed: Sequence[str]) -> Problem:
    """422 for a file that is damaged or cannot be recognised."""
    what = f"文件内容不是 {named.label}或已损坏" if named.extension else "文件不是支持的格式，或已损坏"
    message = f"{what}，{save_as(named, allowed)}"
    return invalid("/file", "content_mismatch", message)
