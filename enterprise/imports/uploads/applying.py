"""Bringing in an uploaded register: a long job whose rows are slices of the file, each stored in one transaction.

What a slice did is counted in the same transaction, so that a process that dies doubles nothing; and a slice that was
done is not done again.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from assets.files.storage import Storage, StorageUnavailable
from core.actor import Actor, Scope
from core.db import Database
from core.errors import Problem
from core.long_jobs.running import Batch
from enterprise.imports.table_import import ValidRow
from enterprise.imports.uploads.models import UploadedImport
from enterprise.imports.uploads.staging import AT_ONCE, Opened, Registers, key_of, own, suffix_of

log = structlog.get_logger()


class _LastOpened:
    """The file that was read last, for the next slices of it: reading it takes as long as storing some slices."""

    def __init__(self) -> None:
        self._of: tuple[UUID, Scope] | None = None
        self._rows: tuple[Opened, list[ValidRow[Any]]] | None = None

    def rows(
        self, storage: Storage, registers: Registers, staged: UploadedImport, scope: Scope
    ) -> tuple[Opened, list[ValidRow[Any]]]:
        if self._rows is None or self._of != (staged.id, scope):
            self._of, self._rows = None, None
            with tempfile.TemporaryDirectory(prefix="gongpin-import-") as folder:
                suffix = suffix_of(staged.file_name)
                source = Path(folder, f"register{suffix}")
                with source.open("wb") as file:
                    for piece in storage.chunks(key_of(staged.id, f"file{suffix}"))[1]:
                        file.write(piece)
                opened = registers[staged.register].open(source, staged.sheet, scope)
                self._of, self._rows = (staged.id, scope), (opened, opened.valid_rows())
        return self._rows


def batch(database: Database, storage: Storage, registers: Registers) -> Batch:
    """The work of such a job, a slice at a time."""
    last = _LastOpened()

    def prepare(
        session: Session, actor: Actor, _slice: UUID, params: Mapping[str, Any]
    ) -> tuple[UploadedImport, Scope]:
        staged = own(session, actor, UUID(params["import"]))
        session.expunge(staged)
        return staged, actor.scope

    def make(
        _job_id: UUID, position: int, prepared: Sequence[tuple[UploadedImport, Scope]], _params: Mapping[str, Any]
    ) -> list[Problem | None]:
        outcomes: list[Problem | None] = []
        for at, (staged, scope) in enumerate(prepared, position):
            try:
                opened, rows = last.rows(storage, registers, staged, scope)
                _bring_in(database, opened, rows, staged.id, at * AT_ONCE + 1)
                outcomes.append(None)
            # These pass: the job goes on when the lease is over.
            except (StorageUnavailable, OperationalError):
                raise
            # Whatever a slice raises: the others are brought in.
            except Exception as error:
                log.error("import_slice_failed", of=str(staged.id), error=type(error).__name__, exc_info=True)
                outcomes.append(Problem("internal_error"))
        return outcomes

    return Batch(1, prepare, make, lambda _job_id, _params: None)


def _bring_in(database: Database, opened: Opened, rows: Sequence[ValidRow[Any]], import_id: UUID, first: int) -> None:
    """Store the rows of the file from `first` on, unless that was done."""
    end = first + AT_ONCE
    with database.write() as session:
        mine = update(UploadedImport).where(UploadedImport.id == import_id, UploadedImport.next_row <= first)
        taken: Any = session.execute(mine.values(next_row=end).execution_options(synchronize_session=False))
        if taken.rowcount != 1:
            return
        report = opened.apply_rows(session, [row for row in rows if first <= row.number < end])
        session.execute(
            update(UploadedImport)
            .where(UploadedImport.id == import_id)
            .values(
                done_added=UploadedImport.done_added + report.created,
                done_changed=UploadedImport.done_changed + report.updated,
                done_unchanged=UploadedImport.done_unchanged + report.unchanged,
            )
            .execution_options(synchronize_session=False)
        )
