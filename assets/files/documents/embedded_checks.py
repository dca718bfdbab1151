"""Files within a document: attachments of a PDF, packed files and objects of an Office document.

They are checked by their content, as uploads are. Pictures, texts and other documents are accepted; programs and files
of unknown type, which nobody needs in order to read the document, are refused.
"""

import re
from collections.abc import Callable, Sequence

from assets.files.file_names import RUNNABLE
from assets.files.file_types import OLE_HEAD, ZIP_HEAD
from assets.files.pictures.picture_formats import format_of
from core.errors import Problem, invalid

_DOCUMENTS = (OLE_HEAD, ZIP_HEAD, b"%PDF-")
# Picture formats that may be embedded but not uploaded: bitmaps and metafiles of Windows, GIF, TIFF.
_PICTURES = (
    b"BM", b"GIF8", b"II*\0", b"MM\0*", b"\xd7\xcd\xc6\x9a", b"\x01\0\x09\0", b"\x02\0\x09\0",
)  # fmt: skip
_ENHANCED_METAFILE = b" EMF"
# Data files that electronic accounting records and forms embed; any other text may be a script.
_TEXTS = frozenset([".txt", ".csv", ".xml", ".json", ".log", ".md", ".xbrl", ".ini"])
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa",
    b"\xcf\xfa\xed\xfe",
    b"L\0\0\0\x01\x14\x02\0",
)
_MARKUP = re.compile(rb"<script|<html|<!doctype html|<hta:|<\?php|<svg|<job\b", re.IGNORECASE)


def check(content: bytes, names: Sequence[str], document: Callable[[bytes], None]) -> None:
    """Raise 422 unless the embedded file is harmless.

    `names` are those that the outer document has for it; `document` checks a document.
    """
    shown = next((name.replace("\\", "/").rpartition("/")[2] for name in names if name), "")
    label = f"“{shown[-60:]}”" if shown else ""
    try:
        if content.startswith(_DOCUMENTS) and not _runs(names):
            document(content)
            return
    except Problem as problem:
        fault = problem.errors[0]
        # Its message says how to mend the embedded file; here the advice is to remove it from the outer document.
        reason = fault.message.partition("，请")[0]
        message = f"文档中嵌入的文件{label}：{reason}，请删除嵌入的对象或附件后重新上传"
        raise invalid("/file", fault.code, message) from problem
    if content.startswith(_PROGRAMS) or _runs(names):
        raise invalid("/file", "embedded_package", f"文档中嵌入了程序{label}，请删除嵌入的对象或附件后重新上传")
    drawn = content.startswith(_PICTURES) or content[40:44] == _ENHANCED_METAFILE or format_of(content[:16]) is not None
    if drawn or not content or _is_text(content, names):
        return
    if not names and not _MARKUP.search(content[:4096]):
        # A program's own data of an object: a drawing, an equation, a diagram.
        return
    raise invalid("/file", "embedded_package", f"文档中嵌入了无法识别的文件{label}，请删除嵌入的对象或附件后重新上传")


def _endings(names: Sequence[str]) -> list[str]:
    last = [re.split(r"[/\\]", name)[-1] for name in names if name]
    return ["." + name.rpartition(".")[2].strip().lower() for name in last if "." in name]


def _runs(names: Sequence[str]) -> bool:
    return any(ending[1:] in RUNNABLE for ending in _endings(names))


def _is_text(content: bytes, names: Sequence[str]) -> bool:
    if any(ending not in _TEXTS for ending in _endings(names)) or _MARKUP.search(content[:4096]):
        return False
    return content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in content
