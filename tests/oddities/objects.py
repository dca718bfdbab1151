"""Objects and files within Office documents."""

import struct

from tests import compound, paperwork
from tests.oddities.oddity import Oddity, changed, embedded, packed, with_type


def _bitmap() -> bytes:
    pixels = (
        b"BM" + struct.pack("<LHHL", 70, 0, 0, 54) + struct.pack("<LLLHHLLLLLL", 40, 2, 2, 1, 24, 0, 16, 0, 0, 0, 0)
    )
    pixels += bytes(16)
    return struct.pack("<L", len(pixels)) + pixels


TAKEN = [
    Oddity("docx with a packed text", lambda: embedded(packed(b"abc", "notes.txt")), ".docx", ".docx"),
    Oddity("docx with a packed text of a Chinese name", lambda: embedded(packed(b"abc", "说明.txt")), ".docx", ".docx"),
    Oddity("docx with a packed pdf", lambda: embedded(packed(paperwork.pdf(), "a.pdf")), ".docx", ".docx"),
    Oddity(
        "docx with a picture of Paint",
        lambda: embedded(compound.compound({"\x01Ole10Native": _bitmap()}, {"": compound.PAINT})),
        ".docx",
        ".docx",
    ),
    Oddity(
        "docx with ClipArt",
        lambda: embedded(
            compound.compound(
                {"\x01Ole10Native": struct.pack("<L", 40) + b"\xd7\xcd\xc6\x9a" + bytes(36)}, {"": compound.CLIP_ART}
            )
        ),
        ".docx",
        ".docx",
    ),
    Oddity(
        "docx with an equation",
        lambda: embedded(
            compound.compound({"Equation Native": bytes(60), "\x01Ole": bytes(20)}, {"": compound.EQUATION})
        ),
        ".docx",
        ".docx",
    ),
    Oddity("docx with a workbook", lambda: embedded(paperwork.xlsx(), "Sheet1.xlsx"), ".docx", ".docx"),
    Oddity(
        "docx with slides",
        lambda: embedded(
            with_type(paperwork.docx(), b"wordprocessingml.document.main", b"presentationml.presentation.main"),
            "a.pptx",
        ),
        ".docx",
        ".docx",
    ),
]
REFUSED = [
    Oddity(
        "docx with a packed program of no path and no class",
        lambda: embedded(
            compound.compound({"\x01Ole10Native": compound.native(b"@echo off", "a.cmd", with_path=False)})
        ),
        ".docx",
        None,
        "embedded_package",
        "a.cmd",
    ),
    Oddity(
        "docx with an object of no class that nobody knows",
        lambda: embedded(compound.compound({"\x01Ole10Native": b"\x08\0\0\0" + b"\xff\0\x81" * 9})),
        ".docx",
        None,
        "embedded_package",
        "无法识别",
    ),
    Oddity(
        "docx with a workbook with Excel 4 macros",
        lambda: embedded(compound.xls(sheet_kind=1)),
        ".docx",
        None,
        "macro_document",
        "4.0",
    ),
    Oddity(
        "docx with macros under the name of a picture",
        lambda: changed(
            paperwork.docx(), lambda members: members.update({"word/media/a.png": compound.compound(compound.MACROS)})
        ),
        ".docx",
        None,
        "macro_document",
        "宏",
    ),
    Oddity(
        "docx with a packed program",
        lambda: embedded(packed(b"MZ\x90", "setup.exe")),
        ".docx",
        None,
        "embedded_package",
        "setup.exe",
    ),
    Oddity(
        "docx with a packed script",
        lambda: embedded(packed(b"start calc", "a.bat")),
        ".docx",
        None,
        "embedded_package",
        "a.bat",
    ),
    Oddity(
        "docx with a packed shortcut",
        lambda: embedded(packed(b"L\0\0\0\x01\x14\x02\0", "a.lnk")),
        ".docx",
        None,
        "embedded_package",
        "a.lnk",
    ),
    Oddity(
        "docx with a program as a picture of Paint",
        lambda: embedded(
            compound.compound({"\x01Ole10Native": struct.pack("<L", 3) + b"MZ\x90"}, {"": compound.PAINT})
        ),
        ".docx",
        None,
        "embedded_package",
        "程序",
    ),
    Oddity(
        "docx with an object from the network",
        lambda: embedded(
            compound.compound(
                {"\x01Ole": b"\x01\0\0\x02" + bytes(20) + bytes.fromhex("E0C9EA79F9BACE118C8200AA004BA90B") + bytes(20)}
            )
        ),
        ".docx",
        None,
        "external_content",
        "网络",
    ),
]
