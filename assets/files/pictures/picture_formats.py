"""Which picture a file is, where it ends, and whether it is something else besides; by its bytes."""

import re
from collections.abc import Iterator, Sequence

from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream

JPEG, PNG, WEBP, HEIC = "JPEG", "PNG", "WEBP", "HEIF"
"""As Pillow and pillow-heif name them."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BOX_KIND = re.compile(rb"[ -~]{4}")

_AFTER = re.compile(rb"[\0 \t\r\n]*+(?:PK|MZ|\x7fELF|#!|<|%PDF|Rar!|7z\xbc\xaf|\xca\xfe\xba\xbe)")
"""What a program, an archive or a page begins with, where it follows the picture."""
# Photoshop on a Mac writes its print settings as a property list (`<!DOCTYPE plist`), which is none of these.
_MARKUP = re.compile(rb"<script|<html|<!doctype\s+(?:html|svg)|<\?php|<svg|%pdf-", re.IGNORECASE)
# Long enough not to turn up in compressed data by chance.
_MARKUP_ANYWHERE = re.compile(rb"<script|<!doctype html|<\?php[ \r\n]", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ARCHIVE_STARTS = (re.compile(rb"Rar!\x1a\x07"), re.compile(rb"7z\xbc\xaf\x27\x1c"))
_ZIP_TAIL, _PDF_HEAD, _ARCHIVE_HEAD = 65_557 + 1024, 1024, 1024 * 1024
"""Where readers look: for the end of a ZIP from behind, for a PDF and for a packed archive from the front."""


def format_of(head: bytes) -> str | None:
    """By the first bytes (16 will do); None for what is no picture that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_PNG_START):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return HEIC
    return None


def is_something_besides(content: Content, format_: str, stream: JpegStream | None) -> bool:
    """Whether the file is also a container, a script or a page; `stream` is the walk of a JPEG.

    None of it would be kept, but who uploads it means harm or does not know what the phone holds. Harmless data
    after the picture is common (motion photos, gain maps) and does not count.
    """
    if stream is not None:
        beside, end = stream.beside, stream.end
    else:
        parts = list(_PARTS[format_](content))
        beside = [content[start:stop] for kind, start, stop in parts if kind not in _NEEDED]
        end = parts[-1][2] + (4 if format_ == PNG else 0) if parts else len(content)
    place = content.rfind(_ZIP_END, max(0, len(content) - 65557))
    is_zip = place >= 0 and place + 22 + int.from_bytes(content[place + 20 : place + 22], "little") == len(content)
    started = _AFTER.match(content, end) is not None
    marked = any(_MARKUP.search(data) for data in beside) or _MARKUP_ANYWHERE.search(content) is not None
    return is_zip or started or marked


def is_cut_off(content: Content, format_: str) -> bool:
    """Whether a part says that it is longer than the file: not every decoder reports it."""
    return any(stop > len(content) for _, _, stop in _PARTS[format_](content))


def may_hide_something(pieces: Sequence[Buffer]) -> bool:
    """Whether something begins within these bytes where a reader of it would look; its four bytes may also be chance.

    Such bytes are better not kept.
    """
    if _ZIP_END in end_of(pieces, _ZIP_TAIL) or b"%PDF-" in start_of(pieces, _PDF_HEAD):
        return True
    left = _ARCHIVE_HEAD
    for piece in pieces:
        looked_at = memoryview(piece)[: max(0, left)]
        if any(start.search(looked_at) for start in _ARCHIVE_STARTS):
            return True
        left -= len(looked_at)
    return False


def start_of(pieces: Sequence[Buffer], most: int) -> bytes:
    """The first bytes of what stands in several pieces."""
    found = b""
    for piece in pieces:
        if len(found) >= most:
            break
        found += piece[: most - len(found)]
    return found


def end_of(pieces: Sequence[Buffer], most: int) -> bytes:
    """The last bytes of what stands in several pieces."""
    found = b""
    for piece in reversed(pieces):
        if len(found) >= most:
            break
        found = bytes(piece[-(most - len(found)) :]) + found
    return found


def _png_chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    place = 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind = content[place + 4 : place + 8]
        yield kind, place + 8, place + 8 + length
        place += 12 + length
        if kind == b"IEND":
            return


def _webp_chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    place = 12
    while place + 8 <= end:
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        yield content[place : place + 4], place + 8, place + 8 + length
        place += 8 + length + length % 2


def _heic_boxes(content: Content) -> Iterator[tuple[bytes, int, int]]:
    """ISO/IEC 14496-12, 4.2; all count as needed, because the metadata lie among the picture's data."""
    place = 0
    while place + 8 <= len(content) and _BOX_KIND.fullmatch(content, place + 4, place + 8):
        length = int.from_bytes(content[place : place + 4], "big")
        if length == 1:
            length = int.from_bytes(content[place + 8 : place + 16], "big")
        if length == 0:
            length = len(content) - place
        if length < 8:
            return
        yield b"", place + 8, place + length
        place += length


_PARTS = {PNG: _png_chunks, WEBP: _webp_chunks, HEIC: _heic_boxes}
_NEEDED = (b"", b"IDAT", b"PLTE", b"iCCP", b"fdAT", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
