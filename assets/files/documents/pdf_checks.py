"""PDF documents are accepted if readers open them (qpdf repairs, PDFium shows) without passwords, actions or programs.

The bytes are kept as they were sent; bytes before the header or after the end are ignored, as readers do.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Stream, String

from assets.files.documents import archives
from assets.files.file_types import PDF_HEAD_WITHIN
from core.errors import Problem, invalid

_STREAM = re.compile(rb"\bstream\r?\n\Z")
_STREAM_END = re.compile(rb"\s*endstream\b")
_RUNNABLE_START = (b"MZ", b"\x7fELF", b"#!", b"PK", b"\xca\xfe\xba\xbe")
_MARKUP = re.compile(rb"<script|<html|<!doctype|<\?php|<svg", re.IGNORECASE)
_XFA_SCRIPT = re.compile(rb"<(\w+:)?script\b", re.IGNORECASE)
# Actions that open the network or another file: allowed on a click, refused when they run by themselves.
_REACHING_OUT = frozenset(["/URI", "/SubmitForm", "/GoToR", "/GoToE", "/ImportData"])
_SCRIPTED = re.compile(r"(java|vb|live)script:", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20]+")
"""Characters that browsers ignore in an address."""
_PRINT = "请用“打印”功能另存为新的 PDF 后重新上传"


def check(file: IO[bytes], check_embedded: archives.EmbeddedCheck) -> None:
    """Raise 422 with the reason when the document cannot be read, or has active content."""
    _check_surroundings(file)
    file.seek(0)
    content = file.read()
    with _opened(content) as pdf:
        if len(pdf.pages) == 0 or not _is_shown(content):
            raise _damaged()
        if pdf.get_warnings() and any("/Contents" not in page for page in pdf.pages):
            # qpdf had to repair the file, so a page without contents is lost, not blank.
            raise _damaged()
        for value in _reachable(pdf):
            _check_action(value)
            _check_attachment(value, check_embedded)
        _check_dynamic_form(pdf.Root)


def _damaged() -> Problem:
    return invalid("/file", "content_mismatch", "文件内容不是 PDF 文档或已损坏，请重新导出或扫描为 PDF 后上传")


def _active(what: str) -> Problem:
    return invalid("/file", "active_content", f"PDF {what}，{_PRINT}")


def _check_surroundings(file: IO[bytes]) -> None:
    file.seek(0)
    before = file.read(PDF_HEAD_WITHIN).partition(b"%PDF-")[0]
    if before.startswith(_RUNNABLE_START) or _MARKUP.search(before):
        raise invalid("/file", "polyglot", "PDF 文档前附带了程序或网页，请重新导出为 PDF 后上传")
    if not all(_is_attachment(file, archive) for archive in archives.find_trailing_archives(file)):
        raise invalid("/file", "polyglot", "PDF 文档后附带了压缩包，请重新导出为 PDF 后上传")


def _is_attachment(file: IO[bytes], archive: archives.Span) -> bool:
    """Whether an archive fills a stream of the PDF, as an uncompressed attached Word document does."""
    if archive.start < 0:
        return False
    file.seek(max(0, archive.start - 16))
    before = file.read(min(16, archive.start))
    file.seek(archive.end)
    return _STREAM.search(before) is not None and _STREAM_END.match(file.read(16)) is not None


@contextmanager
def _opened(content: bytes) -> Iterator[pikepdf.Pdf]:
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        # A document with an owner password only (it restricts printing and changes) opens without a password.
        raise invalid("/file", "encrypted", "PDF 设有打开密码，审阅人员无法查看，请取消密码后重新上传") from error
    except (pikepdf.PdfError, pikepdf.DataDecodingError) as error:
        if "encrypt" in str(error):
            raise invalid("/file", "encrypted", "PDF 已加密，审阅人员无法查看，请取消加密后重新上传") from error
        raise _damaged() from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        # Objects of a wrong type. RuntimeError is not caught: the machine may be the cause, so it is logged.
        raise _damaged() from error


def _is_shown(content: bytes) -> bool:
    """Whether PDFium (the reader in Chrome) opens it; it cannot open a file without its end, which qpdf can repair."""
    try:
        with pypdfium2.PdfDocument(content) as document:
            return len(document) > 0
    except pypdfium2.PdfiumError:
        return False


def _reachable(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every dictionary that is reachable from the trailer; objects left over from an older revision are not."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [pdf.trailer]
    while waiting:
        value = waiting.pop()
        if value.is_indirect:
            if value.objgen in seen:
                continue
            seen.add(value.objgen)
        if isinstance(value, Stream):
            value = value.stream_dict
        if isinstance(value, Dictionary):
            yield value
            inside = [one for _, one in value.items()]
        else:
            inside = list(value)
        waiting += [one for one in inside if isinstance(one, Dictionary | Array | Stream)]


def _check_action(value: Any) -> None:
    kind = str(value.get("/S", ""))
    if "/JS" in value or kind == "/JavaScript":
        raise _active("含有脚本（JavaScript）")
    # The address of a link, and the base of relative addresses.
    for address in (value[key] for key in ("/URI", "/Base") if key in value):
        if isinstance(address, String) and _SCRIPTED.match(_UNSEEN.sub("", str(address))):
            raise _active("含有执行脚本的链接（javascript:）")
    if "/RichMedia" in (str(value.get("/Subtype", "")), kind) or "/RichMediaContent" in value:
        raise _active("含有多媒体或 Flash 内容（RichMedia）")
    if kind == "/Launch":
        raise _active("会启动其他程序或文件（Launch）")
    triggers = value.get("/AA", {})
    own = [value["/OpenAction"]] if "/OpenAction" in value else []
    for action in (*own, *(triggers.values() if isinstance(triggers, Dictionary) else ())):
        if isinstance(action, Dictionary) and str(action.get("/S", "")) in _REACHING_OUT:
            raise _active("打开时会自动访问网络或其他文件")


def _check_attachment(value: Any, check_embedded: archives.EmbeddedCheck) -> None:
    attached = value.get("/EF")
    if not isinstance(attached, Dictionary):
        return
    names = [str(value[key]) for key in ("/UF", "/F") if key in value]
    checked = set()
    for _, stream in attached.items():
        if isinstance(stream, Stream) and stream.objgen not in checked:
            checked.add(stream.objgen)
            check_embedded(stream.read_bytes(), names)


def _check_dynamic_form(root: Any) -> None:
    """Refuse a dynamic form (XFA): only Acrobat shows it, browsers and phones show a page that says "please wait"."""
    form = root.get("/AcroForm")
    packets = form.get("/XFA") if isinstance(form, Dictionary) else None
    if packets is None:
        return
    parts = list(packets) if isinstance(packets, Array) else [packets]
    scripted = any(isinstance(part, Stream) and _XFA_SCRIPT.search(part.read_bytes()) for part in parts)
    if scripted or bool(root.get("/NeedsRendering", False)):
        raise _active("是动态表单（XFA），手机和浏览器无法显示")
