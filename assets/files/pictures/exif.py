"""What a camera noted about a photo (EXIF 2.32, a TIFF): how it was held, when, and where.

Only five fields are needed, so they are parsed here: a process that reads them need not import a picture decoder.
"""

import re
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

CHINA = timezone(timedelta(hours=8))
"""Time zone that is assumed for a photo whose camera recorded none."""

_ORIENTATION, _CHANGED, _DETAILS, _PLACE = 0x0112, 0x0132, 0x8769, 0x8825
_TAKEN, _ZONE = 0x9003, 0x9011
_LATITUDE_SIDE, _LATITUDE, _LONGITUDE_SIDE, _LONGITUDE = 1, 2, 3, 4
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_SIZES = {_ASCII: 1, _SHORT: 2, _LONG: 4, _RATIONAL: 8}
_MOST_ENTRIES = 512
_LONGEST = 64
"""Most values (or characters) of an entry that is read; none of the fields read here is longer."""


@dataclass(frozen=True, slots=True)
class Notes:
    """Fields of a photo; None where the camera wrote nothing usable.

    `orientation` is 1 (upright) to 8; degrees are decimal, north and east positive; `taken_at` is RFC 3339.
    """

    orientation: int = 1
    taken_at: str | None = None
    latitude: str | None = None
    longitude: str | None = None


def read(exif: bytes | None) -> Notes:
    """The fields of a photo that the camera wrote in a readable form."""
    content = (exif or b"").removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        return Notes()
    main = _entries(content, order, _number(content, order, 4))
    details = _entries(content, order, _first(main.get(_DETAILS)))
    place = _entries(content, order, _first(main.get(_PLACE)))
    orientation = _first(main.get(_ORIENTATION))
    latitude = _degrees(place.get(_LATITUDE), place.get(_LATITUDE_SIDE), "NS", 90)
    longitude = _degrees(place.get(_LONGITUDE), place.get(_LONGITUDE_SIDE), "EW", 180)
    known = latitude is not None and longitude is not None
    return Notes(
        orientation if 1 <= orientation <= 8 else 1,
        _moment(details.get(_TAKEN) or main.get(_CHANGED), details.get(_ZONE)),
        latitude if known else None,
        longitude if known else None,
    )


def _number(content: bytes, order: str, place: int) -> int:
    piece = content[place : place + 4]
    return int(struct.unpack(f"{order}I", piece)[0]) if len(piece) == 4 else 0


def _entries(content: bytes, order: str, place: int) -> dict[int, Any]:
    """The values of an EXIF directory (IFD) by tag: text, or a tuple of numbers."""
    found: dict[int, Any] = {}
    if not 8 <= place <= len(content) - 2:
        return found
    (count,) = struct.unpack_from(f"{order}H", content, place)
    for start in range(place + 2, place + 2 + 12 * min(count, _MOST_ENTRIES), 12):
        if start + 12 > len(content):
            break
        tag, kind, length = struct.unpack_from(f"{order}HHI", content, start)
        size = _SIZES.get(kind, 0) * length
        if not size or length > _LONGEST:
            continue
        at = start + 8 if size <= 4 else _number(content, order, start + 8)
        data = content[at : at + size]
        if len(data) == size:
            found[tag] = _value(data, order, kind, length)
    return found


def _value(data: bytes, order: str, kind: int, length: int) -> Any:
    if kind == _ASCII:
        return data.decode("latin-1").strip("\0 ")
    numbers = struct.unpack(f"{order}{length * (2 if kind == _RATIONAL else 1)}{'H' if kind == _SHORT else 'I'}", data)
    if kind != _RATIONAL:
        return numbers
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return tuple(above / below if below else None for above, below in pairs)


def _first(value: Any) -> int:
    return value[0] if isinstance(value, tuple) and isinstance(value[0], int) else 0


def _moment(written: Any, zone: Any) -> str | None:
    if not isinstance(written, str):
        return None
    try:
        local = datetime.strptime(written, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    if not 1990 <= local.year <= 2200:
        return None
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone) if isinstance(zone, str) else None
    known = CHINA
    if offset and int(offset[2]) <= 14 and int(offset[3]) < 60:
        minutes = int(offset[2]) * 60 + int(offset[3])
        known = timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    return local.replace(tzinfo=known).isoformat()


def _degrees(parts: Any, side: Any, sides: str, most: int) -> str | None:
    if not isinstance(parts, tuple) or len(parts) != 3 or None in parts or not isinstance(side, str):
        return None
    degrees, minutes, seconds = parts
    value = degrees + minutes / 60 + seconds / 3600
    letter = side.upper()
    if letter not in tuple(sides) or not 0 <= value <= most:
        return None
    return f"{-value if letter == sides[1] else value:.6f}"
