"""What is done with one picture, in a child process of its own (`picture_server.py`).

Here comes what cannot be kept bit for bit (`lossless.py`), and what is cut off: it is decoded, turned upright
and encoded anew.
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
from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream, NotWalkable
from assets.files.pictures.lossless import KEPT_PIXELS
from assets.files.pictures.picture_formats import HEIC, JPEG, PNG, WEBP

AS_JPEG, AS_PNG, THUMBNAIL = b"J", b"P", b"T"
"""What may be asked for."""

MOST_PIXELS = 64_000_000
"""Of a picture that can only be decoded as a whole."""
MOST_JPEG_PIXELS = 300_000_000
"""A JPEG is decoded to an eighth of its sides where it must be, row by row."""
MOST_COEFFICIENTS = 200_000_000
"""Of a JPEG in several scans, whose decoder keeps them all, two bytes each."""
THUMBNAIL_SIDE = 320

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 10
LARGEST_OUTPUT = 128 * 1024 * 1024

NEARLY_ALL = 0.95
"""A picture that is cut off must have so many of its rows."""
_TAIL = 16
"""Bytes of a scan that a decoder reads ahead at the most."""
_FAULTS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError, RuntimeError)
"""What decoders raise over broken pictures."""

pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
Image.init()
Image.MAX_IMAGE_PIXELS = None  # bounded by format, below
warnings.simplefilter("ignore")
_FORMATS = (JPEG, PNG, WEBP, HEIC)


class Refused(Exception):
    """The picture is not taken; the text is the code."""


def bound_server() -> None:
    """Limits of the fork server, which its children have from it: memory and output; no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_child() -> None:
    """Computing time of this picture."""
    # The soft limit ends it with SIGXCPU. The hard one sends SIGKILL, which would look like a machine out of memory.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))


def warm_up() -> None:
    """Have everything imported that decoding needs: a child can open no file, not even of the interpreter's."""
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
    """Write what was asked for to `target`; the answer about it, or `{"refused": CODE}`.

    CODE is `not_a_picture`, `too_large` or `polyglot`. The answer about a picture that is kept has width and height
    (upright), sha256, `taken_at` in RFC 3339, `latitude` and `longitude` in decimal degrees (north and east positive),
    or None.
    Raises OSError when `target` cannot be written.
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
    # Mapped and not read: a child that was just forked pays for each page that it fills. An empty file has no map.
    content = mmap.mmap(source.fileno(), 0, prot=mmap.PROT_READ)
    format_ = picture_formats.format_of(content[:16])
    if format_ is None:
        raise Refused("not_a_picture")
    stream = _walked(content) if format_ == JPEG else None
    if picture_formats.is_something_besides(content, format_, stream):
        raise Refused("polyglot")
    if stream is None:
        if picture_formats.is_cut_off(content, format_):
            raise Refused("not_a_picture")
        image: Image.Image = Image.open(source, formats=_FORMATS)
        _refuse_too_large(image.size, MOST_PIXELS)
        notes = exif.read(image.info.get("exif"))
    else:
        if not stream.whole:
            _refuse_half(content, stream)
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


def _walked(content: Content) -> JpegStream:
    try:
        stream = jpeg_streams.walk(content)
    except NotWalkable as error:
        raise Refused("not_a_picture") from error
    _refuse_too_large((stream.width, stream.height), MOST_JPEG_PIXELS)
    if (stream.progressive or stream.scans > 1) and stream.coefficients > MOST_COEFFICIENTS:
        raise Refused("too_large")
    return stream


def _refuse_too_large(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise Refused("too_large")


def _refuse_half(content: Content, stream: JpegStream) -> None:
    """A picture that is cut off is taken when nearly all of it is there."""
    if stream.progressive or stream.scans > 1:
        nearly = stream.has_every_scan
    else:
        share = _share_of_rows(content[: stream.end])
        nearly = share >= NEARLY_ALL
        # What is missing is written anew in grey, so that no reader stumbles over it.
        stream.plain &= share == 1
    if not nearly:
        raise Refused("not_a_picture")


def _first_picture(content: Content, stream: JpegStream) -> bytes:
    """The bytes of it, with an end."""
    return content[: stream.end] + (b"" if stream.whole else b"\xff\xd9")


def _share_of_rows(content: bytes) -> float:
    """How much of a picture in one scan can be decoded, 0 to 1: the rows that come out alike over black and white."""
    found = []
    for colour in (0, 255):
        # A decoder reads ahead; without these bytes it would keep back the last row even if that is whole.
        image = Image.open(io.BytesIO(content + bytes(_TAIL)), formats=(JPEG,))
        image.draft("L", (1, 1))
        under = Image.new(image.mode, image.size, colour)
        image.im = under.im
        with suppress(OSError):  # it ends before its end
            image.load()
        found.append(under.tobytes())
    first, second = found
    row = len(first) // image.height
    alike = sum(first[start : start + row] == second[start : start + row] for start in range(0, len(first), row))
    return alike / image.height


def _scale_down(image: Image.Image, pixels: int) -> None:
    """Have a JPEG decoded to a half, a quarter or an eighth of its sides, as far as it must be."""
    width, height = image.size
    for part in (1, 2, 4, 8):
        if (width // part) * (height // part) <= pixels:
            if part > 1:
                image.draft(None, (width // part, height // part))
            return


def _encoded(image: Image.Image, wanted: str, orientation: int) -> tuple[bytes, tuple[int, int]]:
    """The picture upright and without anything beside its pixels, and its size."""
    ways = _jpeg_options(image) if wanted == JPEG else [{"compress_level": level} for level in (4, 6, 9)]
    image.load()
    profile, transparency = image.info.get("icc_profile"), image.info.get("transparency")
    if image.width * image.height > KEPT_PIXELS:
        image = _eight_bit(image).reduce(2)
        transparency = None
    _turn(image, orientation)
    # Whatever stands beside the pixels (comments, EXIF, XMP, profiles) would be written out again.
    image.info = {} if transparency is None else {"transparency": transparency}
    image = _in_srgb(image, profile)
    if wanted == JPEG:
        image = _opaque(image)
    for options in ways:
        out = io.BytesIO()
        image.save(out, wanted, **options)
        # With the tables of the original, the same bytes may come out that were not to be kept.
        if not picture_formats.may_hide_something([out.getvalue()]):
            return out.getvalue(), image.size
    raise Refused("polyglot")


def _turn(image: Image.Image, orientation: int) -> None:
    """Upright, in place: a large picture stands in memory twice only while it is turned."""
    if orientation > 1:
        image.getexif()[ExifTags.Base.Orientation] = orientation
        ImageOps.exif_transpose(image, in_place=True)


def _jpeg_options(image: Image.Image) -> list[dict[str, Any]]:
    """The tables of the original, so that the picture loses and grows as little as possible; then others."""
    others: list[dict[str, Any]] = [{"quality": quality} for quality in (90, 87, 84)]
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode not in ("RGB", "L"):
        return others
    sampling = JpegImagePlugin.get_sampling(image)
    same = {"qtables": image.quantization, **({"subsampling": sampling} if sampling >= 0 else {})}
    return [same, *others]


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of wide-gamut phones in plain sRGB; a profile that cannot be read is left aside."""
    if not profile or image.mode not in ("RGB", "CMYK") or icc_profiles.is_srgb(profile):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image


def _eight_bit(image: Image.Image) -> Image.Image:
    """In a mode in which pixels can be mixed: grey, RGB or RGBA of eight bits."""
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 257) + 0).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _opaque(image: Image.Image) -> Image.Image:
    """Grey or RGB; ink on nothing (a signature) stands on white."""
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
