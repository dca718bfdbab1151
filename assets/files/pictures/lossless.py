"""A JPEG without what stands beside its pixels, and the pixels bit for bit as they were. Nothing is decoded.

The stream is walked from its first byte to its last (`jpeg_streams.py`). One that is made of what is known and
nothing else is written again from its parts; every other one is left to a decoder, in a child process.
"""

from dataclasses import dataclass

from assets.files.pictures import exif, icc_profiles, jpeg_streams, picture_formats
from assets.files.pictures.exif import Notes
from assets.files.pictures.jpeg_streams import Buffer, Content, JpegStream, NotWalkable

KEPT_PIXELS = 40_000_000
"""A larger picture is made smaller."""
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"


@dataclass(frozen=True, slots=True)
class Kept:
    """The pieces of the new stream, and what is known of the picture; width and height as it is to be shown."""

    pieces: list[Buffer]
    width: int
    height: int
    notes: Notes


def walked(content: Content) -> JpegStream | None:
    """The walk of a whole JPEG; None for what is cut off or broken, which a decoder decides about."""
    try:
        stream = jpeg_streams.walk(content)
    except NotWalkable:
        return None
    return stream if stream.whole else None


def strip(stream: JpegStream) -> Kept | None:
    """The picture again; None when its pixels must be written anew."""
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
    if picture_formats.may_hide_something(pieces):
        return None
    size = (stream.width, stream.height)
    width, height = size if notes.orientation < 5 else size[::-1]
    return Kept(pieces, width, height, notes)


def notes_of(stream: JpegStream) -> Notes:
    """What the camera noted."""
    return exif.read(next((data for data in stream.beside if data.startswith(_EXIF)), None))


def _profile(stream: JpegStream) -> bytes:
    """The colour profile, which may stand in several segments with their numbers."""
    parts = sorted(data[len(_PROFILE) :] for data in stream.beside if data.startswith(_PROFILE))
    return b"".join(part[2:] for part in parts)
