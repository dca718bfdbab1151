"""XML within the containers that people upload, read as a stream and without a document type.

Office files declare no document type. One that does is refused, because entities can expand without bound and name
files of the server; so each member that is XML goes through here before any library reads it.
"""

from collections.abc import Callable, Iterable
from xml.parsers import expat

Start = Callable[[str, dict[str, str]], object]


class XmlFault(ValueError):
    """The part is not well-formed, or declares a document type."""


class _Enough(Exception):
    """The first element was reached."""


def read_part(
    pieces: Iterable[bytes],
    start: Start | None = None,
    end: Callable[[str], object] | None = None,
    text: Callable[[str], object] | None = None,
) -> None:
    """Call `start(tag, attributes)`, `end(tag)` and `text(text)` for the elements of a part, without building a tree.

    Raises XmlFault; what a callback raises is passed on.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise XmlFault(str(error)) from error


def read_prolog(pieces: Iterable[bytes]) -> None:
    """Read a part up to its first element, before which a document type would stand; raises XmlFault."""

    def enough(_tag: str, _attributes: dict[str, str]) -> None:
        raise _Enough

    try:
        read_part(pieces, enough)
    except _Enough:
        return


def _refuse_document_type(*_declared: object) -> None:
    raise XmlFault("a document type is declared")
