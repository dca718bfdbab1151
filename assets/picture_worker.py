"""The child process that decodes a picture: `python -I assets/picture_worker.py SOURCE PICTURE THUMBNAIL`.

It bounds itself before it reads a byte, imports nothing of the product, writes the re-encoded
picture and its thumbnail to the given paths and one JSON object to standard output:

    {"format": "JPEG"|"PNG", "width", "height", "taken_at": "2026-11-20T09:30:00+08:00"|null,
     "latitude": "31.810700"|null, "longitude": …|null}     or     {"refused": CODE}

CODE is `not_a_picture`, `too_large` or `polyglot`. It ends with `NO_ROOM` when the disk is full or fails, which
the picture cannot help. Any other end (a signal, a limit, an exception) means that the picture cannot be decoded
within the bounds.
"""

import errno
import io
import json
import re
import resource
import sys
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageOps, JpegImagePlugin, UnidentifiedImageError

MAX_PIXELS = 40_000_000
THUMBNAIL_SIDE = 320
# 40 megapixels with transparency take 160 MB, twice while they are turned; the rest is the interpreter.
MEMORY = 768 * 1024 * 1024
CPU_SECONDS = 20
NO_ROOM = 75
"""Exit status, as EX_TEMPFAIL of sysexits.h."""
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
LARGEST_OUTPUT = 128 * 1024 * 1024
CHINA = timezone(timedelta(hours=8))

