"""A JPEG stream is parsed from its first byte to its end, and written again without its metadata.

The format is ITU-T T.81, annex B. The parser accounts for every byte: it belongs to a known segment of the declared
length, or to a scan. Otherwise the stream is not `plain`: its bytes may not be kept, and the picture is encoded anew.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap

SOI, EOI, SOS, DHT, DQT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xFE
_FRAMES = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive frames with Huffman coding, which every reader opens."""
_OTHER_FRAMES = frozenset([0xC3, 0xC5, 0xC6, 0xC7, *range(0xC9, 0xCC), *range(0xCD, 0xD0)])
_LENGTHLESS = frozenset([0x01, *range(0xD0, 0xD9)])
_APP0, _APP15, _ADOBE = 0xE0, 0xEF, 0xEE
_IN_A_SCAN = re.compile(rb"\xff[\x01-\xfe]")
"""A marker. Within a scan 0xFF is followed by 0x00 or is part of a restart marker; fill bytes 0xFF may precede it."""
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_MOST_QUANTISATION, _MOST_HUFFMAN = 4, 8
"""Table slots of a decoder; with more tables before a scan some would be overwritten unread and could hold anything."""
_MOST_BLOCKS = 10
"""Most blocks of a minimum coded unit with several components (T.81, B.2.3)."""
_MOST_SEGMENTS, _MOST_FILLERS = 5000, 64
"""Far more than real pictures have; the limits bound the time of parsing."""
_MOST_PARTS = 200
"""Most scans of a picture; encoders make about ten."""


Content = bytes | mmap
Buffer = bytes | memoryview


class NotParsable(Exception):
    """The content is no JPEG, or holds no picture."""


@dataclass(slots=True)
class JpegStream:
    """A parsed JPEG. `metadata` holds the application data and comments, which decoding does not need.

    `end` is the offset behind the end marker, or the length of the content when the picture is cut off (not `whole`).
    `plain`: it consists of known parts only, so that its bytes may be kept.
    """

    width: int = 0
    height: int = 0
    components: tuple[tuple[int, int], ...] = ()
    """Sampling factors of each component, horizontal and vertical."""
    progressive: bool = False
    scans: int = 0
    end: int = 0
    whole: bool = False
    plain: bool = True
    metadata: list[bytes] = field(default_factory=list)
    jfif: bytes = b""
    adobe: bytes = b""
    _kept: list[Buffer] = field(default_factory=list)
    _component_ids: tuple[int, ...] = ()
    _interval: int = 0
    _intervals: int = 1
    _tables: list[int] = field(default_factory=lambda: [0, 0])
    _quantisation: set[int] = field(default_factory=set)
    _huffman: set[int] = field(default_factory=set)
    """Tables defined so far; the upper half of a Huffman table's number is its class, as in the stream."""
    _quantised_by: tuple[int, ...] = ()
    _precise: dict[tuple[int, int], int] = field(default_factory=dict)

    def kept(self, *inserted: bytes) -> list[Buffer]:
        """The stream in pieces, with only what decoding needs, and `inserted` segments at its head.

        The coded data are not copied, because every new page of memory costs a freshly forked child a page fault.
        """
        return [b"\xff\xd8", self.jfif, *inserted, self.adobe, *self._kept, b"\xff\xd9"]

    @property
    def has_every_scan(self) -> bool:
        """Whether every coefficient has full precision in some scan: then only the end of the last scan is missing."""
        wanted = ((number, index) for number in self._component_ids for index in range(64))
        return all(self._precise.get(key, 1) == 0 for key in wanted)

    @property
    def coefficients(self) -> int:
        """Number of coefficients in all components; a decoder of several scans keeps all of them in memory."""
        most_across, most_down = self._most
        blocks = sum(across * down for across, down in self.components)
        return self.width * self.height * blocks // (most_across * most_down)

    @property
    def _most(self) -> tuple[int, int]:
        return max(across for across, _ in self.components), max(down for _, down in self.components)


