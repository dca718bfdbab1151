"""Paper: a template (`.typ`, https://typst.app/docs) and its data become a PDF, a PNG or an SVG.

A child process compiles each paper (`compile_worker.py`), because only a process can be stopped when it takes too long
or too much memory; a poster costs 0.15 s of CPU (docs/decisions/0022-paper-by-templates.md).
"""

import functools
import hashlib
import json
import shutil
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
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.limits import REFUSED, SECONDS, Form
from core.errors import Problem

log = structlog.get_logger()

AT_ONCE = 1
"""Papers that one process has compiled at the same time."""
PATIENCE = 20.0
"""Seconds that a caller waits for its turn."""
_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (
    f"import sys; sys.path.append({str(_ROOT)!r}); from assets.paper.compile_worker import main; sys.exit(main())"
)
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
            for source in [*template.parent.glob("*.typ"), *beside, template]:
                shutil.copyfile(source, Path(folder, source.name))
            for name, content in pictures.items():
                Path(folder, Path(name).name).write_bytes(content)
            return compile(Path(folder, template.name), data, form)
    asked = json.dumps({"template": str(template), "data": data, "form": form}, ensure_ascii=False).encode()
    if not _places.acquire(timeout=PATIENCE):
        raise Problem("not_ready", retry_after=5)
    try:
        # Isolated (-I) and without the environment of the server: it needs no setting of it.
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-I", "-c", _PROGRAM],
            input=asked, capture_output=True, timeout=SECONDS, check=False, env=_ENVIRONMENT, cwd="/",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        log.warning("compiling_timeout", template=template.name, seconds=SECONDS)
        raise Problem("not_ready", retry_after=30) from error
    finally:
        _places.release()
    if done.returncode == REFUSED:
        reason = json.loads(done.stdout)
        raise CharactersMissing(reason["characters"]) if "characters" in reason else FontMissing()
    if done.returncode != 0 or not done.stdout:
        said = done.stderr[-2000:].decode(errors="replace")
        raise CompilingFailed(f"{template.name}: the child process ended with {done.returncode}: {said}")
    return done.stdout


@functools.cache
def identity(template: Path) -> str:
    """What a paper depends on besides its data: its folder's templates, the version of typst, the main fonts.

    Templates and libraries change with a new release only, which a server reads at its start.
    """
    digest = hashlib.sha256(f"{template.name} {version('typst')} {fonts.installed().identity()}".encode())
    for path in sorted(template.parent.glob("*.typ")):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
