"""What each extension stands for. For what files are uploaded see `assets/files/purposes.py`."""

from dataclasses import dataclass

MIB = 1024 * 1024
LARGEST_FILE = 20 * MIB

OLE, OOXML, PDF, PICTURE, ZIP = "ole", "ooxml", "pdf", "picture", "zip"

OLE_HEAD, ZIP_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
"""What such files begin with; for pictures see `assets/files/pictures/picture_formats.py`."""
PDF_HEAD_WITHIN = 1024 + 5
"""Bytes within which every reader finds the header of a PDF; printers' spoolers write before it."""


@dataclass(frozen=True, slots=True)
class FileType:
    """What an extension stands for. `shape` names the check of its content."""

    extension: str
    media_type: str
    shape: str
    label: str


_OFFICE = "application/vnd.openxmlformats-officedocument"

FILE_TYPES = {
    kind.extension: kind
    for kind in (
        FileType(".pdf", "application/pdf", PDF, "PDF 文档"),
        FileType(".doc", "application/msword", OLE, "Word 97-2003 文档"),
        FileType(".xls", "application/vnd.ms-excel", OLE, "Excel 97-2003 工作簿"),
        FileType(".docx", f"{_OFFICE}.wordprocessingml.document", OOXML, "Word 文档"),
        FileType(".xlsx", f"{_OFFICE}.spreadsheetml.sheet", OOXML, "Excel 工作簿"),
        FileType(".jpg", "image/jpeg", PICTURE, "JPEG 图片"),
        FileType(".jpeg", "image/jpeg", PICTURE, "JPEG 图片"),
        FileType(".jfif", "image/jpeg", PICTURE, "JPEG 图片"),
        FileType(".jpe", "image/jpeg", PICTURE, "JPEG 图片"),
        FileType(".png", "image/png", PICTURE, "PNG 图片"),
        FileType(".heic", "image/heic", PICTURE, "HEIC 图片"),
        FileType(".heif", "image/heif", PICTURE, "HEIF 图片"),
        FileType(".webp", "image/webp", PICTURE, "WebP 图片"),
        FileType(".zip", "application/zip", ZIP, "ZIP 压缩包"),
    )
}


UNNAMED = FileType("", "", "", "")
"""What the name of a file says that has no ending: nothing."""

FROM_PHONES = (".heic", ".heif", ".webp")
"""What phones take photos as besides JPEG; they are kept as JPEG (`assets/files/pictures/pictures.py`)."""
