"""What a ZIP container may hold at the most, checked on its directory before any of it is unpacked."""

import enum
import zipfile
from collections.abc import Sequence

MAX_MEMBERS = 2_000
# XML shrinks to a thirtieth at most; a sheet of one repeated value goes further.
_MAX_RATIO = 200
_RATIO_FROM = 1024 * 1024
"""Bytes unpacked from which on the ratio counts: a small member of one repeated value harms nobody."""


class Excess(enum.Enum):
    """In what a container goes beyond the bounds."""

    REPEATED_NAME = enum.auto()
    TOO_LARGE = enum.auto()
    RATIO = enum.auto()


def find_excess(members: Sequence[zipfile.ZipInfo], max_unpacked: int) -> Excess | None:
    """The first bound that the members exceed; `max_unpacked` is in bytes, of all of them together."""
    if len({member.filename for member in members}) != len(members):
        return Excess.REPEATED_NAME  # two readers would see two files
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > max_unpacked:
        return Excess.TOO_LARGE
    if any(
        member.file_size > _RATIO_FROM and member.file_size > _MAX_RATIO * max(member.compress_size, 1)
        for member in members
    ):
        return Excess.RATIO
    return None
