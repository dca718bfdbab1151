"""The place into which a backup is restored: checking that it is empty, and emptying it after a failed restore.

A restore writes a note in `DATA_DIR` and, on PostgreSQL, a marker in the database, both with its id. If it is
interrupted, the installation cannot be used (`interrupted.py`), and the next restore first removes what it left.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from assets.files.storage import Storage, open_storage
from backups.archive import BackupError
from backups.backup_folder import sync_folder
from backups.interrupted import MARK, NOTE, STAGING, Mark, complete, mark_in
from backups.rows import quoted
from core import clock
from core.config import Settings
from core.db import Database

_LOCK = 5_220_417
"""Number of the advisory lock that a restore into a PostgreSQL database holds."""


class Place:
    """Database, file storage and `DATA_DIR` to restore into. `full`: the backup holds files too."""

    def __init__(self, settings: Settings, *, full: bool) -> None:
        self._settings = settings
        self.data_dir, self.staging = settings.data_dir, settings.data_dir / STAGING
        self.storage: Storage = open_storage(settings)
        self.database = Database(settings.resolved_database_url)
        self.is_sqlite = self.database.engine.dialect.name == "sqlite"
        self.file = Path(self.database.engine.url.database or "")
        self.file_beside = self.file.with_name(self.file.name + STAGING)
        """Path of the SQLite file while it is filled; it is renamed when it is complete."""
        self._bucket = f"{settings.s3_endpoint}/{settings.s3_bucket}" if settings.s3_bucket else "local"
        self._full = full
        self._lock: Connection | None = None
        self._id = uuid.uuid4().hex
        """Id of this restore, in its note and its marker, so that those of another restore are recognised."""

    def close(self) -> None:
        """Release the lock and the connections."""
        if self._lock is not None:
            self._lock.close()
        self.database.dispose()

    def refuse_unless_empty(self) -> None:
        """Raise `BackupError` unless the place is empty; first removes what an interrupted restore left here."""
        if not self.is_sqlite:
            self._lock = self.database.engine.connect()
            if not self._lock.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _LOCK}):
                raise BackupError("另一个恢复正在使用这个数据库，请等待其完成")
        complete(self._settings, self.database.engine)
        noted, marked = self._noted(), self._marked()
        if noted is not None:
            if noted["place"] != self._described():
                raise BackupError(
                    f"上一次中断的恢复用的是另外的数据库或文件存储（{noted['place']}），请改回当时的设置，"
                    f"或在确认后删除 {self.staging}"
                )
            if marked is not None and marked.id != noted.get("id", ""):
                raise BackupError(
                    "数据库中有另一次未完成的恢复，不是从这里开始的，未作任何改动；"
                    f"如不再需要这里的那次恢复，请删除 {self.staging} 后重试"
                )
            if not self.is_sqlite and marked is None and self._has_tables():
                # A restore from another DATA_DIR has filled the database since, so it must not be emptied.
                raise BackupError(
                    "上一次中断的恢复所用的数据库中，现在是另外完成的内容，未作任何改动；"
                    f"如不再需要那次恢复，请删除 {self.staging} 后重试"
                )
        if noted is None and marked is not None and self._full and any(self._uploads()):
            raise BackupError(
                "数据库中有一次未完成的恢复，而文件存储中的文件不知属于谁，未作任何改动；请改用空的文件存储"
            )
        if noted is not None or marked is not None:
            # Files are restored after the marker is written: without a marker they belong to something else.
            with_files = noted is not None and bool(noted["full"]) and (self.is_sqlite or marked is not None)
            self.undo(full=with_files)
        used = []
        if self._has_tables():
            used.append(f"数据库已有数据表（{self.database.engine.url.render_as_string()}）")
        if self._full and any(self._uploads()):
            used.append("文件存储中已有上传的文件")
        if used:
            raise BackupError("只能恢复到空的位置，不会覆盖已有数据：" + "；".join(used))

    def _described(self) -> str:
        return f"{self.database.engine.url.render_as_string()} {self._bucket}"

    def _noted(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.staging / NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BackupError(f"上一次恢复留下的 {self.staging / NOTE} 已损坏；请删除 {self.staging} 后重试") from error
        return found

    def _marked(self) -> Mark | None:
        """The marker of an unfinished restore into this PostgreSQL database."""
        return mark_in(self.database.engine)

    def _has_tables(self) -> bool:
        if self.is_sqlite and not self.file.exists():
            return False
        return bool(inspect(self.database.engine).get_table_names())

    def _uploads(self) -> Iterator[Sequence[str]]:
        return self.storage.older_than(clock.now() + timedelta(days=366))

    def undo(self, *, full: bool | None = None) -> None:
        """Empty the place; it was empty when the note was written, and no server can have started since."""
        noted, marked = self._noted(), self._marked()
        if noted is not None and noted.get("finished"):
            return  # the restore is complete; `complete` removes note and marker at the next start
        if noted is not None or marked is not None:
            if self.is_sqlite:
                self.database.dispose()
                self.remove_file_beside()
                # If the interruption came at the very end, the file has its final name already.
                for ending in ("", "-wal", "-shm"):
                    Path(f"{self.file}{ending}").unlink(missing_ok=True)
            elif marked is not None:
                with self.database.engine.begin() as connection:
                    for table in inspect(connection).get_table_names():
                        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted(table)} CASCADE")
            if self._full if full is None else full:
                for keys in self._uploads():
                    self.storage.delete(keys)
        shutil.rmtree(self.staging, ignore_errors=True)

    def write_note(self, *, finished: bool = False) -> None:
        """Write the note, completely or not at all; called before the restore changes anything outside `STAGING`."""
        beside = self.staging / f"{NOTE}.new"
        with beside.open("w", encoding="utf-8") as file:
            note = {"id": self._id, "place": self._described(), "full": self._full, "finished": finished}
            json.dump(note, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.staging / NOTE)
        sync_folder(self.staging)

    def write_mark(self) -> None:
        """Write the marker into a PostgreSQL database, before anything else is written there."""
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE {MARK} (id text, begun_at timestamptz DEFAULT now())")
            connection.execute(text(f"INSERT INTO {MARK} (id) VALUES (:id)"), {"id": self._id})  # noqa: S608

    def remove_file_beside(self) -> None:
        """Remove the files that a restore into SQLite writes before the database gets its final name."""
        for ending in ("", "-wal", "-shm", "-turn", "-journal"):
            Path(f"{self.file_beside}{ending}").unlink(missing_ok=True)