def parse(content: Content) -> JpegStream:
    """Parse a JPEG to its end. Raises `NotParsable`."""
    if content[:2] != b"\xff\xd8":
        raise NotParsable
    stream, offset, segments = JpegStream(), 2, 0
    while not stream.whole:
        found = _IN_A_SCAN.search(content, offset)
        if found is None:
            break
        segments += 1
        if segments > _MOST_SEGMENTS:
            raise NotParsable
        # Only fill bytes (0xFF) may precede a marker.
        stream.plain &= found.start() - offset <= _MOST_FILLERS and not content[offset : found.start()].strip(b"\xff")
        marker, offset = content[found.end() - 1], found.end()
        if marker == EOI:
            stream.whole, stream.end = True, offset
        elif marker in _LENGTHLESS:
            stream.plain = False
        else:
            length = int.from_bytes(content[offset : offset + 2], "big")
            after = offset + length
            if length < 2 or after > len(content):
                break
            _segment(stream, marker, content[offset + 2 : after])
            offset = after if marker != SOS else _scan(stream, content, after)
    if not stream.scans:
        raise NotParsable
    if not stream.whole:
        stream.end = len(content)
    return stream


def _segment(stream: JpegStream, marker: int, data: bytes) -> None:
    if _APP0 <= marker <= _APP15 or marker == COM:
        # JFIF and Adobe segments say how colours are coded: their fixed fields are kept, whatever follows is dropped.
        if marker == _APP0 and data.startswith(b"JFIF\0") and len(data) >= 14:
            stream.jfif = b"\xff\xe0\x00\x10" + data[:12] + b"\0\0"
        elif marker == _ADOBE and data.startswith(b"Adobe") and len(data) >= 12:
            stream.adobe = b"\xff\xee\x00\x0e" + data[:12]
        stream.metadata.append(data)
        return
    if marker in _FRAMES or marker in _OTHER_FRAMES:
        _frame(stream, marker, data)
    elif marker == SOS:
        _scan_head(stream, data)
    elif marker == DQT:
        _count(stream, 0, _quantisation_tables(stream, data), _MOST_QUANTISATION)
    elif marker == DHT:
        _count(stream, 1, _huffman_tables(stream, data), _MOST_HUFFMAN)
    elif marker == DRI and len(data) == 2:
        stream._interval = int.from_bytes(data, "big")
    else:
        stream.plain = False
    stream._kept.append(bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data)


def _frame(stream: JpegStream, marker: int, data: bytes) -> None:
    if stream._component_ids or len(data) < 9 or len(data) != 6 + 3 * data[5]:
        stream.plain = False
        return
    stream.height, stream.width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    parts = [data[start : start + 3] for start in range(6, len(data), 3)]
    stream._component_ids = tuple(part[0] for part in parts)
    stream.components = tuple((part[1] >> 4, part[1] & 15) for part in parts)
    stream.progressive = marker == 0xC2
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in stream.components):
        raise NotParsable
    most_across, most_down = stream._most
    usual = all(most_across % across == 0 and most_down % down == 0 for across, down in stream.components)
    stream._quantised_by = tuple(part[2] for part in parts)
    stream.plain &= usual and marker in _FRAMES and data[0] == 8 and len(set(stream._component_ids)) in (1, 3)
    stream.plain &= len(parts) in (1, 3) and stream.width > 0 and stream.height > 0


def _scan_head(stream: JpegStream, data: bytes) -> None:
    stream.scans += 1
    count = data[0] if data else 0
    if not stream._component_ids or len(data) != 4 + 2 * count or stream.scans > _MOST_PARTS:
        stream.plain = False
        return
    first, last, precision = data[-3], data[-2], data[-1] & 15
    for number in data[1:-3:2]:
        for index in range(first, min(last, 63) + 1):
            stream._precise[number, index] = precision if stream.progressive else 0
    stream._tables = [0, 0]
    stream._intervals = _intervals(stream, data[1:-3:2])
    stream.plain &= stream._intervals > 0 and set(stream._quantised_by) <= stream._quantisation
    stream.plain &= _can_be_coded(stream, data)


def _can_be_coded(stream: JpegStream, data: bytes) -> bool:
    """Whether the parameters of a scan are allowed (T.81, B.2.3 and G.1.1), and its tables are defined."""
    numbers, tables = data[1:-3:2], data[2:-3:2]
    first, last, before, precision = data[-3], data[-2], data[-1] >> 4, data[-1] & 15
    sampling = dict(zip(stream._component_ids, stream.components, strict=False))
    blocks = sum(across * down for across, down in (sampling.get(number, (16, 16)) for number in numbers))
    if len(set(numbers)) != len(numbers) or (len(numbers) > 1 and blocks > _MOST_BLOCKS):
        return False
    if not stream.progressive:
        needed = {table >> 4 for table in tables} | {0x10 | table & 15 for table in tables}
        return (first, last, before, precision) == (0, 63, 0, 0) and needed <= stream._huffman
    if last > 63 or first > last or precision > 13 or (before and before != precision + 1):
        return False
    if first == 0:
        return last == 0 and (bool(before) or {table >> 4 for table in tables} <= stream._huffman)
    return len(numbers) == 1 and 0x10 | tables[0] & 15 in stream._huffman


