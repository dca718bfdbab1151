"""What is read of a font file itself: which characters it draws, and the names of the fonts of a collection.

The tables are those of the OpenType specification. Of `cmap` only formats 4 and 12 are read, which fonts of Chinese
have.
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0))
"""Platform and encoding of tables whose codes are Unicode, the fullest first."""
_COLLECTION = b"ttcf"
_LAST = 0x10FFFF
_WINDOWS, _ENGLISH = 3, 0x409
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16


def characters(path: Path, index: int = 0) -> frozenset[int]:
    """The code points that font `index` of the file draws; empty for a file that cannot be used.

    That is one that is broken, has no outlines (pictures of characters only), or is variable: what is embedded must
    have one weight.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            tables = _tables(data, index)
            if b"fvar" in tables or not {b"glyf", b"CFF "} & tables.keys():
                return frozenset()
            return frozenset(_mapped(data, tables[b"cmap"]))
    except (OSError, ValueError, KeyError, IndexError, struct.error):
        return frozenset()


def families(path: Path) -> list[str]:
    """The family name of each font in the file, in their order; empty for a file that cannot be read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            count = struct.unpack_from(">I", data, 8)[0] if data[:4] == _COLLECTION else 1
            return [_family(data, _tables(data, index)[b"name"]) for index in range(count)]
    except (OSError, ValueError, KeyError, IndexError, struct.error):
        return []


def _family(data: mmap.mmap, name: int) -> str:
    """As Windows shows it in English; "" when it has no such name."""
    count, strings = struct.unpack_from(">HH", data, name + 2)
    found = {}
    for number in range(count):
        platform, _, language, kind, length, offset = struct.unpack_from(">6H", data, name + 6 + 12 * number)
        if platform == _WINDOWS and language == _ENGLISH:
            start = name + strings + offset
            found[kind] = data[start : start + length].decode("utf-16-be", "replace")
    return found.get(_TYPOGRAPHIC_FAMILY) or found.get(_FAMILY, "")


def _tables(data: mmap.mmap, index: int) -> dict[bytes, int]:
    """Where each table of the font begins."""
    start = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == _COLLECTION else 0
    (count,) = struct.unpack_from(">H", data, start + 4)
    records = (struct.unpack_from(">4sIII", data, start + 12 + 16 * number) for number in range(count))
    return {tag: offset for tag, _, offset, _ in records}


def _mapped(data: mmap.mmap, cmap: int) -> Iterator[int]:
    """The code points of the fullest table that can be read."""
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    records = (struct.unpack_from(">HHI", data, cmap + 4 + 8 * number) for number in range(count))
    places = {(platform, encoding): cmap + offset for platform, encoding, offset in records}
    for key in _UNICODE:
        if key in places:
            (kind,) = struct.unpack_from(">H", data, places[key])
            if kind in _READERS:
                return _READERS[kind](data, places[key])
    return iter(())


def _format_12(data: mmap.mmap, start: int) -> Iterator[int]:
    """Groups of code points whose glyphs follow one another; glyph 0 is the empty box."""
    (groups,) = struct.unpack_from(">I", data, start + 12)
    for first, last, glyph in struct.iter_unpack(">III", data[start + 16 : start + 16 + 12 * groups]):
        yield from range(first + (glyph == 0), min(last, _LAST) + 1)


def _format_4(data: mmap.mmap, start: int) -> Iterator[int]:
    """Segments of the Basic Multilingual Plane: four arrays, after which the glyphs of some segments stand."""
    (doubled,) = struct.unpack_from(">H", data, start + 6)
    count, array = doubled // 2, f">{doubled // 2}H"
    ends = struct.unpack_from(array, data, start + 14)
    starts = struct.unpack_from(array, data, start + 16 + doubled)
    deltas = struct.unpack_from(array, data, start + 16 + 2 * doubled)
    offsets_at = start + 16 + 3 * doubled
    offsets = struct.unpack_from(array, data, offsets_at)
    for number in range(count):
        for code in range(starts[number], ends[number] + 1):
            glyph = code
            if offsets[number]:
                # Counted in bytes from the place of the offset itself.
                place = offsets_at + 2 * number + offsets[number] + 2 * (code - starts[number])
                (glyph,) = struct.unpack_from(">H", data, place)
                if glyph == 0:
                    continue
            if (glyph + deltas[number]) & 0xFFFF and code != 0xFFFF:
                yield code


_READERS = {4: _format_4, 12: _format_12}
