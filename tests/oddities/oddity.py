"""What an oddity is, and how documents are made odd."""

from collections.abc import Callable
from dataclasses import dataclass

from tests import compound, paperwork

Members = dict[str, bytes]


@dataclass(frozen=True)
class Oddity:
    """`taken`: the extension under which it is kept, or `code` and `words` with which it is refused."""

    name: str
    make: Callable[[], bytes]
    named: str
    taken: str | None = None
    code: str | None = None
    words: str = ""


def changed(content: bytes, change: Callable[[Members], None]) -> bytes:
    return paperwork.changed_zip(content, change)


def with_type(content: bytes, old: bytes, new: bytes) -> bytes:
    def declare(members: Members) -> None:
        members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(old, new)

    return changed(content, declare)


def embedded(content: bytes, name: str = "oleObject1.bin") -> bytes:
    def embed(members: Members) -> None:
        members[f"word/embeddings/{name}"] = content

    return changed(paperwork.docx(), embed)


def packed(content: bytes, name: str, clsid: str = compound.PACKAGE) -> bytes:
    """An object of OLE that holds a file."""
    return compound.compound({"\x01Ole10Native": compound.native(content, name)}, {"": clsid})
