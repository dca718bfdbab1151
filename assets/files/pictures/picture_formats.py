"""Which picture format a file has, where the picture ends, and whether it is a polyglot; read from its bytes."""

import re
from collections.abc import Iterator, Sequence

from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream

JPEG, PNG, WEBP, HEIC = "JPEG", "PNG", "WEBP", "HEIF"
"""Names of the formats in Pillow and pillow-heif."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BOX_KIND = re.compile(rb"[ -~]{4}")

_AFTER = re.compile(rb"[\0 \t\r\n]*+(?:PK|MZ|\x7fELF|#!|<|%PDF|Rar!|7z\xbc\xaf|\xca\xfe\xba\xbe)")
"""The beginning of a program, an archive or a page that follows the picture."""
# `<!DOCTYPE plist` is allowed: Photoshop on a Mac writes its print settings as a property list.
_MARKUP = re.compile(rb"<script|<html|<!doctype\s+(?:html|svg)|<\?php|<svg|%pdf-", re.IGNORECASE)
# Longer patterns, which do not occur in compressed data by chance.
_MARKUP_ANYWHERE = re.compile(rb"<script|<!doctype html|<\?php[ \r\n]", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ARCHIVE_STARTS = (re.compile(rb"Rar!\x1a\x07"), re.compile(rb"7z\xbc\xaf\x27\x1c"))
_ZIP_TAIL, _PDF_HEAD, _ARCHIVE_HEAD = 65_557 + 1024, 1024, 1024 * 1024
"""Bytes that readers search: the last ones for the end of a ZIP, the first ones for a PDF and for an archive."""


def format_of(head: bytes) -> str | None:
    """The format by the first bytes (16 are enough); None for anything but an accepted picture format."""
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_PNG_START):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return HEIC
    return None


def is_polyglot(content: Content, format_: str, stream: JpegStream | None) -> bool:
    """Whether the file is also a container, a script or a page; `stream` is the parsed JPEG.

    The other part would not be kept, but such a file is an attack or the sign of an infected phone, so it is refused.
    Harmless data after the picture is common (motion photos, gain maps) and accepted.
    """
    if stream is not None:
        metadata, end = stream.metadata, stream.end
    else:
        parts = list(_PARTS[format_](content))
        metadata = [content[start:stop] for kind, start, stop in parts if kind not in _NEEDED]
        end = parts[-1][2] + (4 if format_ == PNG else 0) if parts else len(content)
    offset = content.rfind(_ZIP_END, max(0, len(content) - 65557))
    is_zip = offset >= 0 and offset + 22 + int.from_bytes(content[offset + 20 : offset + 22], "little") == len(content)
    started = _AFTER.match(content, end) is not None
    marked = any(_MARKUP.search(data) for data in metadata) or _MARKUP_ANYWHERE.search(content) is not None
    return is_zip or started or marked


def is_cut_off(content: Content, format_: str) -> bool:
    """Whether the declared length of a part exceeds the file; not every decoder reports it."""
    return any(stop > len(content) for _, _, stop in _PARTS[format_](content))


def may_hold_another_format(pieces: Sequence[Buffer]) -> bool:
    """Whether readers of ZIP, PDF or archives would find the beginning of one in these bytes.

    The signatures are short, so this may be chance; such bytes are not kept in any case.
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
    """The first `most` bytes of content that is split into pieces."""
    found = b""
    for piece in pieces:
        if len(found) >= most:
            break
        found += piece[: most - len(found)]
    return found


def end_of(pieces: Sequence[Buffer], most: int) -> bytes:
    """The last `most` bytes of content that is split into pieces."""
    found = b""
    for piece in reversed(pieces):
        if len(found) >= most:
            break
        found = bytes(piece[-(most - len(found)) :]) + found
    return found


def _png_chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    offset = 8
    while offset + 12 <= len(content):
        length = int.from_bytes(content[offset : offset + 4], "big")
        kind = content[offset + 4 : offset + 8]
        yield kind, offset + 8, offset + 8 + length
        offset += 12 + length
        if kind == b"IEND":
            return


def _webp_chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    end = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    offset = 12
    while offset + 8 <= end:
        length = int.from_bytes(content[offset + 4 : offset + 8], "little")
        yield content[offset : offset + 4], offset + 8, offset + 8 + length
        offset += 8 + length + length % 2


def _heic_boxes(content: Content) -> Iterator[tuple[bytes, int, int]]:
    """Boxes (ISO/IEC 14496-12, 4.2); none counts as metadata, because metadata is mixed with the picture's data."""
    offset = 0
    while offset + 8 <= len(content) and _BOX_KIND.fullmatch(content, offset + 4, offset + 8):
        length = int.from_bytes(content[offset : offset + 4], "big")
        if length == 1:
            length = int.from_bytes(content[offset + 8 : offset + 16], "big")
        if length == 0:
            length = len(content) - offset
        if length < 8:
            return
        yield b"", offset + 8, offset + length
        offset += length


_PARTS = {PNG: _png_chunks, WEBP: _webp_chunks, HEIC: _heic_boxes}
_NEEDED = (b"", b"IDAT", b"PLTE", b"iCCP", b"fdAT", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
