"""Staging a register file: its preview is what the command line's `--dry-run` says, by the same code."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from assets.files.storage import Storage, StorageUnavailable
from assets.tables.workbook_checks import SpreadsheetError
from core import clock
from core.actor import Actor, Scope
from core.database.paging import Page, PageRequest, fetch, newest_first
from core.db import Database
from core.errors import Problem, invalid, not_found
from core.jobs.scheduler import RareJob
from core.long_jobs import operations as long_jobs
from core.long_jobs.models import LongJob
from enterprise.imports.table_import import ImportReport, TableImport
from enterprise.imports.uploads.models import UploadedImport

JOB = "import"
PREFIX = "imports"
KEPT = timedelta(days=3)
"""How long the file and what it says can be read: it holds names that a later erasure would not reach."""
MOST_ROWS = 20_000
"""Rows of an uploaded file; more are for the command line."""
AT_ONCE = 500
"""Rows of the file that one transaction brings in."""
_SWEPT_AT_ONCE = 100
CHANGED, REFUSED = "changed", "refused"

Opened = TableImport[Any]


@dataclass(frozen=True, slots=True)
class Register:
    """A register that can be uploaded; `open` raises SpreadsheetError, and refuses rows outside of the scope."""

    code: str
    title: str
    open: Callable[[Path, str | None, Scope], Opened]


Registers = Mapping[str, Register]
_NEWEST = newest_first("imports", UploadedImport.created_at, UploadedImport.id)


def stage(
    database: Database, storage: Storage, registers: Registers, actor: Actor, register: str, import_id: UUID,
    source: Path, name: str, sheet: str | None,
) -> tuple[UploadedImport, bool]:  # fmt: skip
    """Read a file and keep what it would change; nothing in the register changes. False: it was staged before.

    `source` is moved into the storage. Raises 422 for a file that cannot be used, 409 `id_taken` for the id of another.
    """
    digest = _digest(source)
    with database.read() as session:
        repeated = _repeated(session, actor, import_id, register, digest)
    if repeated is not None:
        return repeated, False
    report, last_row = _preview(registers[register], source, sheet, actor)
    _keep(storage, import_id, source, report)
    values = {
        "id": import_id, "register": register, "user_id": actor.user_id, "file_name": name, "sheet": sheet,
        "sha256": digest, "rows": report.rows, "last_row": last_row, "added": report.created,
        "changed": report.updated, "unchanged": report.unchanged, "refused": report.refused, "next_row": 1,
        "done_added": 0, "done_changed": 0, "done_unchanged": 0,
        "created_at": clock.now(), "applied_at": None,
    }  # fmt: skip
    with database.write() as session:
        repeated = _repeated(session, actor, import_id, register, digest)
        if repeated is not None:
            return repeated, False
        session.execute(insert(UploadedImport).values(values))
        return session.get_one(UploadedImport, import_id), True


def apply(session: Session, actor: Actor, import_id: UUID) -> LongJob:
    """Begin to bring in what was staged, by a long job of the same id; asked again it is that job.

    409 `wrong_status` where the file is not kept any more: it has to be staged again.
    """
    staged = own(session, actor, import_id)
    if staged.applied_at is None:
        if staged.created_at < clock.now() - KEPT + timedelta(hours=1):
            raise Problem("wrong_status", "预览已过期，请重新上传文件", current_status="expired")
        session.execute(update(UploadedImport).where(UploadedImport.id == import_id).values(applied_at=clock.now()))
    slices = [uuid5(import_id, str(first)) for first in range(1, staged.last_row + 1, AT_ONCE)]
    return long_jobs.begin(session, actor, import_id, JOB, slices, {"import": str(import_id)})


def own(session: Session, actor: Actor, import_id: UUID) -> UploadedImport:
    """An import of the actor's; 404 for any other."""
    found = session.get(UploadedImport, import_id, populate_existing=True)
    if found is None or found.user_id != actor.user_id:
        raise not_found()
    return found


