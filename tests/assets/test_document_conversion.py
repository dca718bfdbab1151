"""Documents of strangers become PDFs, and the program that makes them is bounded and confined."""

import ctypes
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from assets.files.documents import conversion_worker, document_conversion
from assets.files.documents.document_conversion import ConversionFailed, Converter
from assets.files.file_types import FILE_TYPES
from tests import paperwork
from tests.office import SOFFICE, needs_office, needs_sheets, pictures_in, text_of

ROOT = Path(__file__).resolve().parent.parent.parent


def has_landlock() -> bool:
    return int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))) >= 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "conversion"
    made.mkdir()
    return made


def converted(folder: Path, content: bytes, extension: str = ".docx", converter: Converter | None = None) -> bytes:
    source = folder / f"document{extension}"
    source.write_bytes(content)
    return (converter or Converter(SOFFICE)).to_pdf(source, FILE_TYPES[extension], folder).read_bytes()


def script(tmp_path: Path, text: str) -> Converter:
    """A converter that is no LibreOffice."""
    program = tmp_path / "programs" / "soffice"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return Converter(program)


@needs_office
@pytest.mark.in_make_test
def test_the_text_of_a_document_stands_in_its_pdf(folder: Path) -> None:
    pdf = converted(folder, paperwork.docx("常州某某电缆有限公司自查报告，未发现问题。"))
    assert "常州某某电缆有限公司自查报告，未发现问题。" in text_of(pdf)


@needs_office
def test_so_does_the_text_of_a_doc(folder: Path) -> None:
    assert "工业产品生产许可证获证企业自查报告" in text_of(converted(folder, paperwork.REPORT_DOC.read_bytes(), ".doc"))


