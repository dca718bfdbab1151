"""Documents are checked in a child process that is bounded and confined."""

import math
import os
import signal
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from unittest.mock import Mock

import pikepdf
import pytest
from pikepdf import Dictionary, Name

from assets.files.documents import documents
from assets.files.file_types import FILE_TYPES
from core.clock import TimeLimit
from core.errors import Problem
from enterprise.production.kinds import self_check_report
from tests import paperwork
from tests.assets.test_document_conversion import has_landlock
from tests.oddities.oddity import Oddity
from tests.oddities.pdfs import TAKEN as PDFS_TAKEN
from tests.oddities.pdfs import pdf_with

REPORT = self_check_report.REPORT_UPLOAD
ROOT = Path(__file__).resolve().parent.parent.parent


def checked(tmp_path: Path, content: bytes, named: str = ".pdf") -> str:
    source = tmp_path / "upload"
    source.write_bytes(content)
    return documents.check(source, FILE_TYPES[named], REPORT, TimeLimit(120)).extension


def code_of(tmp_path: Path, content: bytes, named: str = ".pdf") -> str:
    with pytest.raises(Problem) as refused:
        checked(tmp_path, content, named)
    return refused.value.errors[0].code if refused.value.errors else refused.value.code


def test_the_child_says_what_a_document_is(tmp_path: Path) -> None:
    assert checked(tmp_path, paperwork.pdf()) == ".pdf"
    assert checked(tmp_path, paperwork.docx(), ".doc") == ".docx"
    assert checked(tmp_path, paperwork.REPORT_DOC.read_bytes(), ".docx") == ".doc"


@pytest.mark.parametrize("oddity", PDFS_TAKEN, ids=lambda oddity: oddity.name)
def test_the_shut_in_child_takes_every_pdf_that_is_taken_outside(tmp_path: Path, oddity: Oddity) -> None:
    assert checked(tmp_path, oddity.make(), oddity.named) == oddity.taken


def test_and_why_it_is_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, paperwork.macro_docx(), ".docx") == "macro_document"
    assert code_of(tmp_path, paperwork.xlsx(), ".docx") == "content_mismatch"
    assert code_of(tmp_path, paperwork.xlsx(), ".xlsx") == "type_not_allowed"


@pytest.mark.parametrize("rest", [b"x", b"<html>", b"<!--", b"\n" * 300 + b"x"])
def test_a_page_of_comments_is_known_for_what_it_is(tmp_path: Path, rest: bytes) -> None:
    """Each comment could be read as the end of any before it: their number was an exponent of the time."""
    assert code_of(tmp_path, b"<?xml version='1.0'?>" + b"<!----> " * 60 + rest, ".docx") == "content_mismatch"


def bomb() -> bytes:
    """An attachment of a gigabyte in a megabyte."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(1024)) + packer.flush()

    def attach(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(packed)
        stream.Filter = Name.FlateDecode
        document.Root.Bomb = Dictionary(Type=Name.Filespec, F="a.txt", EF=Dictionary(F=stream))

    return pdf_with(attach, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def test_a_document_that_unpacks_to_more_than_the_bounds_is_refused(tmp_path: Path) -> None:
    assert code_of(tmp_path, bomb()) in ("too_complex", "content_mismatch")


def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "worker.py"
    path.write_text(text)
    monkeypatch.setattr(documents, "_PROGRAM", path)


def test_a_child_that_ends_by_its_own_bounds_refuses_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, tmp_path, f"import os; os.kill(os.getpid(), {signal.SIGXCPU.value})")
    assert code_of(tmp_path, paperwork.pdf()) == "too_complex"


def test_a_child_that_the_machine_ends_is_not_the_documents_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, tmp_path, f"import os; os.kill(os.getpid(), {signal.SIGKILL.value})")
    assert code_of(tmp_path, paperwork.pdf()) == "not_ready"


def test_what_the_library_itself_fails_over_is_refused_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """qpdf throws a runtime error over what it did not reckon with, which may be the machine's fault."""
    program(
        monkeypatch, tmp_path,
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pikepdf\n"
        "from assets.files.documents import check_worker\n"
        "def fails(*_arguments, **_more): raise RuntimeError('qpdf met something strange')\n"
        "pikepdf.open = fails\n"
        "sys.exit(check_worker.main(sys.argv[1:]))\n",
    )  # fmt: skip
    log = Mock()  # which levels are logged depends on what ran in this process before
    monkeypatch.setattr(documents, "log", log)
    assert code_of(tmp_path, paperwork.pdf()) == "too_complex"
    (event,), said = log.warning.call_args
    assert event == "document_check_failed" and "qpdf met something strange" in said["error"]


def test_a_child_that_comes_to_no_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, tmp_path, "import signal; signal.pause()")
    with monkeypatch.context() as patched:
        patched.setattr(documents, "TIMEOUT", 0.5)
        assert code_of(tmp_path, paperwork.pdf()) == "not_ready"
    with pytest.raises(Problem) as refused:  # nor is it waited for when the caller has less time
        documents.check(tmp_path / "upload", FILE_TYPES[".pdf"], REPORT, TimeLimit(0.5))
    assert refused.value.code == "not_ready"


@pytest.mark.parametrize(
    ("left", "turn", "check"), [(0.25, 0.25, 0.25), (9999.0, documents._PATIENCE, documents.TIMEOUT)]
)
def test_neither_a_turn_nor_an_answer_is_waited_for_longer_than_the_caller_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: float, turn: float, check: float
) -> None:
    class Left(TimeLimit):
        def left(self, most: float = math.inf) -> float:
            return min(most, left)

    places, run = Mock(), Mock(return_value={"extension": ".pdf"})
    monkeypatch.setattr(documents, "_places", places)
    monkeypatch.setattr(documents, "_run", run)
    documents.check(tmp_path / "upload", FILE_TYPES[".pdf"], REPORT, Left(0))
    assert (places.acquire.call_args.kwargs, run.call_args.args[-1]) == ({"timeout": turn}, check)


def inside(code: str) -> subprocess.CompletedProcess[bytes]:
    """Run code where a document is checked."""
    begin = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from assets.files.documents import check_worker; "
    text = begin + "check_worker.bound_self(); check_worker.confine_self()\n" + code
    return subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, check=False, env={}, timeout=60)


@pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")
def test_the_child_reads_and_writes_nothing_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    assert b"Permission" in inside(f"open({str(tmp_path / 'secret')!r}).read()").stderr
    assert b"Permission" in inside(f"open({str(tmp_path / 'new')!r}, 'w').write('x')").stderr
    assert b"Permission" in inside("open('/etc/passwd-')").stderr or not os.path.exists("/etc/passwd-")
    # The libraries are there.
    assert inside("import pikepdf, oletools.olevba, msoffcrypto").returncode == 0


def test_the_child_has_little_memory_and_time() -> None:
    assert b"MemoryError" in inside("bytes(900 * 1024 * 1024)").stderr
    assert inside("import resource; sys.exit(resource.getrlimit(resource.RLIMIT_CPU)[0])").returncode == 10


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may always leave the network")
def test_the_child_reaches_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        done = inside(f"import socket; socket.create_connection({address!r}, timeout=5)")
    assert done.returncode != 0 and b"Error" in done.stderr
