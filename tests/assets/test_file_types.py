"""What may be uploaded: names, extensions, and content that is what its extension says."""

import io
import struct
import tempfile
import zipfile
from dataclasses import replace

import pypdfium2
import pytest

from assets import zip_bounds
from assets.files.documents.content_checks import check
from assets.files.file_names import display_name, file_type, with_extension
from assets.files.file_types import FILE_TYPES, LARGEST_FILE
from assets.files.form_files import PHOTO
from assets.files.purposes import Category, FilePurpose, FilePurposes, categories
from composition.file_purposes import file_purposes
from core.errors import Problem
from enterprise.production.kinds import rectification, self_check_report
from tests import paperwork


def refusal(content: bytes, extension: str) -> str | None:
    """The code with which the content is refused, None when it passes; a message is Chinese."""
    try:
        check(io.BytesIO(content), FILE_TYPES[extension], (extension,))
    except Problem as problem:
        refused = problem
    else:
        return None
    assert refused.status == 422 and refused.errors[0].path == "/file"
    assert any("\u4e00" <= character <= "\u9fff" for character in refused.errors[0].message)
    return refused.errors[0].code


def name_refusal(name: str) -> str | None:
    try:
        file_type(display_name(name), self_check_report.REPORT_UPLOAD)
    except Problem as problem:
        return problem.errors[0].code
    return None


def test_real_documents_pass() -> None:
    assert refusal(paperwork.pdf(), ".pdf") is None
    assert refusal(paperwork.docx(), ".docx") is None
    assert refusal(paperwork.xlsx(), ".xlsx") is None
    assert refusal(paperwork.REPORT_DOC.read_bytes(), ".doc") is None
    assert (
        refusal(paperwork.zipped({"材料/营业执照.pdf": paperwork.pdf(), "说明.txt": "说明".encode()}), ".zip") is None
    )


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (b"#!/bin/sh\nrm -rf /\n%%EOF startxref", ".pdf"),
        (b"<script>alert(1)</script>", ".pdf"),
        (paperwork.pdf()[:-900], ".pdf"),
        (paperwork.docx(), ".pdf"),
        (paperwork.pdf(), ".docx"),
        (paperwork.xlsx(), ".docx"),
        (paperwork.docx(), ".xlsx"),
        (paperwork.docx(), ".doc"),
        (paperwork.REPORT_DOC.read_bytes(), ".docx"),
        (paperwork.REPORT_DOC.read_bytes(), ".xls"),
        (paperwork.REPORT_DOC.read_bytes()[:600], ".doc"),
        (paperwork.docx()[:-40], ".docx"),
        (paperwork.zipped({"a.txt": b"a"}), ".docx"),
        (b"PK\x03\x04", ".zip"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_says_is_refused(content: bytes, extension: str) -> None:
    assert refusal(content, extension) == "content_mismatch"


def test_a_macro_document_named_docx_is_refused() -> None:
    assert refusal(paperwork.macro_docx(), ".docx") == "macro_document"


def test_a_macro_hidden_under_the_type_of_a_plain_document_is_refused() -> None:
    def hide(members: dict[str, bytes]) -> None:
        members["word/vbaProject.bin"] = b"x"

    assert refusal(paperwork.changed_zip(paperwork.docx(), hide), ".docx") == "macro_document"


def test_a_macro_type_is_refused_whatever_its_part_is_called() -> None:
    def rename(members: dict[str, bytes]) -> None:
        part = b'<Override PartName="/word/x.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
        members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(b"</Types>", part)
        members["word/x.bin"] = b"x"

    assert refusal(paperwork.changed_zip(paperwork.docx(), rename), ".docx") == "macro_document"


def test_an_encrypted_old_document_is_refused() -> None:
    content = bytearray(paperwork.REPORT_DOC.read_bytes())
    place = content.find(b"\xec\xa5")
    content[place + 11] |= 0x01
    assert refusal(bytes(content), ".doc") == "encrypted"


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("attachedTemplate", "https://evil.example/t.dotm", "external_content"),
        ("attachedTemplate", "\\\\10.0.0.1\\share\\t.dotm", "external_content"),
        ("attachedTemplate", "file://10.0.0.1/share/t.dotm", "external_content"),
        ("attachedTemplate", "file:////10.0.0.1/share/t.dotm", "external_content"),
        ("image", "http://evil.example/pixel.png", "external_content"),
        ("oleObject", "mhtml:http://evil.example!x", "external_content"),
        ("attachedTemplate", "file:///C:\\Users\\王\\报告.dotx", None),
        ("attachedTemplate", "C:\\Users\\王\\报告.dotx", None),
        ("hyperlink", "https://www.gov.cn/", None),
    ],
)  # fmt: skip
def test_what_a_document_would_load_from_the_network_is_refused(kind: str, target: str, expected: str | None) -> None:
    assert refusal(paperwork.docx_with_relation(kind, target), ".docx") == expected


