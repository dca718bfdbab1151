"""Processing one picture in a child process of its own (`picture_server.py`).

Pictures that cannot be kept bit for bit (`lossless.py`), or that are cut off, are decoded, turned upright and encoded
anew.
"""

import hashlib
import io
import mmap
import resource
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageOps, JpegImagePlugin, UnidentifiedImageError

from assets.files.pictures import exif, icc_profiles, jpeg_streams, lossless, picture_formats
from assets.files.pictures.exif import Notes
from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream, NotParsable
from assets.files.pictures.lossless import KEPT_PIXELS
from assets.files.pictures.picture_formats import HEIC, JPEG, PNG, WEBP

AS_JPEG, AS_PNG, THUMBNAIL = b"J", b"P", b"T"
"""Operations of a request."""

MOST_PIXELS = 64_000_000
"""Limit for formats that can only be decoded as a whole."""
MOST_JPEG_PIXELS = 300_000_000
"""Limit for a JPEG, which can be decoded row by row, scaled down to an eighth of its sides."""
MOST_COEFFICIENTS = 200_000_000
"""Limit for a JPEG in several scans, whose decoder keeps all coefficients in memory, two bytes each."""
THUMBNAIL_SIDE = 320

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 10
LARGEST_OUTPUT = 128 * 1024 * 1024

NEARLY_ALL = 0.95
"""Share of its rows that a cut-off picture must have to be accepted."""
_TAIL = 16
"""Most bytes of a scan that a decoder reads ahead."""
_FAULTS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, RuntimeError)
"""Exceptions that decoders raise for broken pictures."""

pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
Image.init()
Image.MAX_IMAGE_PIXELS = None  # the limits above replace it
warnings.simplefilter("ignore")
_FORMATS = (JPEG, PNG, WEBP, HEIC)


class Refused(Exception):
    """The picture is refused; the text is the code."""


def bound_server() -> None:
    """Set limits of the fork server that its children inherit: address space and file size; no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_child() -> None:
    """Set the limit of CPU time for this picture."""
    # The soft limit ends it with SIGXCPU. The hard one sends SIGKILL, which would look like a machine out of memory.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))


def warm_up() -> None:
    """Import everything that decoding needs: a confined child can open no file, not even a Python module."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (64, 64))
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 6
    notes.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 09:30:00"
    for format_ in (JPEG, PNG, WEBP):
        for asked in (AS_JPEG, AS_PNG, THUMBNAIL):
            with tempfile.TemporaryFile() as file:
                image.save(file, format_, exif=notes, icc_profile=profile)
                file.seek(0)
                work(asked, file, io.BytesIO())


def work(asked: bytes, source: IO[bytes], target: IO[bytes]) -> dict[str, Any]:
    """Write the requested picture to `target`; the facts about it, or `{"refused": CODE}`.

    CODE is `not_a_picture`, `too_large` or `polyglot`. The facts are width and height (upright), sha256 and, unless a
    thumbnail was asked for, `taken_at` in RFC 3339 and `latitude` and `longitude` in decimal degrees (north and east
    positive), each of these None when unknown. Raises OSError when `target` cannot be written.
    """
    try:
        made, answer = _thumbnail(source) if asked == THUMBNAIL else _convert(source, JPEG if asked == AS_JPEG else PNG)
    except Refused as refused:
        return {"refused": str(refused)}
    except MemoryError:
        return {"refused": "too_large"}
    except _FAULTS:
        return {"refused": "not_a_picture"}
    digest = hashlib.sha256()
    for piece in made:
        digest.update(piece)
        target.write(piece)
    target.flush()
    return answer | {"sha256": digest.hexdigest()}


def _convert(source: IO[bytes], wanted: str) -> tuple[Sequence[Buffer], dict[str, Any]]:
    # Mapped instead of read: every new page of memory costs a freshly forked child a page fault. Mapping an empty
    # file raises ValueError, which `work` answers as a broken picture.
    content = mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ)
    format_ = picture_formats.format_of(content[:16])
    if format_ is None:
        raise Refused("not_a_picture")
    stream = _parse(content) if format_ == JPEG else None
    if picture_formats.is_polyglot(content, format_, stream):
        raise Refused("polyglot")
    if stream is None:
        if picture_formats.is_cut_off(content, format_):
            raise Refused("not_a_picture")
        image: Image.Image = Image.open(source, formats=_FORMATS)
        _refuse_too_large(image.size, MOST_PIXELS)
        notes = exif.read(image.info.get("exif"))
    else:
        if not stream.whole:
            _refuse_incomplete(content, stream)
        kept = lossless.strip(stream) if wanted == JPEG else None
        if kept is not None:
            return kept.pieces, _answer(kept.width, kept.height, kept.notes)
        notes = lossless.notes_of(stream)
        image = Image.open(io.BytesIO(_first_picture(content, stream)), formats=(JPEG,))
        _scale_down(image, KEPT_PIXELS)
    made, (width, height) = _encoded(image, wanted, notes.orientation)
    return [made], _answer(width, height, notes)


def _answer(width: int, height: int, notes: Notes) -> dict[str, Any]:
    return {
        "width": width, "height": height,
        "taken_at": notes.taken_at, "latitude": notes.latitude, "longitude": notes.longitude,
    }  # fmt: skip


