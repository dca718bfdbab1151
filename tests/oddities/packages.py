"""Office Open XML as various programs write it, and what may act in it."""

import io

import msoffcrypto.format.ooxml

from tests import paperwork
from tests.oddities.oddity import Members, Oddity, changed

DOCX_TYPE = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def docx_with_body(xml: str) -> bytes:
    def insert(members: Members) -> None:
        body = members["word/document.xml"]
        members["word/document.xml"] = body.replace(b"<w:sectPr", xml.encode() + b"<w:sectPr", 1)

    return changed(paperwork.docx(), insert)


def _by_default_type() -> bytes:
    def declare(members: Members) -> None:
        types = members["[Content_Types].xml"]
        override = b'<Override PartName="/word/document.xml" ContentType="' + DOCX_TYPE + b'"/>'
        assert types.count(override) == 1
        types = types.replace(override, b"")
        old = b'<Default Extension="xml" ContentType="application/xml"/>'
        assert types.count(old) == 1
        members["[Content_Types].xml"] = types.replace(
            old, b'<Default Extension="xml" ContentType="' + DOCX_TYPE + b'"/>'
        )

    return changed(paperwork.docx(), declare)


def _in_capitals() -> bytes:
    def rename(members: Members) -> None:
        members["WORD/Document.xml"] = members.pop("word/document.xml")
        members["WORD/_rels/Document.xml.rels"] = members.pop("word/_rels/document.xml.rels")

    return changed(paperwork.docx(), rename)


def field(*runs: str) -> str:
    """A field whose instruction is cut into runs."""
    middle = "".join(f'<w:r><w:instrText xml:space="preserve">{run}</w:instrText></w:r>' for run in runs)
    return f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{middle}<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def _xlsx_with_link(xml: str) -> bytes:
    def link(members: Members) -> None:
        members["xl/externalLinks/externalLink1.xml"] = xml.encode()
        part = (
            b'<Override PartName="/xl/externalLinks/externalLink1.xml" ContentType="application/vnd.openxmlformats-'
            b'officedocument.spreadsheetml.externalLink+xml"/></Types>'
        )
        members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", part)

    return changed(paperwork.xlsx(), link)


def _macro_sheet() -> bytes:
    def add(members: Members) -> None:
        members["xl/macrosheets/sheet1.xml"] = b"<x/>"

    return changed(paperwork.xlsx(), add)


def locked_docx(password: str) -> bytes:
    out = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(paperwork.docx())).encrypt(password, out)
    return out.getvalue()


_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_DDE = f'<externalLink {_NS}><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
_BOOK = f"<externalLink {_NS}><externalBook><sheetNames/></externalBook></externalLink>"
_PARAGRAPH = "<w:p>{}</w:p>"

_CHUNK = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Target='
    b'"a.html" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/aFChunk"/></Relationships>'
)

TAKEN = [
    Oddity("docx whose main type is a default", _by_default_type, ".docx", ".docx"),
    Oddity("docx with parts in capitals", _in_capitals, ".docx", ".docx"),
    Oddity("docx with a newline behind it", lambda: paperwork.docx() + b"\r\n", ".docx", ".docx"),
    Oddity("docx filled up with zeros", lambda: paperwork.docx() + bytes(4096), ".docx", ".docx"),
    Oddity("xlsx with a newline behind it", lambda: paperwork.xlsx() + b"\n", ".xlsx", ".xlsx"),
    Oddity("docx with page numbers", lambda: docx_with_body(_PARAGRAPH.format(field(" PA", "GE "))), ".docx", ".docx"),
    Oddity(
        "docx with a picture from the author's own disk",
        lambda: docx_with_body(_PARAGRAPH.format(field(' INCLUDEPICTURE "C:\\\\资料\\\\a.png" \\* MERGEFORMAT '))),
        ".docx",
        ".docx",
    ),
    Oddity("docx that talks of pictures", lambda: paperwork.docx('INCLUDEPICTURE "http://a/b.png"'), ".docx", ".docx"),
    Oddity("docx that talks of DDE", lambda: paperwork.docx("DDEAUTO cmd 是一种链接"), ".docx", ".docx"),
    Oddity("xlsx that names another workbook", lambda: _xlsx_with_link(_BOOK), ".xlsx", ".xlsx"),
    Oddity("docx with the lock that everybody opens", lambda: locked_docx("VelvetSweatshop"), ".docx", ".docx"),
]
REFUSED = [
    Oddity(
        "docx that includes a picture from elsewhere",
        lambda: docx_with_body(_PARAGRAPH.format(field(" INCLUDE", 'PICTURE "http://evil.example/a.png" \\d '))),
        ".docx",
        None,
        "external_content",
        "图片",
    ),
    Oddity(
        "docx that includes a picture from a share",
        lambda: docx_with_body(_PARAGRAPH.format(field(" IncludePicture \\\\\\\\host\\\\share\\\\a.png "))),
        ".docx",
        None,
        "external_content",
        "断开",
    ),
    Oddity(
        "docx that includes a text from elsewhere within another field",
        lambda: docx_with_body(_PARAGRAPH.format(field(" QUOTE ", field(' INCLUDETEXT "https://evil.example/a" ')))),
        ".docx",
        None,
        "external_content",
        "网络",
    ),
    Oddity(
        "docx with DDE",
        lambda: docx_with_body(_PARAGRAPH.format(field("DDEAUTO c:\\\\calc.exe x"))),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE in runs",
        lambda: docx_with_body(_PARAGRAPH.format(field("D", "DEAU", "TO cmd x"))),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE in one run",
        lambda: docx_with_body(
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DD</w:instrText><w:instrText>E cmd</w:instrText>'
            '<w:fldChar w:fldCharType="separate"/><w:t>x</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        ),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE in an insertion",
        lambda: docx_with_body(f'<w:p><w:ins w:id="1" w:author="a">{field("DDE cmd x")}</w:ins></w:p>'),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE in another field",
        lambda: docx_with_body(
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText> IF </w:instrText></w:r>'
            + field("DDE cmd x")
            + '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        ),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE over paragraphs",
        lambda: docx_with_body(
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DDEA</w:instrText></w:r></w:p>'
            '<w:p><w:r><w:instrText>UTO cmd</w:instrText><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        ),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with DDE in numbers of letters",
        lambda: docx_with_body(_PARAGRAPH.format(field("QUOTE 68 68 69 65 85 84 79 32 99"))),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity(
        "docx with a simple field of DDE",
        lambda: docx_with_body('<w:p><w:fldSimple w:instr="DDEAUTO cmd x"><w:r><w:t>a</w:t></w:r></w:fldSimple></w:p>'),
        ".docx",
        None,
        "active_content",
        "DDE",
    ),
    Oddity("xlsx with DDE", lambda: _xlsx_with_link(_DDE), ".xlsx", None, "active_content", "DDE"),
    Oddity("xlsx with a macro sheet", _macro_sheet, ".xlsx", None, "macro_document", "宏"),
    Oddity(
        "docx with a web page within",
        lambda: changed(
            paperwork.docx(),
            lambda members: members.update({"word/_rels/settings.xml.rels": _CHUNK}),
        ),
        ".docx",
        None,
        "embedded_package",
        "另存",
    ),
    Oddity("docx with a password", lambda: locked_docx("secret"), ".docx", None, "encrypted", "取消密码"),
]
