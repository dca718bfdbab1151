"""Real documents and pictures, made when they are needed, and files that pretend to be such."""

import functools
import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
from docx import Document
from PIL import ExifTags, Image, ImageChops
from PIL.PngImagePlugin import PngInfo

FIXTURES = Path(__file__).resolve().parent / "fixtures"
REPORT_DOC = FIXTURES / "report.doc"
"""Made with LibreOffice: Word 97-2003, no macros."""


MADE: dict[bytes, tuple[Any, ...]] = {}
"""What was asked for when the document with this digest was made; ids and times make each another to the byte."""


def _alike(text: str) -> str:
    """Texts that differ in an id or a number are read alike."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", "", text)


def _noted(content: bytes, *asked: Any) -> bytes:
    MADE[hashlib.sha256(content).digest()] = asked
    return content


def pdf(text: str = "self-check report", *, size: int = 0) -> bytes:
    """A PDF; `size` pads it with an uncompressed stream to about so many bytes."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj 0 -20 Td ({'x' * size}) Tj ET"
        page.Contents = document.make_stream(drawn.encode())
        document.save(out, compress_streams=False)
    return _noted(out.getvalue(), "pdf", _alike(text), size)


def docx(text: str = "自查报告") -> bytes:
    out = io.BytesIO()
    document = Document()
    document.add_paragraph(text)
    document.save(out)
    return _noted(out.getvalue(), "docx", _alike(text))


def xlsx() -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write_string(0, 0, "企业名称")
    return _noted(out.getvalue(), "xlsx")


def changed_zip(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The same container with other members."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    return zipped(members)


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def macro_docx() -> bytes:
    """A .docm that was renamed: what sniffers take for a .docx."""

    def add_macro(members: dict[str, bytes]) -> None:
        types = members["[Content_Types].xml"].replace(
            b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            b"application/vnd.ms-word.document.macroEnabled.main+xml",
        )
        part = b'<Override PartName="/word/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
        members["[Content_Types].xml"] = types.replace(b"</Types>", part)
        members["word/vbaProject.bin"] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)

    return changed_zip(docx(), add_macro)


def docx_with_relation(kind: str, target: str) -> bytes:
    """A .docx whose settings name something outside of it."""
    base = "http://schemas.openxmlformats.org"
    relation = (
        f'<Relationships xmlns="{base}/package/2006/relationships"><Relationship Id="rId1" TargetMode="External" '
        f'Type="{base}/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
    )

    def add(members: dict[str, bytes]) -> None:
        members["word/_rels/settings.xml.rels"] = relation.encode()

    return changed_zip(docx(), add)


