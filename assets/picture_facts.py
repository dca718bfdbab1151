"""When and where a photo was taken, as far as the camera wrote it in a form that can be read."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import ExifTags, Image

CHINA = timezone(timedelta(hours=8))
"""Where a camera stands that does not say in which zone its clock goes."""


def read(image: Image.Image) -> dict[str, Any]:
    """`taken_at`, `latitude` and `longitude`, None where nothing usable is written."""
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


def orientation(image: Image.Image) -> int:
    """How the picture is to be turned, 1 to 8; 1 where nothing usable is written."""
    try:
        written = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, OverflowError):
        return 1
    return written if isinstance(written, int) and 1 <= written <= 8 else 1


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