def _parse(content: Content) -> JpegStream:
    try:
        stream = jpeg_streams.parse(content)
    except NotParsable as error:
        raise Refused("not_a_picture") from error
    _refuse_too_large((stream.width, stream.height), MOST_JPEG_PIXELS)
    if (stream.progressive or stream.scans > 1) and stream.coefficients > MOST_COEFFICIENTS:
        raise Refused("too_large")
    return stream


def _refuse_too_large(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise Refused("too_large")


def _refuse_incomplete(content: Content, stream: JpegStream) -> None:
    """Refuse a cut-off picture unless nearly all of it is there."""
    if stream.progressive or stream.scans > 1:
        nearly = stream.has_every_scan
    else:
        share = _share_of_rows(content[: stream.end])
        nearly = share >= NEARLY_ALL
        # An incomplete picture is encoded anew, with the missing part in grey, so that every reader opens it.
        stream.plain &= share == 1
    if not nearly:
        raise Refused("not_a_picture")


def _first_picture(content: Content, stream: JpegStream) -> bytes:
    """The bytes of the picture, with an end marker."""
    return content[: stream.end] + (b"" if stream.whole else b"\xff\xd9")


def _share_of_rows(content: bytes) -> float:
    """The share of rows, 0 to 1, that can be decoded of a picture in one scan.

    It is decoded over black and over white: rows that come out alike were decoded.
    """
    found = []
    for colour in (0, 255):
        # Without these bytes, a decoder that reads ahead would not return the last row even if it is complete.
        image = Image.open(io.BytesIO(content + bytes(_TAIL)), formats=(JPEG,))
        image.draft("L", (1, 1))
        under = Image.new(image.mode, image.size, colour)
        image.im = under.im
        with suppress(OSError):  # the picture is cut off
            image.load()
        found.append(under.tobytes())
    first, second = found
    row = len(first) // image.height
    alike = sum(first[start : start + row] == second[start : start + row] for start in range(0, len(first), row))
    return alike / image.height


def _scale_down(image: Image.Image, pixels: int) -> None:
    """Have a JPEG decoded at a half, a quarter or an eighth of its sides if it has too many pixels."""
    width, height = image.size
    for part in (1, 2, 4, 8):
        if (width // part) * (height // part) <= pixels:
            if part > 1:
                image.draft(None, (width // part, height // part))
            return


def _encoded(image: Image.Image, wanted: str, orientation: int) -> tuple[bytes, tuple[int, int]]:
    """The encoded picture, upright and without metadata, and its size."""
    ways = _jpeg_options(image) if wanted == JPEG else [{"compress_level": level} for level in (4, 6, 9)]
    image.load()
    profile, transparency = image.info.get("icc_profile"), image.info.get("transparency")
    if image.width * image.height > KEPT_PIXELS:
        image = _eight_bit(image).reduce(2)
        transparency = None
    _turn(image, orientation)
    # Pillow would write the metadata in `info` (comments, EXIF, XMP, profiles) into the new file.
    image.info = {} if transparency is None else {"transparency": transparency}
    image = _in_srgb(image, profile)
    if wanted == JPEG:
        image = _opaque(image)
    for options in ways:
        out = io.BytesIO()
        image.save(out, wanted, **options)
        # With the tables of the original, the suspicious bytes of the original may come out again.
        if not picture_formats.may_hold_another_format([out.getvalue()]):
            return out.getvalue(), image.size
    raise Refused("polyglot")


def _turn(image: Image.Image, orientation: int) -> None:
    """Turn the picture upright in place, so that memory holds it twice only while it is turned."""
    if orientation > 1:
        image.getexif()[ExifTags.Base.Orientation] = orientation
        ImageOps.exif_transpose(image, in_place=True)


def _jpeg_options(image: Image.Image) -> list[dict[str, Any]]:
    """Options to try in order: first the quantisation tables of the original, with which it loses and grows least."""
    others: list[dict[str, Any]] = [{"quality": quality} for quality in (90, 87, 84)]
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode not in ("RGB", "L"):
        return others
    sampling = JpegImagePlugin.get_sampling(image)
    same = {"qtables": image.quantization, **({"subsampling": sampling} if sampling >= 0 else {})}
    return [same, *others]


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert the colours to sRGB, for phones with a wide gamut; a profile that cannot be read is ignored."""
    if not profile or image.mode not in ("RGB", "CMYK") or icc_profiles.is_srgb(profile):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert to a mode whose pixels can be averaged: grey, RGB or RGBA of eight bits."""
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 257) + 0).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _opaque(image: Image.Image) -> Image.Image:
    """Convert to grey or RGB; transparent parts become white, as behind a signature."""
    image = _eight_bit(image)
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _thumbnail(source: IO[bytes]) -> tuple[Sequence[Buffer], dict[str, Any]]:
    """A small JPEG, upright and opaque."""
    image: Image.Image = Image.open(source, formats=_FORMATS)
    orientation = exif.read(image.info.get("exif")).orientation
    profile = image.info.get("icc_profile")
    if image.format in ("JPEG", "MPO"):
        image.draft(None, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    image.load()
    image = _opaque(image)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    _turn(image, orientation)
    image = _in_srgb(image, profile)
    image.info = {}
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return [out.getvalue()], {"width": image.width, "height": image.height}