def test_entities_in_a_document_are_refused() -> None:
    def declare(members: dict[str, bytes]) -> None:
        old = members["[Content_Types].xml"]
        head, rest = old.split(b"?>", 1)
        members["[Content_Types].xml"] = head + b'?><!DOCTYPE Types [<!ENTITY a "aaaa">]>' + rest

    assert refusal(paperwork.changed_zip(paperwork.docx(), declare), ".docx") == "content_mismatch"


def test_a_zip_bomb_is_refused() -> None:
    assert refusal(paperwork.zip_bomb(), ".docx") == "zip_bomb"


def test_a_bomb_within_an_archive_is_refused() -> None:
    assert refusal(paperwork.zipped({"报告.docx": paperwork.zip_bomb()}), ".zip") == "zip_bomb"


def test_an_archive_in_an_archive_is_refused() -> None:
    inner = paperwork.zipped({"a.txt": b"a"})
    assert refusal(paperwork.zipped({"inner.zip": inner}), ".zip") == "type_not_allowed"


def test_members_that_share_their_bytes_are_refused() -> None:
    content = bytearray(paperwork.zipped({"a.txt": b"a" * 100, "b.txt": b"a" * 100}, compression=zipfile.ZIP_STORED))
    second = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, second + 42, 0)  # the second entry points to the first member
    assert refusal(bytes(content), ".zip") == "zip_bomb"


def test_more_members_than_any_document_has_are_refused_unread() -> None:
    content = bytearray(paperwork.zipped({"a.txt": b"a"}))
    struct.pack_into("<HH", content, content.rfind(b"PK\x05\x06") + 8, 60_000, 60_000)
    assert refusal(bytes(content), ".zip") == "zip_bomb"


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    content = bytearray(paperwork.zipped({"a.txt": b"a" * 100_000}))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<L", content, content.find(signature) + offset, 10)
    assert refusal(bytes(content), ".zip") == "content_mismatch"


@pytest.mark.parametrize("name", ["../../etc/cron.d/a.txt", "/etc/a.txt", "C:/a.txt", "..\\a.txt", "a/../../b.txt"])
def test_paths_that_lead_out_of_an_archive_are_refused(name: str) -> None:
    assert refusal(paperwork.zipped({name: b"a"}), ".zip") == "unsafe_path"


@pytest.mark.parametrize(("document", "extension"), [(paperwork.docx(), ".docx"), (paperwork.xlsx(), ".xlsx")])
def test_paths_that_lead_out_of_an_office_document_are_refused(document: bytes, extension: str) -> None:
    content = paperwork.changed_zip(document, lambda members: members.update({"../../tmp/x": b"a"}))
    assert refusal(content, extension) == "unsafe_path"


DECLARED = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("document", "extension", "part"),
    [
        (paperwork.docx(), ".docx", "word/document.xml"),
        (paperwork.docx(), ".docx", "word/styles.xml"),
        (paperwork.docx(), ".docx", "docProps/core.xml"),
        (paperwork.docx(), ".docx", "_rels/.rels"),
        (paperwork.xlsx(), ".xlsx", "xl/workbook.xml"),
        (paperwork.xlsx(), ".xlsx", "xl/worksheets/sheet1.xml"),
        (paperwork.xlsx(), ".xlsx", "xl/sharedStrings.xml"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_in_whatever_part_of_an_office_document(
    document: bytes, extension: str, part: str, encoding: str
) -> None:
    def declare(members: dict[str, bytes]) -> None:
        body = members[part].partition(b"?>")[2]
        members[part] = (DECLARED + body).decode().encode(encoding)

    assert refusal(paperwork.changed_zip(document, declare), extension) == "content_mismatch"


def test_a_symbolic_link_in_an_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("a.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal(out.getvalue(), ".zip") == "unsafe_path"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("setup.exe", b"MZ", "type_not_allowed"), ("run.sh", b"#!", "type_not_allowed"),
     ("noext", b"a", "type_not_allowed"), ("a.pdf", b"MZ\x90", "content_mismatch"),
     ("a.txt", b"MZ\x90", "content_mismatch"),
     ("a.png", b"<html>", "content_mismatch"), ("a.docx", paperwork.macro_docx(), "macro_document")],
)  # fmt: skip
def test_programs_in_an_archive_are_refused(name: str, content: bytes, code: str) -> None:
    assert refusal(paperwork.zipped({"资料.pdf": paperwork.pdf(), name: content}), ".zip") == code


def test_an_encrypted_archive_is_refused() -> None:
    content = bytearray(paperwork.zipped({"a.txt": b"a"}))
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.find(signature) + offset] |= 1
    assert refusal(bytes(content), ".zip") == "encrypted"


