"""Writes compound files (OLE, [MS-CFB] version 3), and what lies in them: workbooks in BIFF, macros, packed files."""

import io
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import olefile

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


@dataclass
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    clsid: bytes = bytes(16)
    children: dict[str, "_Entry"] = field(default_factory=dict)
    start: int = _END
    child: int = _NONE
    right: int = _NONE


def compound(streams: Mapping[str, bytes], classes: Mapping[str, str] | None = None) -> bytes:
    """A compound file; paths with `/` make storages, `classes` gives storages their CLSID ("" is the root)."""
    root = _Entry("Root Entry", 5)
    for path, content in streams.items():
        storage = root
        *above, name = path.split("/")
        for part in above:
            storage = storage.children.setdefault(part, _Entry(part, 1))
        storage.children[name] = _Entry(name, 2, content)
    for path, clsid in (classes or {}).items():
        storage = root
        for part in path.split("/") if path else ():
            storage = storage.children[part]
        storage.clsid = UUID(clsid).bytes_le
    entries = [root]
    _number(root, entries)
    small = [entry for entry in entries if entry.kind == 2 and len(entry.content) < _CUTOFF]
    mini, mini_table = b"", []
    for entry in small:
        count = -(-len(entry.content) // _MINI)
        if count:
            entry.start = len(mini_table)
            mini_table += [*range(entry.start + 1, entry.start + count), _END]
        mini += entry.content.ljust(count * _MINI, b"\0")
    root.content = mini
    sectors: list[bytes] = []
    table: list[int] = []

    def store(content: bytes) -> int:
        count = -(-len(content) // _SECTOR)
        if not count:
            return _END
        first = len(table)
        table.extend([*range(first + 1, first + count), _END])
        padded = content.ljust(count * _SECTOR, b"\0")
        sectors.extend(padded[place : place + _SECTOR] for place in range(0, len(padded), _SECTOR))
        return first

    for entry in (root, *entries):
        if (entry.kind == 5 or len(entry.content) >= _CUTOFF) and entry.start == _END:
            entry.start = store(entry.content)
    packed = struct.pack(f"<{len(mini_table)}L", *mini_table)
    mini_start = store(packed + b"\xff" * (-len(packed) % _SECTOR))
    directory = b"".join(_directory_entry(entry) for entry in entries)
    directory_start = store(directory + bytes(-len(directory) % _SECTOR))
    fats = 1
    while fats * (_SECTOR // 4) < len(table) + fats:
        fats += 1
    first_fat = len(table)
    table += [_FAT] * fats
    table += [_FREE] * (fats * (_SECTOR // 4) - len(table))
    packed = struct.pack(f"<{len(table)}L", *table)
    sectors += [packed[place : place + _SECTOR] for place in range(0, len(packed), _SECTOR)]
    header = (
        olefile.MAGIC,
        bytes(16),
        struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6),
        bytes(6),
        struct.pack("<LLLLL", 0, fats, directory_start, 0, _CUTOFF),
        struct.pack("<LLLL", mini_start, -(-len(mini_table) * 4 // _SECTOR), _END, 0),
        struct.pack("<109L", *range(first_fat, first_fat + fats), *[_FREE] * (109 - fats)),
    )
    return b"".join((*header, *sectors))


def _number(storage: _Entry, entries: list[_Entry]) -> None:
    ordered = sorted(storage.children.values(), key=lambda one: (len(one.name), one.name.upper()))
    previous = None
    for entry in ordered:
        if previous is None:
            storage.child = len(entries)
        else:
            previous.right = len(entries)
        entries.append(entry)
        previous = entry
    for entry in ordered:
        _number(entry, entries)


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0"
    size = len(entry.content) if entry.kind in (2, 5) else 0
    start = 0 if entry.kind == 1 else entry.start
    return b"".join(
        (
            name.ljust(64, b"\0"), struct.pack("<HBB", len(name), entry.kind, 1),
            struct.pack("<LLL", _NONE, entry.right, entry.child), entry.clsid, bytes(20),
            struct.pack("<LQ", start, size),
        )
    )  # fmt: skip


def streams_of(content: bytes) -> dict[str, bytes]:
    """The streams of a compound file by path."""
    with olefile.OleFileIO(io.BytesIO(content)) as document:
        return {"/".join(path): document.openstream(path).read() for path in document.listdir()}


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def workbook(*, sheet_kind: int = 0, records: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """The stream Workbook of an .xls with one sheet; kind 1 is a sheet of Excel 4.0 macros."""

    def start(kind: int) -> bytes:
        return _record(0x809, struct.pack("<HHHHLL", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))

    name = b"Sheet1"
    bound = struct.pack("<LBBBB", 0, 0, sheet_kind, len(name), 0) + name
    middle = b"".join(_record(kind, data) for kind, data in records)
    sheet = start(0x40 if sheet_kind == 1 else 0x10) + _record(0x0A, b"")
    return start(5) + _record(0x85, bound) + middle + _record(0x0A, b"") + sheet


def supporting_link(path: str, sheets: int) -> tuple[int, bytes]:
    """The record SupBook: with no sheets a link of DDE or OLE, with some another workbook."""
    return 0x1AE, struct.pack("<HHB", sheets, len(path), 1) + path.encode("utf-16-le")


def xls(**made: object) -> bytes:
    """An .xls of one stream."""
    return compound({"Workbook": workbook(**made)})  # type: ignore[arg-type]


def native(content: bytes, name: str = "附件.txt", *, with_path: bool = True) -> bytes:
    """The stream Ole10Native of a packed file ([MS-OLEDS] 2.3.6)."""
    shown = name.encode("gbk") + b"\0"
    path = b"C:\\Users\\w\\" + shown if with_path else b"\0"
    inside = struct.pack("<H", 2) + shown + path + struct.pack("<LL", 0x30000, len(path)) + path
    inside += struct.pack("<L", len(content)) + content
    return struct.pack("<L", len(inside)) + inside


PACKAGE = "0003000C-0000-0000-C000-000000000046"
PAINT = "0003000A-0000-0000-C000-000000000046"
CLIP_ART = "00030026-0000-0000-C000-000000000046"
EQUATION = "0002CE02-0000-0000-C000-000000000046"
MACROS = {
    "VBA/_VBA_PROJECT": b"\xcc\x61", "VBA/dir": b"\x01", "VBA/ThisDocument": b"\x01Attribut\0e", "PROJECT": b"ID=x",
}  # fmt: skip
