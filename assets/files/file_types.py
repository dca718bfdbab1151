"""What may be uploaded: purposes (用途) as data, and what each extension stands for."""

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


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a file is uploaded for. `extensions` are shown to users in this order; `max_bytes` is of one file."""

    code: str
    label: str
    extensions: tuple[str, ...]
    max_bytes: int = LARGEST_FILE

    def __post_init__(self) -> None:
        unknown = set(self.extensions) - FILE_TYPES.keys()
        if unknown or not self.extensions or not 0 < self.max_bytes <= LARGEST_FILE:
            raise ValueError(f"purpose {self.code} cannot work: {sorted(unknown)}, {self.max_bytes} bytes")

    @property
    def allowed(self) -> str:
        """The extensions as a message names them."""
        return "、".join(self.extensions)


_FROM_PHONES = (".heic", ".heif", ".webp")
"""What phones take photos as besides JPEG; they are kept as JPEG (`assets/files/pictures/pictures.py`)."""
_APPLICATION = (".pdf", ".jpg", ".jpeg", ".png", *_FROM_PHONES, ".doc", ".docx", ".xls", ".xlsx", ".zip")

PURPOSES = {
    purpose.code: purpose
    for purpose in (
        Purpose("photo", "现场照片", (".jpg", ".jpeg", ".png", *_FROM_PHONES), 10 * MIB),
        Purpose("signature", "签名", (".png",), 2 * MIB),
        # Seed 000: "支持.doc或.docx和.pdf" for the self-check report, "支持.doc或.jpg和.pdf" for the rectification.
        Purpose("self_check_report", "自查报告", (".doc", ".docx", ".pdf")),
        Purpose("rectification_report", "整改报告", (".doc", ".jpg", ".jpeg", *_FROM_PHONES, ".pdf")),
        Purpose("template", "报告模板", (".doc", ".docx", ".pdf", ".xls", ".xlsx")),
        Purpose("licence_document", "许可证材料", (".pdf", ".jpg", ".jpeg", ".png", *_FROM_PHONES, ".doc", ".docx")),
        Purpose("declaration_attachment", "申报附件", _APPLICATION),
    )
}


@dataclass(frozen=True, slots=True)
class Category:
    """A place for files in a record (材料类别): which purposes fit, and how many files at the most.

    `extensions` and `max_bytes` narrow what the purposes allow; None leaves it as it is there.
    """

    code: str
    label: str
    purposes: frozenset[str]
    max_count: int = 1
    extensions: frozenset[str] | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        unknown = self.purposes - PURPOSES.keys()
        if unknown or not self.purposes or self.max_count < 1:
            raise ValueError(f"category {self.code} cannot work: {sorted(unknown)}, {self.max_count} files")

    @property
    def allowed(self) -> tuple[str, ...]:
        """The extensions that fit, in the order of the purposes."""
        named = [name for code in sorted(self.purposes) for name in PURPOSES[code].extensions]
        return tuple(dict.fromkeys(name for name in named if self.extensions is None or name in self.extensions))

    @property
    def largest(self) -> int:
        """Bytes that a file of any of the purposes may have."""
        return min(self.max_bytes or LARGEST_FILE, *(PURPOSES[code].max_bytes for code in self.purposes))


def categories(*declared: Category) -> dict[str, Category]:
    """Categories by code; raises ValueError for a code that stands twice."""
    by_code = {category.code: category for category in declared}
    if len(by_code) != len(declared):
        raise ValueError("a category stands twice")
    return by_code


def readable_size(max_bytes: int) -> str:
    """`20M`, as the messages of the seeds write sizes."""
    return f"{max_bytes // MIB}M" if max_bytes >= MIB else f"{max_bytes // 1024}K"
