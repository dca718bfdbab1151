"""Purposes (用途) of uploads, and the places in a record where files of a purpose may stand.

A purpose is declared beside what it belongs to: a kind of filing, a room, or the items of a form (`form_files.py`).
`app.py` registers them all, so that the upload endpoint and the OpenAPI document know them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from assets.files.file_types import FILE_TYPES, LARGEST_FILE, MIB
from core.errors import invalid


@dataclass(frozen=True, slots=True)
class FilePurpose:
    """What a file is uploaded for. `extensions` are shown to users in this order; `max_bytes` is of one file."""

    code: str
    label: str
    extensions: tuple[str, ...]
    max_bytes: int = LARGEST_FILE

    def __post_init__(self) -> None:
        unknown = set(self.extensions) - FILE_TYPES.keys()
        if unknown or not self.extensions or not 0 < self.max_bytes <= LARGEST_FILE:
            raise ValueError(f"purpose {self.code} cannot work: {sorted(unknown)}, {self.max_bytes} bytes")

    @property
    def allowed(self) -> str:
        """The extensions as a message names them."""
        return "、".join(self.extensions)


class FilePurposes:
    """The purposes that the rooms of an application have declared, in that order."""

    def __init__(self) -> None:
        self._by_code: dict[str, FilePurpose] = {}

    def __iter__(self) -> Iterator[FilePurpose]:
        return iter(self._by_code.values())

    def register(self, *purposes: FilePurpose) -> None:
        """Add purposes; one that several rooms use may be added again.

        Raises ValueError when another purpose has its code.
        """
        for purpose in purposes:
            if self._by_code.setdefault(purpose.code, purpose) != purpose:
                raise ValueError(f"file purpose {purpose.code} is declared twice")

    def get(self, code: str) -> FilePurpose:
        """The purpose of a code; raises 422 `unknown_purpose`."""
        purpose = self._by_code.get(code)
        if purpose is None:
            raise invalid("/purpose", "unknown_purpose", f"没有这个用途，可选：{'、'.join(self._by_code)}")
        return purpose


@dataclass(frozen=True, slots=True)
class Category:
    """A place for files in a record (材料类别): which purposes fit, and how many files at the most.

    `extensions` and `max_bytes` narrow what the purposes allow; None leaves it as it is there.
    """

    code: str
    label: str
    purposes: frozenset[FilePurpose]
    max_count: int = 1
    extensions: frozenset[str] | None = None
    max_bytes: int | None = None

    def __post_init__(self) -> None:
        if not self.purposes or self.max_count < 1:
            raise ValueError(f"category {self.code} cannot work: {len(self.purposes)} purposes, {self.max_count} files")

    @property
    def allowed(self) -> tuple[str, ...]:
        """The extensions that fit, in the order of the purposes."""
        by_code = sorted(self.purposes, key=lambda purpose: purpose.code)
        named = [name for purpose in by_code for name in purpose.extensions]
        return tuple(dict.fromkeys(name for name in named if self.extensions is None or name in self.extensions))

    @property
    def largest(self) -> int:
        """Bytes that a file of any of the purposes may have."""
        return min(self.max_bytes or LARGEST_FILE, *(purpose.max_bytes for purpose in self.purposes))

    def takes(self, purpose_code: str) -> bool:
        """Whether files that were uploaded for that purpose fit."""
        return any(purpose.code == purpose_code for purpose in self.purposes)


def categories(*declared: Category) -> dict[str, Category]:
    """Categories by code; raises ValueError for a code that stands twice."""
    by_code = {category.code: category for category in declared}
    if len(by_code) != len(declared):
        raise ValueError("a category stands twice")
    return by_code


def readable_size(max_bytes: int) -> str:
    """`20M`, as the messages of the seeds write sizes."""
    return f"{max_bytes // MIB}M" if max_bytes >= MIB else f"{max_bytes // 1024}K"