def listed(session: Session, actor: Actor, request: PageRequest) -> Page:
    """The actor's imports, the newest first."""
    return fetch(session, select(UploadedImport), _NEWEST, request, UploadedImport.user_id == actor.user_id)


def lines(storage: Storage, import_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """What the preview said line by line: `changed` and `refused`, as `Change` and `Refusal`; and what else it saw.

    Raises 404 where it is not kept any more.
    """
    try:
        content = b"".join(storage.chunks(key_of(import_id, "preview"))[1])
    except StorageUnavailable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise Problem("not_found", f"预览只保留{KEPT.days}天，请重新上传文件") from error
        raise
    found: dict[str, list[dict[str, Any]]] = orjson.loads(content)
    return found


def sweep(database: Database, storage: Storage) -> int:
    """Delete what was staged long ago, with its files; how many. Raises `StorageUnavailable`."""
    before, deleted = clock.now() - KEPT, 0
    while True:
        with database.read() as session:
            old = select(UploadedImport.id, UploadedImport.file_name).where(UploadedImport.created_at < before)
            rows = session.execute(old.limit(_SWEPT_AT_ONCE)).all()
        for row in rows:
            storage.delete([key_of(row.id, "preview"), key_of(row.id, f"file{suffix_of(row.file_name)}")])
        with database.write() as session:
            session.execute(delete(UploadedImport).where(UploadedImport.id.in_([row.id for row in rows])))
        deleted += len(rows)
        if len(rows) < _SWEPT_AT_ONCE:
            break
    # What was stored by a process that died before it could note it.
    for keys in storage.older_than(before, PREFIX):
        storage.delete(keys)
    return deleted


def daily(storage: Storage) -> RareJob:
    """The sweep as a job of the scheduler."""
    return RareJob("uploaded registers", lambda database: sweep(database, storage), timedelta(days=1))


def key_of(import_id: UUID, name: str) -> str:
    """Where the `file` and the `preview` of an import lie in the storage."""
    return f"{PREFIX}/{import_id.hex}/{name}"


def named(source: Path, name: str) -> Path:
    """The file under a name that says what it is: files are read by their ending."""
    target = source.with_name(f"{source.name}{suffix_of(name)}")
    source.rename(target)
    return target


def suffix_of(name: str) -> str:
    """The ending of a file's name, which says how it is read."""
    return Path(name).suffix.lower()[:10]


def _repeated(
    session: Session, actor: Actor, import_id: UUID, register: str, digest: str
) -> UploadedImport | None:  # fmt: skip
    found = session.get(UploadedImport, import_id, populate_existing=True)
    if found is not None and (found.user_id, found.register, found.sha256) != (actor.user_id, register, digest):
        raise Problem("id_taken")
    return found


def _preview(register: Register, source: Path, sheet: str | None, actor: Actor) -> tuple[ImportReport, int]:
    try:
        opened = register.open(source, sheet, actor.scope)
        if opened.total > MOST_ROWS:
            raise SpreadsheetError(f"一次最多导入{MOST_ROWS}行，请拆分后分次导入")
        return opened.preview(), opened.total
    except SpreadsheetError as error:
        raise invalid("/file", "bad_file", str(error)) from error


def _keep(storage: Storage, import_id: UUID, source: Path, report: ImportReport) -> None:
    said = {
        CHANGED: [asdict(one) for one in report.changes],
        REFUSED: [asdict(one) for one in report.refusals],
        "skipped": [{"row": row, "what": what} for row, what in report.skipped],
        "unknown_headers": report.unknown_headers,
        "hidden_columns": report.hidden_columns,
        "hidden_rows": report.hidden_rows,
    }
    with tempfile.TemporaryDirectory(prefix="gongpin-import-") as folder:
        preview = Path(folder, "preview")
        preview.write_bytes(orjson.dumps(said))
        storage.put(key_of(import_id, "preview"), preview)
    storage.put(key_of(import_id, f"file{source.suffix}"), source)


def _digest(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
