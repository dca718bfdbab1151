"""Documents as people really have them: what every reader opens is taken, what harms or cannot be read is not."""

import functools
import io
import re
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from oletools import msodde

from assets.files.documents.content_checks import check
from assets.files.file_types import FILE_TYPES, UNNAMED
from assets.files.purposes import FilePurpose
from composition.file_purposes import file_purposes
from core.errors import Problem
from tests import oddities, paperwork
from tests.oddities.oddity import Oddity, embedded
from tests.office import SOFFICE, needs_office, needs_sheets

ALLOWED = (".pdf", ".doc", ".docx", ".xls", ".xlsx")


def kind_of(content: bytes, named: str) -> str:
    return check(io.BytesIO(content), FILE_TYPES[named], ALLOWED).extension


@pytest.mark.parametrize("oddity", oddities.TAKEN, ids=lambda oddity: oddity.name)
def test_what_every_reader_opens_is_taken_by_its_content(oddity: Oddity) -> None:
    assert kind_of(oddity.make(), oddity.named) == oddity.taken


@pytest.mark.parametrize("oddity", oddities.REFUSED, ids=lambda oddity: oddity.name)
def test_what_harms_or_cannot_be_read_is_refused_with_the_reason_and_what_to_do(oddity: Oddity) -> None:
    with pytest.raises(Problem) as refused:
        kind_of(oddity.make(), oddity.named)
    (fault,) = refused.value.errors
    assert (refused.value.status, fault.path, fault.code) == (422, "/file", oddity.code)
    assert oddity.words in fault.message
    assert any(advice in fault.message for advice in ("另存", "取消", "删除", "断开", "导出", "扫描"))


def test_no_two_oddities_have_one_name() -> None:
    names = [oddity.name for oddity in (*oddities.TAKEN, *oddities.REFUSED)]
    assert len(names) == len(set(names))


def test_the_advice_names_a_type_that_is_allowed_there() -> None:
    rtf = b"{\\rtf1 abc}"
    for named, allowed, advice in (
        (".doc", (".doc", ".jpg", ".pdf"), "另存为 Word 97-2003 文档 (*.doc)"),
        (".docx", (".docx", ".pdf"), "另存为 Word 文档 (*.docx)"),
        (".xls", (".xls", ".xlsx"), "另存为 Excel 工作簿 (*.xlsx)"),
        (".doc", (".pdf", ".png"), "另存为 PDF (*.pdf)"),
    ):
        with pytest.raises(Problem) as refused:
            check(io.BytesIO(rtf), FILE_TYPES[named], allowed)
        assert advice in refused.value.errors[0].message


@functools.cache
def content_of(oddity: Oddity) -> bytes:
    return oddity.make()


_NAMED = re.compile(r"(?<!\w)\.(?:pdf|docx?|xlsx?|jpe?g|png|zip|he[ic]f?|webp)\b|PDF")


@pytest.mark.parametrize("purpose", file_purposes(), ids=lambda purpose: purpose.code)
def test_what_to_do_instead_names_only_what_may_be_uploaded_for_the_purpose(purpose: FilePurpose) -> None:
    for oddity in oddities.REFUSED:
        try:
            check(io.BytesIO(content_of(oddity)), FILE_TYPES.get(oddity.named, UNNAMED), purpose.extensions)
        except Problem as problem:
            message = problem.errors[0].message
            advice = message[message.rindex("请") :] if "请" in message else ""
            named = {".pdf" if found == "PDF" else found for found in _NAMED.findall(advice)}
            assert advice and named <= set(purpose.extensions), (oddity.name, message)


def test_a_broken_pdf_is_to_be_made_anew_and_not_to_be_saved_as_word() -> None:
    for allowed in ((".doc", ".docx", ".pdf"), (".doc", ".jpg", ".pdf")):
        for content in (b"\0" * 500, paperwork.pdf()[:300]):
            with pytest.raises(Problem) as refused:
                check(io.BytesIO(content), FILE_TYPES[".pdf"], allowed)
            message = refused.value.errors[0].message
            assert "重新导出或扫描为 PDF" in message and "Word" not in message


