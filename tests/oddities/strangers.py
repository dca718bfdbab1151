"""What is not the type that its name says."""

from tests import compound, paperwork
from tests.oddities.oddity import Oddity, embedded, packed, with_type


def _doc() -> bytes:
    return paperwork.REPORT_DOC.read_bytes()


TAKEN = [
    Oddity("docx named .doc", paperwork.docx, ".doc", ".docx"),
    Oddity("doc named .docx", _doc, ".docx", ".doc"),
    Oddity("pdf named .docx", paperwork.pdf, ".docx", ".pdf"),
    Oddity("pdf named .jpg", paperwork.pdf, ".jpg", ".pdf"),
    Oddity("xlsx named .xls", paperwork.xlsx, ".xls", ".xlsx"),
    Oddity("docx named .zip", paperwork.docx, ".zip", ".docx"),
]
REFUSED = [
    Oddity(
        "xlsm named .xlsx",
        lambda: with_type(
            paperwork.xlsx(),
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        ),
        ".xlsx",
        None,
        "macro_document",
        "另存为",
    ),
    Oddity(
        "xlsb named .xlsx",
        lambda: with_type(
            paperwork.xlsx(),
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            b"application/vnd.ms-excel.sheet.binary.macroEnabled.main",
        ),
        ".xlsx",
        None,
        "content_mismatch",
        ".xlsb",
    ),
    Oddity(
        "docx with a program named as a text",
        lambda: embedded(packed(b"MZ\x90", "a.txt")),
        ".docx",
        None,
        "embedded_package",
        "程序",
    ),
    Oddity("doc of RTF", lambda: b"{\\rtf1\\ansi abc}", ".doc", None, "content_mismatch", "RTF 文档"),
    Oddity("doc of HTML", lambda: b"\xef\xbb\xbf<html xmlns:o='urn'><body>", ".doc", None, "content_mismatch", "HTML"),
    Oddity("xls of HTML", lambda: b"<table><tr><td>1", ".xls", None, "content_mismatch", "另存为 Excel"),
    Oddity(
        "doc of MHT", lambda: b"MIME-Version: 1.0\r\nContent-Type: multipart", ".doc", None, "content_mismatch", "MHT"
    ),
    Oddity(
        "doc of XML",
        lambda: b'<?xml version="1.0"?><?mso-application progid="Word.Document"?>',
        ".doc",
        None,
        "content_mismatch",
        "Office XML",
    ),
    Oddity("xls of text", lambda: "企业名称\t数量\n".encode("gbk"), ".xls", None, "content_mismatch", "纯文本"),
    Oddity("xls of SYLK", lambda: b"ID;PWXL;N;E\r\n", ".xls", None, "content_mismatch", "SYLK"),
    Oddity(
        "docx of OpenDocument",
        lambda: paperwork.zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<a/>"}),
        ".docx",
        None,
        "content_mismatch",
        "OpenDocument",
    ),
    Oddity("pdf of OFD", lambda: paperwork.zipped({"OFD.xml": b"<a/>"}), ".pdf", None, "content_mismatch", "OFD"),
    Oddity(
        "doc of slides",
        lambda: compound.compound({"PowerPoint Document": bytes(9)}),
        ".doc",
        None,
        "content_mismatch",
        "PowerPoint",
    ),
]