_JPEG_LENGTHLESS = frozenset([0x01, *range(0xD0, 0xD9)])
_RUNNABLE_START = (b"PK", b"MZ", b"\x7fELF", b"#!", b"<", b"%PDF", b"Rar!", b"7z\xbc\xaf", b"\xca\xfe\xba\xbe")
_MARKUP = re.compile(rb"<script|<html|<!doctype|<\?php|<svg|%pdf-", re.IGNORECASE)
# Long enough not to turn up in compressed data by chance.
_MARKUP_ANYWHERE = re.compile(rb"<script|<!doctype html|<\?php[ \r\n]", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"


class Refused(Exception):
    """The picture is not taken; the text is the code."""


def bound_self() -> None:
    """Limits of memory, time and output for this process; no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # The soft limit ends it with SIGXCPU. The hard one sends SIGKILL, which would look like a machine out of memory.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def convert(source: Path, picture: Path, thumbnail: Path) -> dict[str, Any]:
    """Decode, read and strip what stands beside the picture, turn it upright, write both files."""
    content = source.read_bytes()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
        # Phones write several pictures into one JPEG (MPO); the first is the photo.
        format_ = "JPEG" if image.format == "MPO" else str(image.format)
        refuse_polyglot(content, format_)
        image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refused("too_large") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused("not_a_picture") from error
    found = _read_exif(image)
    options = _jpeg_options(image) if format_ == "JPEG" else {"compress_level": 4}
    profile = image.info.get("icc_profile")
    transparency = image.info.get("transparency")
    ImageOps.exif_transpose(image, in_place=True)
    # Whatever stands beside the pixels (comments, EXIF, XMP, profiles) would be written out again.
    image.info = {} if transparency is None else {"transparency": transparency}
    image = _in_srgb(image, profile)
    if format_ == "JPEG" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    image.save(picture, format_, **options)
    width, height = image.size
    _write_thumbnail(image, thumbnail)
    return {"format": format_, "width": width, "height": height, **found}


def _jpeg_options(image: Image.Image) -> dict[str, Any]:
    """The tables of the original, so that the picture loses and grows as little as possible."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode not in ("RGB", "L"):
        return {"quality": 90}
    sampling = JpegImagePlugin.get_sampling(image)
    return {"qtables": image.quantization, **({"subsampling": sampling} if sampling >= 0 else {})}


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of wide-gamut phones in plain sRGB; a profile that cannot be read is left aside."""
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image


def _write_thumbnail(image: Image.Image, path: Path) -> None:
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    if image.has_transparency_data:
        # Ink on nothing (a signature) would be black on black.
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    image.convert("RGB").save(path, "JPEG", quality=80)


def _read_exif(image: Image.Image) -> dict[str, Any]:
    """When and where the photo was taken, as far as the camera wrote it in a form that can be read."""
    found: dict[str, Any] = {"taken_at": None, "latitude": None, "longitude": None}
    try:
        exif = image.getexif()
        found["taken_at"] = _moment(exif.get_ifd(ExifTags.IFD.Exif), exif)
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, ZeroDivisionError, OverflowError):
        return found
    latitude = _degrees(place.get(ExifTags.GPS.GPSLatitude), place.get(ExifTags.GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(place.get(ExifTags.GPS.GPSLongitude), place.get(ExifTags.GPS.GPSLongitudeRef), "EW", 180)
    if latitude is not None and longitude is not None:
        found.update(latitude=latitude, longitude=longitude)
    return found


def _moment(details: dict[int, Any], exif: Image.Exif) -> str | None:
    written = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if not isinstance(written, str):
        return None
    try:
        local = datetime.strptime(written.strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    if not 1990 <= local.year <= 2200:
        return None
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", str(details.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 "))
    zone = CHINA
    if offset and int(offset[2]) <= 14 and int(offset[3]) < 60:
        minutes = int(offset[2]) * 60 + int(offset[3])
        zone = timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    return local.replace(tzinfo=zone).isoformat()


def _degrees(parts: Any, side: Any, sides: str, most: int) -> str | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
        letter = str(side).strip("\0 ").upper()
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if letter not in tuple(sides) or not 0 <= value <= most:
        return None
    return f"{-value if letter == sides[1] else value:.6f}"


def refuse_polyglot(content: bytes, format_: str) -> None:
    """Raise `Refused("polyglot")` when the file is also a container, a script or a page.

    Re-encoding would take that off, but who uploads it means harm or does not know what the phone
    holds. Harmless data after the picture is common (motion photos, gain maps) and is let through.
    """
    beside = b"".join(_jpeg_beside(content) if format_ == "JPEG" else _png_beside(content))
    after = content[_end_of(content, format_) :]
    place = content.rfind(_ZIP_END, max(0, len(content) - 65557))
    is_zip = place >= 0 and place + 22 + int.from_bytes(content[place + 20 : place + 22], "little") == len(content)
    started = after.lstrip(b"\0 \t\r\n").startswith(_RUNNABLE_START)
    if is_zip or started or _MARKUP.search(beside) or _MARKUP_ANYWHERE.search(content):
        raise Refused("polyglot")


def _jpeg_segments(content: bytes) -> list[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the picture data."""
    segments, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _JPEG_LENGTHLESS:
            place += 2
            continue
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        segments.append((marker, place + 4, place + 2 + length))
        if marker == 0xDA:
            break
        place += 2 + length
    return segments


def _jpeg_beside(content: bytes) -> list[bytes]:
    """Comments and application data, where text of any kind can stand."""
    return [content[start:end] for marker, start, end in _jpeg_segments(content) if marker >= 0xE0]


def _png_chunks(content: bytes) -> list[tuple[bytes, int, int]]:
    chunks, place = [], 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind = content[place + 4 : place + 8]
        chunks.append((kind, place + 8, place + 8 + length))
        place += 12 + length
        if kind == b"IEND":
            break
    return chunks


def _png_beside(content: bytes) -> list[bytes]:
    return [content[start:end] for kind, start, end in _png_chunks(content) if kind not in (b"IDAT", b"PLTE", b"iCCP")]


def _end_of(content: bytes, format_: str) -> int:
    """Where the first picture ends; the length of the file when it has no end."""
    if format_ == "PNG":
        chunks = _png_chunks(content)
        return chunks[-1][2] + 4 if chunks and chunks[-1][0] == b"IEND" else len(content)
    segments = _jpeg_segments(content)
    place = segments[-1][2] if segments else 2
    # Within picture data a 0xFF is followed by 0x00 or a restart marker; tables may stand between scans.
    end = content.find(b"\xff\xd9", place)
    return end + 2 if end >= 0 else len(content)


def main(arguments: list[str]) -> int:
    """Entry of the child process."""
    bound_self()
    try:
        answer = convert(*(Path(argument) for argument in arguments))
    except Refused as refused:
        answer = {"refused": str(refused)}
    except OSError as error:
        if error.errno in _DISK_FAULTS:
            return NO_ROOM
        raise
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