def docx_with_linked_picture(address: str) -> bytes:
    """A .docx that shows a picture which lies elsewhere."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    picture = (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{drawing}/wordprocessingDrawing">'
        '<wp:extent cx="3000000" cy="3000000"/><wp:docPr id="1" name="p"/>'
        f'<a:graphic xmlns:a="{drawing}/main"><a:graphicData uri="{drawing}/picture">'
        f'<pic:pic xmlns:pic="{drawing}/picture">'
        '<pic:nvPicPr><pic:cNvPr id="1" name="p"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill>'
        f'<a:blip xmlns:r="{relations}" r:link="rId99"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3000000" cy="3000000"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr>'
        "</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )
    relation = f'<Relationship Id="rId99" Type="{relations}/image" Target="{address}" TargetMode="External"/>'

    def add(members: dict[str, bytes]) -> None:
        body, rels = "word/document.xml", "word/_rels/document.xml.rels"
        members[body] = members[body].replace(b"<w:sectPr", picture.encode() + b"<w:sectPr", 1)
        members[rels] = members[rels].replace(b"</Relationships>", relation.encode() + b"</Relationships>")

    return changed_zip(docx(), add)


def broken_docx() -> bytes:
    """Whole as a container, but its text is not."""

    def cut(members: dict[str, bytes]) -> None:
        members["word/document.xml"] = members["word/document.xml"][:60]

    return changed_zip(docx(), cut)


def zip_bomb() -> bytes:
    """300 MiB of nothing, as a .docx."""

    def add(members: dict[str, bytes]) -> None:
        members["word/media/image1.bmp"] = bytes(300 * 1024 * 1024)

    return changed_zip(docx(), add)


def jpeg(
    size: tuple[int, int] = (640, 480), *, colour: str = "teal", orientation: int | None = None,
    taken: str | None = None, offset: str | None = None, place: bool = False, comment: bytes | None = None,
) -> bytes:  # fmt: skip
    """A photo as a phone makes it; the upper left corner is red. `place` is 31°48′38.52″N 119°58′26.4″E."""
    image = Image.new("RGB", size, colour)
    image.paste("red", (0, 0, size[0] // 4, size[1] // 4))
    exif = Image.Exif()
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Huawei P40"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    if taken:
        details[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        details[ExifTags.Base.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (31.0, 48.0, 38.52)
        gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (119.0, 58.0, 26.4)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=90, **({"comment": comment} if comment else {}))
    return out.getvalue()


def photo(size: tuple[int, int] = (640, 480), *, quality: int = 80, **options: Any) -> bytes:
    """A photo as light and a sensor make it: soft shapes under fine noise, so that no byte of it is idle."""
    across, down = size
    shapes = Image.frombytes("RGB", (24, 18), os.urandom(24 * 18 * 3)).resize(size, Image.Resampling.BICUBIC)
    grain = Image.merge("RGB", [Image.effect_noise((across, down), 30)] * 3)
    out = io.BytesIO()
    Image.blend(shapes, grain, 0.3).save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


@functools.cache
def heic(size: tuple[int, int] = (640, 480), *, orientation: int | None = None, place: bool = False) -> bytes:
    """A photo as an iPhone keeps it; the upper left corner is red."""
    import pillow_heif

    whole = Image.open(io.BytesIO(jpeg(size, orientation=orientation, taken="2026:11:20 09:30:00", place=place)))
    exif = whole.info.pop("exif")
    whole.getexif().clear()
    out = io.BytesIO()
    pillow_heif.from_pillow(whole).save(out, quality=90, exif=exif)
    return out.getvalue()


def webp(size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    """A photo as an Android phone may keep it; the upper left corner is red."""
    whole = Image.open(io.BytesIO(jpeg(size, place=True)))
    out = io.BytesIO()
    whole.save(out, "WEBP", exif=whole.info["exif"], **options)
    return out.getvalue()


def cmyk_jpeg(colour: str) -> bytes:
    """A JPEG for a printer."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).convert("CMYK").save(out, "JPEG", quality=95)
    return out.getvalue()


def ycck_jpeg(colour: str) -> bytes:
    """The same as Photoshop writes it: brightness and colour apart, which the Adobe segment says (transform 2)."""
    # Adobe's are inverted, and Pillow inverts what it writes.
    brightness = ImageChops.invert(Image.new("RGB", (64, 64), colour)).convert("YCbCr")
    out = io.BytesIO()
    Image.merge("CMYK", [*(ImageChops.invert(part) for part in brightness.split()), Image.new("L", (64, 64), 0)]).save(
        out, "JPEG", quality=95
    )
    content = out.getvalue()
    adobe = content.index(b"Adobe")
    return content[: adobe + 11] + b"\x02" + content[adobe + 12 :]


def interlaced_png() -> bytes:
    """Four grey pixels in the seven passes of Adam7, which Pillow cannot write."""
    passes = [b"\0\x00", b"", b"\0\xa0", b"", b"\0\x50\xf0"]  # x = 0; x = 4; x = 2; y = 4; x = 1, 3
    head = struct.pack(">IIBBBBB", 4, 1, 8, 0, 0, 0, 1)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"".join(passes))), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return content


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """A JPEG with more segments at its head."""
    return content[:2] + b"".join(segments) + content[2:]


def png(size: tuple[int, int] = (300, 100), *, text: str | None = None) -> bytes:
    """A signature: black on nothing."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 40, size[0] - 10, 60))
    described = PngInfo()
    if text:
        described.add_text("Comment", text)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=described)
    return out.getvalue()


def huge_png(side: int = 30_000) -> bytes:
    """A picture of 900 megapixels in a few hundred bytes of claims."""
    content = bytearray(png())
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)
