"""ZIP containers (Office files are ZIP containers too): opened only when they can be unpacked safely.

A worker has little memory, so every limit is checked before the bytes that it concerns are read: the size of the
directory before its entries, the declared sizes before the members.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple

from assets.zip_bounds import MAX_MEMBERS, Excess, find_excess
from core.errors import Problem, invalid

MAX_UNPACKED = 200 * 1024 * 1024
_MAX_DIRECTORY = 1024 * 1024
_CHUNK = 64 * 1024
_END = b"PK\x05\x06"
_END_SIZE = 22
_TAIL = 65535 + _END_SIZE
_ENTRY = b"PK\x01\x02"
_LARGE_LOCATOR, _LARGE_LOCATOR_SIZE = b"PK\x06\x07", 20
EmbeddedCheck = Callable[[bytes, Sequence[str]], None]
"""Checks an embedded file, given its content and the names that the outer file has for it; raises 422."""
_ENCRYPTED = 0x1
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def end_of_directory(file: IO[bytes]) -> int | None:
    """Offset of the last end record of a ZIP; None when there is none.

    Bytes may follow, and readers ignore them: mail programs and phones append a line end, disks fill up a block.
    """
    size = file.seek(0, 2)
    tail_size = min(size, _TAIL)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        return None
    (comment,) = struct.unpack_from("<H", tail, place + 20)
    return size - tail_size + place if place + _END_SIZE + comment <= len(tail) else None


class Span(NamedTuple):
    """Place of an archive in a file: the offsets of its first byte and of the byte behind its last."""

    start: int
    end: int


def find_trailing_archives(file: IO[bytes]) -> list[Span]:
    """Archives that ZIP readers would find at the end of a file of another format.

    Readers search the last 64 KiB for an end record and accept it when there is a directory at the place it names:
    counted backwards from the record or, in some readers, from the first byte of the file.
    """
    size = file.seek(0, 2)
    tail_start = max(0, size - _TAIL)
    file.seek(tail_start)
    tail = file.read(_TAIL)
    found = []
    place = tail.find(_END)
    while 0 <= place <= len(tail) - _END_SIZE:
        directory_size, directory_start, comment = struct.unpack_from("<LLH", tail, place + 12)
        end = tail_start + place
        directories = (end - directory_size, directory_start)
        is_large = tail[max(0, place - _LARGE_LOCATOR_SIZE) : place].startswith(_LARGE_LOCATOR)
        if is_large or any(_stands_at(file, directory, _ENTRY) for directory in directories):
            found.append(Span(end - directory_size - directory_start, end + _END_SIZE + comment))
        place = tail.find(_END, place + 1)
    return found


def _stands_at(file: IO[bytes], place: int, signature: bytes) -> bool:
    if place < 0:
        return False
    file.seek(place)
    return file.read(len(signature)) == signature


@contextmanager
def opened(file: IO[bytes], label: str) -> Iterator[zipfile.ZipFile]:
    """A container whose directory is valid; `label` names the kind of file in messages.

    Raises 422 when it is damaged, encrypted, compressed in an unusual way, too large when unpacked, or a polyglot.
    """
    damaged = invalid("/file", "content_mismatch", f"文件不是有效的{label}或已损坏，请重新保存后上传")
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        raise damaged
    end = end_of_directory(file)
    if end is None:
        raise damaged
    file.seek(end)
    _, _, _, _, count, directory_size, directory_start, _ = struct.unpack("<4s4H2LH", file.read(_END_SIZE))
    if count > MAX_MEMBERS or directory_size > _MAX_DIRECTORY:
        raise _bomb(label)
    if directory_start + directory_size != end:
        # There are other bytes before or inside the container: two readers could see two different files.
        raise damaged
    try:
        with zipfile.ZipFile(file) as archive:
            _check_directory(archive, count, directory_start, label, damaged)
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, struct.error) as error:
        # RuntimeError: a member is encrypted; NotImplementedError: an unknown compression method.
        raise damaged from error


def _check_directory(archive: zipfile.ZipFile, count: int, directory_start: int, label: str, damaged: Problem) -> None:
    members = archive.infolist()
    excess = find_excess(members, MAX_UNPACKED)
    if len(members) != count or excess is Excess.REPEATED_NAME:
        raise damaged
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise invalid("/file", "encrypted", f"{label}已加密，请取消密码后重新上传")
    if any(member.compress_type not in _PACKED for member in members):
        raise damaged
    if excess is Excess.UNSAFE_NAME:
        raise invalid("/file", "unsafe_path", f"{label}内有不安全的路径，请重新保存或打包后上传")
    if excess is not None:
        raise _bomb(label)
    placed = sorted(members, key=lambda member: member.header_offset)
    ends = [member.header_offset for member in placed[1:]] + [directory_start]
    for member, end in zip(placed, ends, strict=True):
        # In a ZIP bomb members overlap, so that a small file unpacks to a huge one.
        if member.header_offset + 30 + member.compress_size > end:
            raise _bomb(label)


def _bomb(label: str) -> Problem:
    return invalid("/file", "zip_bomb", f"{label}解压后过大或结构异常，请精简内容后重新上传")


def pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a member in pieces; raises as `zipfile` does when it does not match its directory entry."""
    unpacked = 0
    with archive.open(member) as content:
        while piece := content.read(_CHUNK):
            unpacked += len(piece)
            yield piece
    if unpacked != member.file_size:
        raise zipfile.BadZipFile("a member is shorter than its entry says")
