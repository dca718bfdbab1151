"""Removing the metadata of a JPEG while its pixels stay bit for bit as they were. Nothing is decoded.

The stream is parsed from its first byte to its last (`jpeg_streams.py`). If it consists of known parts only, it is
written again from those that decoding needs; every other picture is decoded and encoded anew in a child process.
"""

from dataclasses import dataclass

from assets.files.pictures import exif, icc_profiles, jpeg_streams, picture_formats
from assets.files.pictures.exif import Notes
from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream, NotParsable

KEPT_PIXELS = 40_000_000
"""Pixels of a picture that is kept at its size; a larger one is scaled down."""
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Kept:
    """The new stream in pieces, and the facts about the picture; width and height are those of the upright picture."""

    pieces: list[Buffer]
    width: int
    height: int
    notes: Notes


def parse(content: Content) -> JpegStream | None:
    """The parsed JPEG; None when it is cut off or broken: then the child process decides whether it is usable."""
    try:
        stream = jpeg_streams.parse(content)
    except NotParsable:
        return None
    return stream if stream.whole else None


def strip(stream: JpegStream) -> Kept | None:
    """The picture without metadata; None when it must be decoded and encoded anew."""
    if not stream.plain or stream.width * stream.height > KEPT_PIXELS:
        return None
    notes = notes_of(stream)
    inserted = [] if notes.orientation == 1 else [jpeg_streams.orientation_segment(notes.orientation)]
    profile = _profile(stream)
    if profile and not icc_profiles.is_srgb(profile):
        if not icc_profiles.is_display_profile(profile, b"GRAY" if len(stream.components) == 1 else b"RGB "):
            return None
        inserted += jpeg_streams.profile_segments(profile)
    pieces = stream.kept(*inserted)
    if picture_formats.may_hold_another_format(pieces):
        return None
    size = (stream.width, stream.height)
    width, height = size if notes.orientation < 5 else size[::-1]
    return Kept(pieces, width, height, notes)


def notes_of(stream: JpegStream) -> Notes:
    """The EXIF fields of the picture."""
    return exif.read(next((data for data in stream.metadata if data.startswith(_EXIF)), None))


def _profile(stream: JpegStream) -> bytes:
    """The colour profile, which may be split over several numbered segments."""
    parts = sorted(data[len(_PROFILE) :] for data in stream.metadata if data.startswith(_PROFILE))
    return b"".join(part[2:] for part in parts)