def test_a_document_without_an_ending_is_taken_by_what_it_is() -> None:
    for content, extension in ((paperwork.pdf(), ".pdf"), (paperwork.docx(), ".docx"), (paperwork.xlsx(), ".xlsx")):
        assert check(io.BytesIO(content), UNNAMED, ALLOWED).extension == extension
    with pytest.raises(Problem) as refused:
        check(io.BytesIO(b"{\\rt abc}"), UNNAMED, ALLOWED)
    assert refused.value.errors[0].message.startswith("文件内容是 RTF 文档，请用 Office")
    with pytest.raises(Problem) as refused:
        check(io.BytesIO(b"#!/bin/sh"), UNNAMED, ALLOWED)
    assert refused.value.errors[0].message.startswith("文件不是支持的格式，或已损坏，请用 Office")


def test_a_pdf_that_was_cut_off_is_refused_wherever_it_was_cut() -> None:
    whole = paperwork.pdf("all of this page")
    for length in range(len(whole) - 30, 0, -29):
        with pytest.raises(Problem) as refused:
            kind_of(whole[:length], ".pdf")
        assert refused.value.errors[0].code == "content_mismatch"


def test_every_pdf_that_is_taken_can_be_opened_in_a_browser() -> None:
    for oddity in oddities.TAKEN:
        if oddity.taken == ".pdf":
            assert len(pypdfium2.PdfDocument(oddity.make())) == 1, oddity.name


def test_files_within_files_end_somewhere() -> None:
    content = paperwork.docx()
    for _ in range(3):
        content = embedded(content, "a.docx")
    assert kind_of(content, ".docx") == ".docx"
    with pytest.raises(Problem) as refused:
        kind_of(embedded(content, "a.docx"), ".docx")
    assert refused.value.errors[0].code == "nested_too_deep"


def test_our_reader_of_fields_is_needed_while_the_library_misses_these(tmp_path: Path) -> None:
    # When this fails, `assets/files/documents/field_checks.py` may go: oletools has learnt it.
    missed = ("docx with DDE in one run", "docx with DDE in an insertion", "docx with DDE over paragraphs")
    for oddity in oddities.REFUSED:
        if oddity.name in missed:
            path = tmp_path / "a.docx"
            path.write_bytes(oddity.make())
            assert msodde.process_docx(str(path), msodde.FIELD_FILTER_DDE) == "", oddity.name


def converted(source: Path, folder: Path, target: str) -> bytes:
    """What LibreOffice saves a document as."""
    subprocess.run(
        [str(SOFFICE), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", target,
         "--outdir", str(folder), str(source)], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return (folder / f"{source.stem}.{target.partition(':')[0]}").read_bytes()


@needs_office
@pytest.mark.only_in_rounds
@pytest.mark.parametrize("target", ["doc", "docx", "pdf"])
def test_what_an_office_program_saves_is_taken(tmp_path: Path, target: str) -> None:
    source = tmp_path / "in" / "report.docx"
    source.parent.mkdir()
    source.write_bytes(paperwork.docx("自查报告"))
    content = converted(source, tmp_path, "doc:MS Word 97" if target == "doc" else target)
    assert kind_of(content, f".{target}") == f".{target}"


@needs_office
@needs_sheets
@pytest.mark.only_in_rounds
@pytest.mark.parametrize("target", ["xls", "xlsx"])
def test_what_a_spreadsheet_program_saves_is_taken(tmp_path: Path, target: str) -> None:
    source = tmp_path / "in" / "table.xlsx"
    source.parent.mkdir()
    source.write_bytes(paperwork.xlsx())
    content = converted(source, tmp_path, "xls:MS Excel 97" if target == "xls" else target)
    assert kind_of(content, f".{target}") == f".{target}"


@needs_office
@pytest.mark.only_in_rounds
def test_rtf_and_html_that_an_office_program_saves_are_refused_with_advice(tmp_path: Path) -> None:
    source = tmp_path / "in" / "report.docx"
    source.parent.mkdir()
    source.write_bytes(paperwork.docx("自查报告"))
    for target, words in (("rtf", "RTF"), ("html", "HTML"), ("odt", "OpenDocument")):
        with pytest.raises(Problem) as refused:
            kind_of(converted(source, tmp_path, target), ".doc")
        assert words in refused.value.errors[0].message
