"""What a ZIP container may hold, checked on its directory before any of it is unpacked: one check for each kind."""

import enum
import zipfile
from collections.abc import Sequence

MAX_MEMBERS = 2_000
# XML shrinks to a thirtieth at most; a sheet of one repeated value goes further.
_MAX_RATIO = 200
_RATIO_FROM = 1024 * 1024
"""Bytes unpacked from which on the ratio counts: a small member of one repeated value harms nobody."""

_LONGEST_NAME = 200
_UTF8 = 0x800


class Excess(enum.Enum):
    """In what a container goes beyond the bounds."""

    REPEATED_NAME = enum.auto()
    UNSAFE_NAME = enum.auto()
    TOO_LARGE = enum.auto()
    RATIO = enum.auto()


def find_excess(members: Sequence[zipfile.ZipInfo], max_unpacked: int) -> Excess | None:
    """The first bound that the members exceed; `max_unpacked` is in bytes, of all of them together.

    `UNSAFE_NAME`: a member that would be unpacked outside of its folder, a link, or a name that is too long.
    """
    if len({member.filename for member in members}) != len(members):
        return Excess.REPEATED_NAME  # two readers would see two files
    if any(_is_unsafe(member) for member in members):
        return Excess.UNSAFE_NAME
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked:
        return Excess.TOO_LARGE
    if any(
        member.file_size > _RATIO_FROM and member.file_size > _MAX_RATIO * max(member.compress_size, 1)
        for member in members
    ):
        return Excess.RATIO
    return None


def member_name(member: zipfile.ZipInfo) -> str:
    """The name of a member; without the UTF-8 flag it is read as GBK, which Chinese archivers write."""
    name = member.orig_filename
    if member.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("gbk")
    except UnicodeError:
        return name


def _is_unsafe(member: zipfile.ZipInfo) -> bool:
    name = member_name(member)
    parts = name.replace("\\", "/").split("/")
    # Unix stores the file type in the upper bits of the attributes: 0xA is a symbolic link.
    is_link = (member.external_attr >> 28) == 0xA
    leads_out = ".." in parts or parts[0] == "" or ":" in parts[0]
    return is_link or leads_out or "\0" in name or len(name) > _LONGEST_NAME
