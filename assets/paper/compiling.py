"""Paper: a template (`.typ`, https://typst.app/docs) and its data become a PDF, a PNG or an SVG.

A child process compiles each paper (`compile_worker.py`), because only a process can be stopped when it takes too long
or too much memory; a poster costs 0.15 s of CPU (docs/decisions/0022-paper-by-templates.md).
"""

import functools
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from assets.paper import fonts
from assets.paper.fonts import CharactersMissing, FontMissing, Style
from assets.paper.limits import REFUSED, SECONDS, Form
from core.errors import Problem

log = structlog.get_logger()

AT_ONCE = 1
"""Papers that one process has compiled at the same time."""
PATIENCE = 20.0
"""Seconds that a caller waits for its turn."""
_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = f"import sys; sys.path.append({str(_ROOT)!r}); from assets.paper import compile_worker; "
_ONE, _MANY = "sys.exit(compile_worker.main())", "sys.exit(compile_worker.main_of_many())"
_ENVIRONMENT = {"RAYON_NUM_THREADS": "1"}
"""One thread: each takes address space, of which the child process has `MEMORY`, however many cores there are."""

_places = threading.BoundedSemaphore(AT_ONCE)


class CompilingFailed(Exception):
    """The template is faulty or needs more than it may; the text says where, for the log."""


def compile(
    template: Path,
    data: Mapping[str, Any],
    form: Form,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
    beside: Sequence[Path] = (),
    *,
    style: Style = "sans",
    own_fonts: Path | None = None,
) -> bytes:
    """The paper; the same template, data, fonts and pictures give the same bytes.

    `data` is plain JSON; the template reads it as `json(bytes(sys.inputs.data))`, and files of its own folder, nothing
    else; `pictures` lie there by their names while it is compiled, and `beside` are further templates that lie there,
    the later of two with one name. A PNG has 200 dots to an inch; a PNG or an SVG shows
    the first page. Text must be drawable by the fonts of this machine, whatever stands in the data or in the folder's
    templates.

    Raises `FontMissing`, `CharactersMissing`, `CompilingFailed`, and 503 when it is not its turn in time or takes
    too long.
    """
    if pictures or beside:
        with tempfile.TemporaryDirectory(prefix="gongpin-paper-") as folder:
            lay_out(Path(folder), template, pictures, beside)
            return compile(Path(folder, template.name), data, form, style=style, own_fonts=own_fonts)
    asked = {"template": str(template), "data": data, "form": form, "style": style}
    done = _run(_ONE, asked | {"own_fonts": own_fonts and str(own_fonts)}, template.name, SECONDS)
    if done.returncode == REFUSED:
        raise _refusal(done.stdout)
    if done.returncode != 0 or not done.stdout:
        said = done.stderr[-2000:].decode(errors="replace")
        raise CompilingFailed(f"{template.name}: the child process ended with {done.returncode}: {said}")
    return done.stdout


Outcome = bytes | FontMissing | CharactersMissing | CompilingFailed


def compile_many(
    folder: Path, papers: Sequence[tuple[Path, Mapping[str, Any]]], *, style: Style, own_fonts: Path | None
) -> list[Outcome]:
    """Many papers as PDF, in one child process: of each the paper, or why there is none.

    Each template lies in a folder of its own (`lay_out`) below `folder`. Raises 503 as `compile`, and
    `CompilingFailed` where the child process died.
    """
    asked = {
        "folder": str(folder), "style": style, "own_fonts": own_fonts and str(own_fonts),
        "papers": [{"template": str(template), "data": data} for template, data in papers],
    }  # fmt: skip
    done = _run(_MANY, asked, f"{len(papers)} papers", SECONDS + len(papers))
    if done.returncode != 0:
        raise CompilingFailed(f"the child process ended with {done.returncode}: {done.stderr[-2000:]!r}")
    outcomes: list[Outcome] = []
    at = 0
    while at < len(done.stdout):
        outcome, length = struct.unpack_from(">BI", done.stdout, at)
        content = done.stdout[at + 5 : at + 5 + length]
        at += 5 + length
        outcomes.append(
            content if outcome == 0
            else _refusal(content) if outcome == REFUSED
            else CompilingFailed(content.decode(errors="replace"))
        )  # fmt: skip
    return outcomes


def lay_out(folder: Path, template: Path, pictures: Mapping[str, bytes], beside: Sequence[Path]) -> None:
    """Put into a folder what a paper is compiled of; of two templates with one name the later holds."""
    for source in [*template.parent.glob("*.typ"), *beside, template]:
        shutil.copyfile(source, folder / source.name)
    for name, content in pictures.items():
        (folder / Path(name).name).write_bytes(content)


def _run(program: str, asked: Mapping[str, Any], what: str, seconds: int) -> subprocess.CompletedProcess[bytes]:
    if not _places.acquire(timeout=PATIENCE):
        raise Problem("not_ready", retry_after=5)
    try:
        # Isolated (-I) and without the environment of the server: it needs no setting of it.
        return subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-I", "-c", _PROGRAM + program],
            input=json.dumps(asked, ensure_ascii=False).encode(), capture_output=True, timeout=seconds, check=False,
            env=_ENVIRONMENT, cwd="/",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        log.warning("compiling_timeout", template=what, seconds=seconds)
        raise Problem("not_ready", retry_after=30) from error
    finally:
        _places.release()


def _refusal(content: bytes) -> FontMissing | CharactersMissing:
    reason = json.loads(content)
    return CharactersMissing(reason["characters"]) if "characters" in reason else FontMissing()


@functools.cache
def identity(template: Path) -> str:
    """What a paper depends on besides its data: its folder's templates, the version of typst, the main fonts.

    Templates and libraries change with a new release only, which a server reads at its start.
    """
    digest = hashlib.sha256(f"{template.name} {version('typst')} {fonts.installed().identity()}".encode())
    for path in sorted(template.parent.glob("*.typ")):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
