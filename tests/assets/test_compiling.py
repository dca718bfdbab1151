"""A template and data become a paper: with nothing but its data, its folder and the fonts, and in bounded time."""

import signal
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from assets.paper import compiling, fonts
from assets.paper.compile_worker import printable
from assets.paper.compiling import CompilingFailed, compile
from assets.paper.fonts import CharactersMissing, FontMissing, Weight
from core.errors import Problem
from tests.assets.qr_pictures import opened

ROOT = Path(__file__).resolve().parents[2]
PAGE = "#set page(width: 400pt, height: 50pt, margin: 5pt)\n"
DATA = "#let data = json(bytes(sys.inputs.data))\n"


@pytest.fixture(autouse=True)
def _a_font() -> None:
    try:
        fonts.load(Weight.REGULAR)
    except FontMissing:
        pytest.skip("no Chinese font on this machine: python -m assets.paper.fetch_fonts")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return tmp_path / "papers" / "paper.typ"


def written(template: Path, source: str) -> Path:
    template.parent.mkdir(exist_ok=True)
    template.write_text(PAGE + DATA + source, "utf-8")
    return template


def words(pdf: bytes) -> list[str]:
    """The text of each page."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def test_data_is_json_of_any_shape_and_text_stays_text(template: Path) -> None:
    paper = written(template, '#data.name #data.rows.map(row => str(row.at(0) + row.at(1))).join(", ") #data.nothing')
    data = {"name": '张䶮 *粗* #eval("1") \\ "', "rows": [[1, 2], [3, 4.5]], "nothing": None}
    assert words(compile(paper, data, "pdf")) == ['张䶮 *粗* #eval("1") \\ " 3, 7.5']


def test_the_same_template_and_data_give_the_same_bytes_and_text_can_be_copied(template: Path) -> None:
    paper = written(template, "#set document(title: data.name)\n#data.name #datetime.today().year()")
    first = compile(paper, {"name": "好评"}, "pdf")
    assert first == compile(paper, {"name": "好评"}, "pdf")
    assert b"CreationDate" not in first and b"/FontFile" in first
    assert words(first) == ["好评 1970"]


def test_a_png_has_200_dots_to_an_inch_and_shows_the_first_page(template: Path) -> None:
    paper = written(template, "#set page(width: 720pt / 200, height: 360pt / 200, margin: 0pt)\n#pagebreak()")
    with Image.open(BytesIO(compile(paper, {}, "png"))) as picture:
        assert picture.size == (10, 5) and picture.info["dpi"] == pytest.approx((200, 200), abs=0.01)
    assert opened(compile(paper, {}, "png")).getpixel((0, 0)) == (255, 255, 255)
    assert compile(paper, {}, "svg").startswith(b"<svg")


def test_a_template_may_use_the_files_of_its_folder(template: Path) -> None:
    paper = written(template, '#import "parts.typ": *\n#greeting #read("words.txt")')
    (template.parent / "parts.typ").write_text("#let greeting = [您好]", "utf-8")
    (template.parent / "words.txt").write_text("谢谢", "utf-8")
    assert words(compile(paper, {}, "pdf")) == ["您好 谢谢"]


@pytest.mark.parametrize(
    "source",
    ['#read("../secret.txt")', '#read("/../secret.txt")', '#read("/etc/passwd")', '#include "../secret.typ"',
     '#import "@preview/cetz:0.3.0"'],
)  # fmt: skip
def test_a_template_reads_nothing_else(template: Path, source: str) -> None:
    paper = written(template, source)
    for name in ("secret.txt", "secret.typ"):
        (template.parent.parent / name).write_text("secret")
    with pytest.raises(CompilingFailed, match=r"paper\.typ: the child process ended with 1"):
        compile(paper, {}, "pdf")


def test_a_link_out_of_the_folder_leads_nowhere(template: Path) -> None:
    """typst itself follows links; the kernel does not let the child process do so."""
    asked = "import sys; from assets.files.documents.confinement import restrict_files; sys.exit(not restrict_files())"
    if subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode:
        pytest.skip("this kernel has no Landlock")
    paper = written(template, '#read("link.txt")')
    (template.parent.parent / "secret.txt").write_text("secret")
    (template.parent / "link.txt").symlink_to(template.parent.parent / "secret.txt")
    with pytest.raises(CompilingFailed, match=r"access denied|failed to load"):
        compile(paper, {}, "pdf")


def test_a_faulty_template_says_where(template: Path) -> None:
    with pytest.raises(CompilingFailed, match=r"(?s)unknown variable: nme.*paper\.typ:3"):
        compile(written(template, "#nme"), {}, "pdf")


def test_what_takes_too_long_is_stopped_and_the_next_paper_is_made(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = written(template, "#for a in range(100000) { for b in range(100000) { let c = a } }")
    monkeypatch.setattr(compiling, "SECONDS", 1)
    started: list[subprocess.Popen[bytes]] = []
    waited: list[float | None] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

        def communicate(self, input: bytes | None = None, timeout: float | None = None) -> Any:
            waited.append(timeout)
            return super().communicate(input, timeout)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    with pytest.raises(Problem) as refusal:
        compile(long, {}, "pdf")
    assert (refusal.value.code, refusal.value.retry_after) == ("not_ready", 30)
    assert waited[0] == 1 and [child.returncode for child in started] == [-signal.SIGKILL]
    monkeypatch.undo()
    assert compile(written(template, "好"), {}, "pdf")


def test_what_takes_too_much_memory_is_stopped(template: Path) -> None:
    with pytest.raises(CompilingFailed):
        compile(written(template, '#let all = "字" * 1000000000'), {}, "pdf")


def test_one_paper_is_compiled_at_a_time_and_who_waits_too_long_is_asked_to_come_again(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = written(template, "好")
    monkeypatch.setattr(compiling, "PATIENCE", 0.01)
    with compiling._places, pytest.raises(Problem) as refusal:
        compile(paper, {}, "pdf")
    assert (refusal.value.code, refusal.value.retry_after) == ("not_ready", 5)
    monkeypatch.undo()
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(compile(paper, {}, "pdf"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len(set(made)) == 1


@pytest.mark.parametrize("data", [{"name": "甲\U0010fffd"}, {"rows": [{"name": ["乙", "\U0010fffd"]}]}])
def test_a_character_that_no_font_has_is_named_wherever_it_stands(template: Path, data: Any) -> None:
    with pytest.raises(CharactersMissing) as refusal:
        compile(written(template, "好"), data, "pdf")
    assert refusal.value.characters == "\U0010fffd"


@pytest.mark.parametrize(
    ("given", "shaped"),
    [
        (" 窗口\t12\r号 ", "窗口 12 号"),
        ("窗\u200b口\ufeff", "窗口"),
        ("\u202e口窗", "口窗"),
        ("龚\ufe00葛\U000e0100", "龚葛"),
        ("\x00\x1b[1m", "[1m"),
        ("　", ""),
        ("一\n二", "一\n二"),
        ({"a": ["\x00甲", 1, None, True]}, {"a": ["甲", 1, None, True]}),
    ],
)
def test_what_has_no_shape_is_left_out(given: Any, shaped: Any) -> None:
    assert printable(given) == shaped
