"""Office 97-2003, and what may act in it."""

from tests import compound, paperwork
from tests.oddities.oddity import Oddity


def doc_with(**streams: bytes) -> dict[str, bytes]:
    return {**compound.streams_of(paperwork.REPORT_DOC.read_bytes()), **streams}


def _doc_holding(streams: dict[str, bytes], classes: dict[str, str] | None = None) -> bytes:
    return compound.compound({**doc_with(), **streams}, classes)


def _doc_with_field(instruction: str) -> bytes:
    streams = doc_with()
    text = f"\x13 {instruction} \x14x\x15".encode("utf-16-le")
    streams["WordDocument"] += text
    return compound.compound(streams)


TAKEN = [
    Oddity(
        "doc with names in capitals",
        lambda: compound.compound({name.upper(): content for name, content in doc_with().items()}),
        ".doc",
        ".doc",
    ),
    Oddity(
        "doc with an equation in its pool",
        lambda: _doc_holding({"ObjectPool/_1/Equation Native": bytes(60)}, {"ObjectPool/_1": compound.EQUATION}),
        ".doc",
        ".doc",
    ),
    Oddity("doc with page numbers", lambda: _doc_with_field("PAGE"), ".doc", ".doc"),
    Oddity("xls with names in capitals", lambda: compound.compound({"WORKBOOK": compound.workbook()}), ".xls", ".xls"),
    Oddity(
        "xls that names another workbook",
        lambda: compound.xls(records=[compound.supporting_link("\x01b.xls", 1)]),
        ".xls",
        ".xls",
    ),
]
REFUSED = [
    Oddity("doc with DDE", lambda: _doc_with_field("DDEAUTO cmd"), ".doc", None, "active_content", "DDE"),
    Oddity(
        "xls with DDE",
        lambda: compound.xls(records=[compound.supporting_link("cmd\x03/c calc", 0)]),
        ".xls",
        None,
        "active_content",
        "DDE",
    ),
    Oddity("xls with Excel 4 macros", lambda: compound.xls(sheet_kind=1), ".xls", None, "macro_document", "4.0"),
    Oddity(
        "xls of Excel 95 with Excel 4 macros",
        lambda: compound.compound({"Book": compound.workbook(sheet_kind=1)}),
        ".xls",
        None,
        "macro_document",
        "4.0",
    ),
    Oddity(
        "doc with macros",
        lambda: _doc_holding({f"Macros/{name}": content for name, content in compound.MACROS.items()}),
        ".doc",
        None,
        "macro_document",
        "宏",
    ),
    Oddity(
        "xls with macros",
        lambda: compound.compound(
            {"Workbook": compound.workbook(), **{f"_VBA_PROJECT_CUR/{n}": c for n, c in compound.MACROS.items()}}
        ),
        ".xls",
        None,
        "macro_document",
        "宏",
    ),
    Oddity(
        "doc with a packed program",
        lambda: _doc_holding(
            {"ObjectPool/_1/\x01OLE10NATIVE": compound.native(b"MZ", "a.exe")}, {"ObjectPool/_1": compound.PACKAGE}
        ),
        ".doc",
        None,
        "embedded_package",
        "a.exe",
    ),
]
