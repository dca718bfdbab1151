"""Many papers in one file (批量打印), made by a long job: one PDF, or a zip with a PDF for each.

So many papers are compiled at once by one child process and stored as a part; when all are there the parts are joined,
file by file, so that memory does not grow with their number. The file can be fetched for a day.
"""

import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import pikepdf
from sqlalchemy.orm import Session

from assets.files.storage import Storage
from assets.paper.compiling import Outcome
from assets.paper.fonts import CharactersMissing, FontMissing
from assets.paper.papers import Paper
from core import clock
from core.actor import Actor
from core.errors import Problem, invalid
from core.jobs.scheduler import RareJob
from core.long_jobs.running import Batch

PREFIX = "prints"
AT_ONCE = 25
"""Papers that one child process compiles."""
MOST = 2000
"""Papers of one job."""
KEPT = timedelta(days=1)
"""How long the file can be fetched: it holds what a later erasure would not reach."""
ZIP = "zip"
"""The format of a zip; else it is one PDF."""
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_EVER = datetime(9999, 1, 1, tzinfo=UTC)

Prepare = Callable[[Session, Actor, UUID, Mapping[str, Any]], Paper]
"""The paper of one row."""


class Named(Protocol):
    """What is printed, by the name of its file in a zip."""

    @property
    def number(self) -> str: ...


Printed = TypeVar("Printed", bound=Named)


def batch(
    prepare: Callable[[Session, Actor, UUID, Mapping[str, Any]], Printed],
    printed: Callable[[Sequence[Printed]], Sequence[Outcome]],
    storage: Storage,
) -> Batch:
    """The work of a printing job: `prepare` reads one row, `printed` makes many; its `params` name the `format`."""

    def make(job_id: UUID, first: int, papers: Sequence[Printed], params: Mapping[str, Any]) -> list[Problem | None]:
        outcomes = printed(papers) if papers else []
        made = [(paper, one) for paper, one in zip(papers, outcomes, strict=True) if isinstance(one, bytes)]
        with tempfile.TemporaryDirectory(prefix="gongpin-prints-") as folder:
            part = Path(folder, "part")
            if params["format"] == ZIP:
                with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
                    for paper, content in made:
                        archive.writestr(f"{_NOT_IN_NAMES.sub('_', paper.number)}.pdf", content)
            else:
                _join([io.BytesIO(content) for _, content in made], part)
            storage.put(_key(job_id, f"{first:05d}"), part)
        return [_refusal(one) for one in outcomes]

    def finish(job_id: UUID, params: Mapping[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix="gongpin-prints-") as folder:
            keys = _parts(storage, job_id)
            parts = [_fetched(storage, key, Path(folder, str(at))) for at, key in enumerate(keys)]
            whole = Path(folder, "whole")
            if params["format"] == ZIP:
                _join_archives(parts, whole)
            else:
                _join(parts, whole)
            storage.put(_key(job_id, "whole"), whole)
            storage.delete(keys)

    return Batch(AT_ONCE, prepare, make, finish)


def result(storage: Storage, job_id: UUID) -> Any:
    """Size and content of the finished file; raises `StorageUnavailable` where there is none."""
    return storage.chunks(_key(job_id, "whole"))


def sweep(storage: Storage) -> int:
    """Delete what was made long ago; how many. Raises `StorageUnavailable`."""
    deleted = 0
    for keys in storage.older_than(clock.now() - KEPT, PREFIX):
        storage.delete(keys)
        deleted += len(keys)
    return deleted


def hourly(storage: Storage) -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("printed files", lambda _database: sweep(storage), timedelta(hours=1))


def _key(job_id: UUID, name: str) -> str:
    return f"{PREFIX}/{job_id.hex}/{name}"


def _parts(storage: Storage, job_id: UUID) -> list[str]:
    found = [key for keys in storage.older_than(_EVER, f"{PREFIX}/{job_id.hex}") for key in keys]
    return sorted(key for key in found if not key.endswith("/whole"))


def _fetched(storage: Storage, key: str, target: Path) -> Path:
    with target.open("wb") as file:
        for piece in storage.chunks(key)[1]:
            file.write(piece)
    return target


def _join(sources: Sequence[Path | io.BytesIO], target: Path) -> None:
    """One PDF of several; where there is none, an empty one. The sources are read while it is written."""
    with pikepdf.new() as whole:
        opened = [pikepdf.open(source) for source in sources]
        try:
            for one in opened:
                whole.pages.extend(one.pages)
            whole.save(target)
        finally:
            for one in opened:
                one.close()


def _join_archives(sources: Sequence[Path], target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as whole:
        for source in sources:
            with zipfile.ZipFile(source) as part:
                for name in part.namelist():
                    whole.writestr(name, part.read(name))


def _refusal(outcome: object) -> Problem | None:
    if isinstance(outcome, bytes):
        return None
    if isinstance(outcome, CharactersMissing):
        return invalid("/data", "character_missing", str(outcome))
    if isinstance(outcome, FontMissing):
        return Problem("font_missing", str(outcome))
    return Problem("internal_error", "文书模板有误，未能打印，请联系管理员")