@needs_office
@needs_sheets
def test_and_that_of_a_workbook(folder: Path) -> None:
    assert "企业名称" in text_of(converted(folder, paperwork.xlsx(), ".xlsx"))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture on the server that no document may show."""
    path = tmp_path / "secret" / "secret.png"
    path.parent.mkdir()
    Image.effect_noise((300, 300), 100).convert("RGB").save(path)
    return path


def as_doc(folder: Path, content: bytes) -> bytes:
    """The same document as Word 97-2003, written by an office program that does not bother."""
    source = folder / "linked.docx"
    source.write_bytes(content)
    _office(folder, source, "doc:MS Word 97")
    return (folder / "linked.doc").read_bytes()


def _office(folder: Path, source: Path, into: str) -> None:
    profile = f"-env:UserInstallation={(folder / 'careless').as_uri()}"
    command = [str(SOFFICE), profile, "--headless", "--convert-to", into, "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@needs_office
@pytest.mark.parametrize("extension", [".docx", ".doc"])
def test_a_document_cannot_show_a_file_of_the_server(
    tmp_path: Path, folder: Path, secret: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    careless = tmp_path / "careless"
    careless.mkdir()
    content = paperwork.docx_with_linked_picture(secret.as_uri())
    if extension == ".doc":
        content = as_doc(careless, content)
    document = careless / f"document{extension}"
    document.write_bytes(content)
    _office(careless, document, "pdf")
    assert pictures_in((careless / "document.pdf").read_bytes()) == 1, "the document is harmless to begin with"
    # The folder of the picture is opened to the child, so that only the profile stands before it.
    pdf = converted(folder, content, extension, Converter(SOFFICE, fonts=secret.parent))
    assert pictures_in(pdf) == 0 and "自查报告" in text_of(pdf)


@needs_office
@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_the_kernel_keeps_it_from_the_file_even_if_its_profile_does_not(
    folder: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        document_conversion, "_PROFILE", '<oor:items xmlns:oor="http://openoffice.org/2001/registry"></oor:items>'
    )
    pdf = converted(folder, paperwork.docx_with_linked_picture(secret.as_uri()))
    assert pictures_in(pdf) == 0 and "自查报告" in text_of(pdf)


@needs_office
def test_a_section_of_another_file_is_not_fetched(folder: Path, secret: Path) -> None:
    text = secret.with_suffix(".txt")
    text.write_text("of the server")

    def include(members: dict[str, bytes]) -> None:
        field = (
            '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve">'
            f' INCLUDETEXT "{text}" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            '<w:r><w:t>as it was</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
        )
        members["word/document.xml"] = members["word/document.xml"].replace(
            b"<w:sectPr", field.encode() + b"<w:sectPr", 1
        )

    pdf = converted(
        folder, paperwork.changed_zip(paperwork.docx(), include), converter=Converter(SOFFICE, fonts=secret.parent)
    )
    assert "asitwas" in text_of(pdf) and "oftheserver" not in text_of(pdf)


@needs_office
def test_nothing_is_asked_of_the_network(folder: Path) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET

        def log_message(self, *_told: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            address = f"http://127.0.0.1:{server.server_address[1]}/picture.png"
            pdf = converted(folder, paperwork.docx_with_linked_picture(address))
        finally:
            server.shutdown()
    assert asked == [] and "自查报告" in text_of(pdf)


@needs_office
@pytest.mark.parametrize("content", [paperwork.broken_docx(), paperwork.docx()[:-300], b"", b"plain text"])
def test_what_is_broken_is_not_shown_as_an_empty_page(folder: Path, content: bytes) -> None:
    with pytest.raises(ConversionFailed):
        converted(folder, content)


@pytest.mark.in_make_test
def test_what_is_no_pdf_is_not_taken(tmp_path: Path, folder: Path) -> None:
    converter = script(tmp_path, 'mkdir made; echo "<html>" > made/document.pdf')
    with pytest.raises(ConversionFailed, match="no PDF"):
        converted(folder, paperwork.docx(), converter=converter)


SLOW = """
env > environment; ulimit -v > limits; ulimit -t >> limits; ulimit -c >> limits
sleep 300 & echo $! > processes
sh -c 'sleep 300' & echo $! >> processes
echo $$ >> processes
mv processes started
wait
"""


def processes(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "started").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def test_a_converter_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_KEY", "of this server")
    converter = script(tmp_path, SLOW)
    for seconds in (2.0, 10.0, 60.0):  # until it has started what it is ended with
        monkeypatch.setattr(document_conversion, "TIMEOUT", seconds)
        with pytest.raises(ConversionFailed, match=f"not done after {seconds:.0f} s"):
            converted(folder, paperwork.docx(), converter=converter)
        if (folder / "started").exists():
            break
    assert len(processes(folder)) == 3 and gone(processes(folder))
    assert "DATA_KEY" not in (folder / "environment").read_text()
    limits = (folder / "limits").read_text().split()
    assert limits == [str(conversion_worker.MEMORY // 1024), str(conversion_worker.CPU_SECONDS), "0"]


def test_a_server_that_is_killed_leaves_no_converter_behind(tmp_path: Path, folder: Path) -> None:
    script(tmp_path, SLOW)
    (folder / "document.docx").write_bytes(paperwork.docx())
    program = (
        "import sys; from pathlib import Path; from assets.files.documents.document_conversion import Converter;"
        "from assets.files.file_types import FILE_TYPES; folder = Path(sys.argv[1]);"
        "Converter(Path(sys.argv[2])).to_pdf(folder / 'document.docx', FILE_TYPES['.docx'], folder)"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(tmp_path / "programs" / "soffice")], cwd=ROOT
    )
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    assert len(processes(folder)) == 3 and gone(processes(folder))


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_the_child_reads_and_writes_nothing_but_its_folder(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "data.key"
    own.write_text("secret")
    tried = f"cat {own} > read; cp read {tmp_path}/written; echo x > /dev/null && echo ended > ended"
    with pytest.raises(ConversionFailed):
        converted(folder, paperwork.docx(), converter=script(tmp_path, tried))
    assert (folder / "read").read_text() == "" and (folder / "ended").exists()
    assert not (tmp_path / "written").exists()


def test_whether_there_is_a_program(tmp_path: Path) -> None:
    there: Callable[[str], bool] = lambda name: Converter(tmp_path / name).is_there()  # noqa: E731
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o644)
    assert script(tmp_path, "exit 0").is_there()
    assert not there("nothing") and not there("text") and not there("")