def _count(stream: JpegStream, which: int, tables: int | None, most: int) -> None:
    stream._tables[which] += tables or 0
    stream.plain &= tables is not None and stream._tables[which] <= most


def _quantisation_tables(stream: JpegStream, data: bytes) -> int | None:
    """Number of tables in the segment; None when its length does not fit them, or a table is not allowed."""
    offset = tables = 0
    while offset < len(data):
        number = data[offset]
        if number >> 4 > 1 or number & 15 > 3:
            return None
        stream._quantisation.add(number & 15)
        offset += 129 if number >> 4 else 65
        tables += 1
    return tables if offset == len(data) else None


def _huffman_tables(stream: JpegStream, data: bytes) -> int | None:
    offset = tables = 0
    while offset + 17 <= len(data):
        number, lengths = data[offset], data[offset + 1 : offset + 17]
        symbols = data[offset + 17 : offset + 17 + sum(lengths)]
        # Each length has only the codes that shorter ones leave over, and the code of all ones is not used (annex C).
        room = sum(count << (16 - length) for length, count in enumerate(lengths, 1))
        brightness = number >> 4 == 0
        if number >> 4 > 1 or number & 15 > 3 or not 0 < sum(lengths) <= 256 or room >= 1 << 16:
            return None
        if brightness and max(symbols, default=0) > 15:
            return None
        stream._huffman.add(number)
        offset += 17 + sum(lengths)
        tables += 1
    return tables if offset == len(data) else None


def _scan(stream: JpegStream, content: Content, start: int) -> int:
    """Keep the coded data of a scan; the offset of the marker that ends it."""
    restarts, end = 0, None
    for found in _IN_A_SCAN.finditer(content, start):
        marker = found[0][1]
        if not 0xD0 <= marker <= 0xD7:
            end = found.start()
            break
        # Restart markers count from 0 to 7 and begin again.
        stream.plain &= marker == 0xD0 + restarts % 8
        restarts += 1
        if restarts >= stream._intervals or not stream.plain:  # the bytes are not kept, so counting can stop
            stream.plain = False
            further = _SCAN_END.search(content, found.end())
            end = further.start() if further else None
            break
    stop = len(content) if end is None else end
    # One restart marker between each two intervals.
    stream.plain &= restarts == stream._intervals - 1 or (end is None and restarts < stream._intervals)
    last = stop
    while last > start and content[last - 1] == 0xFF and stop - last <= _MOST_FILLERS:  # fill bytes, or half a marker
        last -= 1
    stream._kept.append(memoryview(content)[start:last])
    return stop


def _intervals(stream: JpegStream, numbers: bytes) -> int:
    """Number of restart intervals in a scan of these components; 0 when the frame lacks one of them."""
    sampling = dict(zip(stream._component_ids, stream.components, strict=False))
    if not numbers or any(number not in sampling for number in numbers):
        return 0
    most_across, most_down = stream._most
    if len(numbers) == 1:
        across, down = sampling[numbers[0]]
        columns = math.ceil(math.ceil(stream.width * across / most_across) / 8)
        rows = math.ceil(math.ceil(stream.height * down / most_down) / 8)
    else:
        columns, rows = math.ceil(stream.width / (8 * most_across)), math.ceil(stream.height / (8 * most_down))
    return math.ceil(columns * rows / stream._interval) if stream._interval else 1


def orientation_segment(orientation: int) -> bytes:
    """An EXIF segment that holds the orientation of the picture (2 to 8) and nothing else."""
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0" + bytes((orientation, 0, 0, 0)) + bytes(4)
    return _application_segment(0xE1, b"Exif\0\0" + tiff)


def profile_segments(profile: bytes) -> Iterator[bytes]:
    """The segments that hold a colour profile in a JPEG (ICC.1, annex B.4)."""
    most = 65519
    pieces = [profile[start : start + most] for start in range(0, len(profile), most)]
    for number, piece in enumerate(pieces, 1):
        yield _application_segment(0xE2, b"ICC_PROFILE\0" + bytes((number, len(pieces))) + piece)


def _application_segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data
