"""Names of uploaded files: shown to people, never part of a path, and never in disguise."""

import re

from assets.files.file_types import FILE_TYPES, UNNAMED, FileType
from assets.files.purposes import FilePurpose
from core.errors import invalid
from core.text import clean_line

LONGEST_NAME = 200
_SEPARATORS = re.compile(r"[/\\]")
_ENDING = re.compile(r"[a-z][a-z0-9]{0,5}")
"""What stands behind the last dot of "报告v1.2" or "2026.11.20" is none."""
# Names that a desktop would run, wherever they stand between dots: "报告.exe.pdf", "报告.pdf.js".
RUNNABLE = frozenset(
    ["apk", "asp", "aspx", "bat", "chm", "cmd", "dll", "docm", "dotm", "exe", "hta", "htm", "html", "jar", "js", "jse",
     "jsp", "jspx", "lnk", "mht", "mhtml", "msi", "php", "phtml", "pif", "ps1", "scr", "sh", "svg", "vbe", "vbs", "wsf",
     "xlam", "xlsm", "xltm"]
)  # fmt: skip


def read(sent: str, purpose: FilePurpose) -> tuple[str, FileType]:
    """The name to show, and what it says the file is. Raises 422 for a name under which nothing may be uploaded."""
    name = display_name(sent)
    return name, file_type(name, purpose)


def display_name(sent: str) -> str:
    """The last part of the name as sent, cleaned: without what is not seen or turns the direction, it cannot hide what
    it is.

    Path parts are taken off, because some browsers send them, and dots at the end, as Windows does. Raises 422 for a
    name that is empty, or longer than `LONGEST_NAME`.
    """
    name = clean_line(_SEPARATORS.split(sent)[-1]).rstrip(". ")
    if not name:
        raise invalid("/file", "bad_name", "文件没有名称，请改名后重新上传")
    if len(name) > LONGEST_NAME:
        raise invalid("/file", "name_too_long", f"文件名过长（最多 {LONGEST_NAME} 个字符），请改短后重新上传")
    return name


def file_type(name: str, purpose: FilePurpose) -> FileType:
    """What the extension says the file is; raises 422 when that is nothing that may ever be uploaded.

    Whether it may be uploaded for the purpose is decided by its content: extensions are often wrong.
    """
    stem, extension = _parts(name)
    if not stem or (extension and extension not in FILE_TYPES):
        raise invalid("/file", "type_not_allowed", f"不支持的文件格式，{purpose.label}目前支持 {purpose.allowed}")
    inner = [part.strip().lower() for part in stem.split(".")[1:]]
    if any(part in RUNNABLE for part in inner):
        raise invalid("/file", "double_extension", "文件名含有程序或脚本的扩展名，请确认文件内容并改名后重新上传")
    return FILE_TYPES[extension] if extension else UNNAMED


def _parts(name: str) -> tuple[str, str]:
    """The name without its ending, and that in small letters with its dot; empty where it has none."""
    stem, dot, last = name.rpartition(".")
    if not dot or (stem and not _ENDING.fullmatch(last.strip().lower())):
        return name, ""
    return stem, f".{last.lower()}"


def with_extension(name: str, kind: FileType) -> str:
    """The name with the ending of what the file is; unchanged where it is one already."""
    stem, extension = _parts(name)
    if extension == kind.extension:
        return name
    return f"{stem[: LONGEST_NAME - len(kind.extension)]}{kind.extension}"