def test_an_empty_archive_is_refused() -> None:
    assert refusal(paperwork.zipped({}), ".zip") == "content_mismatch"


SMALL_ZIP = paperwork.zipped({"a.txt": b"a"})
COMMENT = b"startxref 0 %%EOF"


def with_comment(archive: bytes) -> bytes:
    end = archive.rfind(b"PK\x05\x06")
    return archive[: end + 20] + struct.pack("<H", len(COMMENT)) + COMMENT


def counted_from_the_first_byte(before: bytes, archive: bytes) -> bytes:
    """An archive that names the place of its directory as it is in the whole file."""
    end = archive.rfind(b"PK\x05\x06")
    (start,) = struct.unpack_from("<L", archive, end + 16)
    return before + archive[: end + 16] + struct.pack("<L", start + len(before)) + archive[end + 20 :]


@pytest.mark.parametrize(
    "content",
    [
        paperwork.pdf() + with_comment(SMALL_ZIP),
        paperwork.pdf() + SMALL_ZIP + b"\nstartxref\n0\n%%EOF\n",
        paperwork.pdf() + paperwork.docx() + b"\nstartxref\n0\n%%EOF\n",
        paperwork.pdf() + SMALL_ZIP + bytes(60_000) + b"\nstartxref\n0\n%%EOF\n",
        counted_from_the_first_byte(paperwork.pdf(), SMALL_ZIP) + b"\nstartxref\n0\n%%EOF\n",
        paperwork.pdf() + SMALL_ZIP + b"PK\x05\x06" + bytes(18) + b"\nstartxref\n0\n%%EOF\n",
    ],
)
def test_a_pdf_with_an_archive_behind_it_is_refused(content: bytes) -> None:
    assert refusal(content, ".pdf") == "polyglot"


def test_a_pdf_with_a_word_document_attached_passes() -> None:
    document = pypdfium2.PdfDocument(paperwork.pdf())
    document.new_attachment("清单.docx").set_data(paperwork.docx())
    out = io.BytesIO()
    document.save(out)
    assert refusal(out.getvalue(), ".pdf") is None
    # The same without packing, as some programs do.
    archive = SMALL_ZIP
    stream = b"9 0 obj\n<</Type/EmbeddedFile/Length %d>>\nstream\r\n%s\r\nendstream\nendobj\n" % (len(archive), archive)
    plain = paperwork.pdf().replace(b"\nxref", b"\n" + stream + b"xref", 1)
    assert zipfile.is_zipfile(io.BytesIO(plain))
    assert refusal(plain, ".pdf") is None


def test_a_pdf_that_only_holds_the_signature_of_an_archive_passes() -> None:
    signature = b"\n%PK\x05\x06" + b"x" * 30
    assert refusal(paperwork.pdf().replace(b"\nxref", signature + b"\nxref", 1), ".pdf") is None


@pytest.mark.parametrize("behind", [SMALL_ZIP, SMALL_ZIP + bytes(700), paperwork.docx(), with_comment(SMALL_ZIP)])
def test_a_word_document_with_an_archive_behind_it_is_refused(behind: bytes) -> None:
    report = paperwork.REPORT_DOC.read_bytes()
    assert zipfile.is_zipfile(io.BytesIO(report + behind))
    assert refusal(report + behind, ".doc") == "polyglot"


@pytest.mark.parametrize(("sector", "code"), [(5, None), (1, "polyglot")], ids=["of a stream", "that is free"])
def test_an_archive_in_a_word_document_may_lie_in_what_the_document_uses(sector: int, code: str | None) -> None:
    # A workbook that was inserted lies in sectors of the document as it is.
    report = paperwork.REPORT_DOC.read_bytes()
    place = 512 * (sector + 1)  # behind the header
    holding = report[:place] + SMALL_ZIP.ljust(512, b"\0") + report[place + 512 :]
    assert zipfile.is_zipfile(io.BytesIO(holding))
    assert refusal(holding, ".doc") == code


def test_an_archive_behind_something_else_is_refused() -> None:
    assert refusal(b"#!/bin/sh\nexit\n" + paperwork.docx(), ".docx") == "content_mismatch"
    stuffed = paperwork.docx()
    end = stuffed.rfind(b"PK\x05\x06")
    assert refusal(stuffed[:end] + b"x" * 10 + stuffed[end:], ".docx") == "content_mismatch"


def test_chinese_archivers_may_write_gbk() -> None:
    written = "誠信承诺.txt".encode("gbk")  # its bytes hold a backslash
    assert b"\\" in written
    content = paperwork.zipped({"a" * len(written): b"a"}).replace(b"a" * len(written), written)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert zip_bounds.member_name(archive.infolist()[0]) == "誠信承诺.txt"
    assert refusal(content, ".zip") is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../报告.pdf", "报告.pdf"),
        ("C:\\fakepath\\报告.pdf", "报告.pdf"),
        (" 2026.11.20 报告.PDF ", "2026.11.20 报告.PDF"),
    ],
)
def test_path_parts_are_taken_off_a_name(sent: str, shown: str) -> None:
    assert display_name(sent) == shown and name_refusal(sent) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("报告", "报告.pdf"), ("报告v1.2", "报告v1.2.pdf"), ("检查2026.11.20", "检查2026.11.20.pdf"),
        ("报告.pdf.", "报告.pdf"), ("报告.PDF", "报告.PDF"), ("报告.docx", "报告.pdf"),
        ("长" * 200, "长" * 196 + ".pdf"),
    ],
)  # fmt: skip
def test_a_name_gets_the_ending_of_what_the_file_is(sent: str, kept: str) -> None:
    assert name_refusal(sent) is None
    assert with_extension(display_name(sent), FILE_TYPES[".pdf"]) == kept


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "bad_name"), ("\u200b\u3164", "bad_name"), ("报告\u202efdp.exe", "type_not_allowed"),
        ("报告\u202efdp.exe.pdf", "double_extension"), ("../", "bad_name"), ("..", "bad_name"),
        ("长" * 297 + ".pdf", "name_too_long"),
        ("报告.exe.pdf", "double_extension"), ("a.docm.docx", "double_extension"),
        ("报告.pdf.exe", "type_not_allowed"), ("报告.docm", "type_not_allowed"),
        (".pdf", "type_not_allowed"), ("报告.exe.", "type_not_allowed"), ("报告.exe", "type_not_allowed"),
        ("报告.exe.1", "double_extension"),
    ],
)  # fmt: skip
def test_names_that_hide_what_they_are_are_refused(name: str, code: str) -> None:
    assert name_refusal(name) == code


def test_a_name_is_kept_without_what_is_not_seen() -> None:
    assert display_name("检\u200b查\u202e报告\0\n第1页.pdf") == "检查报告 第1页.pdf"


def test_the_types_of_the_manual_are_the_types_of_the_reports() -> None:
    # Seed 000: no .docx for the rectification report, no .jpg for the self-check report.
    assert self_check_report.REPORT_UPLOAD.extensions == (".doc", ".docx", ".pdf")
    # What phones take photos as stands for .jpg, as which it is kept.
    taken = {".heic", ".heif", ".webp"}
    assert set(rectification.REPORT_UPLOAD.extensions) - taken == {".doc", ".jpg", ".jpeg", ".pdf"}


def test_a_category_that_cannot_work_is_not_declared() -> None:
    with pytest.raises(ValueError, match="0 purposes"):
        Category("report", "报告", frozenset())
    with pytest.raises(ValueError, match="twice"):
        categories(Category("a", "甲", frozenset({PHOTO})), Category("a", "乙", frozenset({PHOTO})))


def test_a_purpose_that_cannot_work_is_not_declared() -> None:
    with pytest.raises(ValueError, match=r"\.exe"):
        FilePurpose("program", "程序", (".exe",))
    with pytest.raises(ValueError, match="bytes"):
        FilePurpose("film", "录像", (".pdf",), LARGEST_FILE + 1)


def test_a_purpose_may_be_used_by_several_rooms_but_declared_once() -> None:
    purposes = FilePurposes()
    purposes.register(PHOTO)
    purposes.register(PHOTO)
    assert [purpose.code for purpose in purposes] == ["photo"]
    with pytest.raises(ValueError, match="twice"):
        purposes.register(replace(PHOTO, label="照片"))


def test_an_application_knows_the_purposes_of_the_contract() -> None:
    assert sorted(purpose.code for purpose in file_purposes()) == [
        "declaration_attachment", "licence_document", "notice_file", "photo", "rectification_report",
        "self_check_report", "signature", "signed_pages", "template",
    ]  # fmt: skip


def test_checking_a_bomb_costs_little_memory() -> None:
    import tracemalloc

    content = paperwork.zip_bomb()
    with tempfile.TemporaryFile() as file:
        file.write(content)
        tracemalloc.start()
        with pytest.raises(Problem):
            check(file, FILE_TYPES[".docx"], (".docx",))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
