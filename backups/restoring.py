"""Restoring a backup into an empty place.

Everything is read back before the restore is complete: the rows of every table are summed again, foreign keys are
checked, every stored file is hashed. A SQLite database and the files of `DATA_DIR` appear at the very end; PostgreSQL
loads rows in one transaction. An interrupted restore leaves a note: the server refuses to start, and the next restore
first removes what the interrupted one left.
"""

import fcntl
import filecmp
import hashlib
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg
import pyrage
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from assets.files.storage import StorageUnavailable
from backups.archive import BackupError, members
from backups.backup_folder import sync_folder
from backups.interrupted import complete
from backups.place import Place
from backups.reading import Restored, Stream, copy
from backups.rows import PostgresqlTarget, SqliteTarget, quoted, snapshot
from core.config import KEY_FILE, Settings
from core.database import migrate
from core.db import Database

SERVER_LOCK = "server.lock"
"""File in `DATA_DIR` on which every running server holds a shared lock."""
_EVERY = 100
"""Number of files after which progress is reported."""
Say = Callable[[str], None]
"""Shows a line of progress."""


def restore(settings: Settings, path: Path, keys: list[pyrage.x25519.Identity], say: Say) -> Restored:
    """Restore into an empty place: no tables, no uploads, no other key. Raises `BackupError`.

    `settings` are those of `load_settings(make_key=False)`. A backup of kind `database` is restored even if the storage
    holds files. After a failure the place is empty again.
    """
    with _server_stopped(settings.data_dir), members(path, keys) as parts:
        stream = Stream(parts)
        place = Place(settings, full=stream.manifest["kind"] == "full")
        with _explained(), closing(place):
            place.refuse_unless_empty()
            try:
                _Restoring(settings, place, stream, say).run()
            except BaseException:
                with suppress(Exception):
                    place.undo()
                raise
    return stream.restored()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StorageUnavailable as error:
        raise BackupError(f"无法使用文件存储，恢复未完成；请检查存储设置后重新执行（{error}）") from error
    except (SQLAlchemyError, psycopg.Error, sqlite3.Error) as error:
        raise BackupError(f"无法写入数据库，恢复未完成（{str(error).splitlines()[0]}）") from error
    except (tarfile.TarError, EOFError):
        raise
    except OSError as error:
        raise BackupError(f"无法写入磁盘，恢复未完成：{error.strerror or error}；处理后请重新执行") from error


@contextmanager
def _server_stopped(data_dir: Path) -> Iterator[None]:
    with (data_dir / SERVER_LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError("服务正在运行，请先停止服务再恢复") from error
        yield


class _Restoring:
    def __init__(self, settings: Settings, place: Place, stream: Stream, say: Say) -> None:
        self._settings, self._place, self._stream, self._say = settings, place, stream, say
        self._full = stream.manifest["kind"] == "full"

    def run(self) -> None:
        """Restore all parts; what other processes can see appears at the end."""
        (self._place.staging / "data").mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in self._stream.data_files():
            self._restore_data(name, content)
        self._place.write_note()
        if self._place.is_sqlite:
            self._restore_sqlite()
        else:
            self._restore_postgresql()
        for key, content in self._stream.stored_files():
            self._restore_file(key, content)
        self._stream.check()
        if self._full:
            self._read_files_back()
        self._put_in_place()

    # ---- the database

    def _restore_sqlite(self) -> None:
        """Restore into a temporary file, which `_put_in_place` renames."""
        self._place.remove_file_beside()
        beside = Database(f"sqlite:///{self._place.file_beside}")
        try:
            self._upgrade(beside, self._stream.manifest["revision"])
            beside.dispose()
            with closing(sqlite3.connect(self._place.file_beside, isolation_level=None)) as connection:
                target = SqliteTarget(connection, self._stream.manifest["tables"], self._stream.manifest["dialect"])
                self._load(target)
                target.finish()
            self._read_rows_back(beside)
            self._upgrade(beside)
        finally:
            beside.dispose()

    def _restore_postgresql(self) -> None:
        self._place.write_mark()
        self._upgrade(self._place.database, self._stream.manifest["revision"])
        with self._place.database.engine.begin() as connection:
            target = PostgresqlTarget(connection, self._stream.manifest["tables"])
            self._load(target)
            target.finish()
        self._read_rows_back(self._place.database)
        self._upgrade(self._place.database)

    def _upgrade(self, database: Database, revision: str = "head") -> None:
        try:
            migrate.upgrade(database.engine, revision)
        except migrate.SchemaError as error:
            version = self._stream.manifest["version"]
            raise BackupError(f"备份来自较新的版本（{version}），本程序不能恢复，请用不低于该版本的程序") from error

    def _load(self, target: SqliteTarget | PostgresqlTarget) -> None:
        self._say("正在恢复数据库……")
        for table, pieces in self._stream.tables():
            target.load(table, pieces)

    def _read_rows_back(self, database: Database) -> None:
        """Compare the rows with the backup; only their number between two kinds of database, whose texts differ."""
        same = database.engine.dialect.name == self._stream.manifest["dialect"]
        with snapshot(database.engine) as taken:
            for table, expected in self._stream.tallies.items():
                if same:
                    # In the order of the backup: a database that was taken back to an older schema has another one.
                    kinds = taken.columns[table]
                    taken.columns[table] = {name: kinds[name] for name in self._stream.manifest["tables"][table]}
                    for _ in taken.pieces(table):
                        pass
                    found = taken.tallies[table].as_json()
                else:
                    counted = taken.connection.scalar(text(f"SELECT count(*) FROM {quoted(table)}"))  # noqa: S608
                    found = expected.as_json() | {"rows": counted}
                if found != expected.as_json():
                    raise BackupError(f"数据表 {table} 恢复后与备份不符，恢复未完成")

    # ---- the rest

    def _restore_data(self, name: str, content: IO[bytes]) -> None:
        target = (self._place.staging / "data" / name).resolve()
        if not target.is_relative_to((self._place.staging / "data").resolve()):
            raise BackupError(f"备份中有不允许的文件名 {name}")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with target.open("wb") as file:
            target.chmod(0o600)
            size, digest = copy(content, file)
        self._stream.data.add(name, size, digest)
        mine = self._settings.secret
        if name == KEY_FILE and mine and mine != target.read_text().strip():
            raise BackupError(
                "这里的密钥（DATA_KEY 或 DATA_DIR 中的 data.key）与备份中的不同，个人信息会无法解密；"
                "请去掉 DATA_KEY 设置并移走 data.key 后重试，恢复后 data.key 就是备份中的密钥"
            )

    def _restore_file(self, key: str, content: IO[bytes]) -> None:
        with tempfile.NamedTemporaryFile(dir=self._place.staging, delete=False) as file:
            size, digest = copy(content, file)
        self._place.storage.put(key, Path(file.name))
        Path(file.name).unlink(missing_ok=True)
        self._stream.files.add(key, size, digest)
        if self._stream.files.files % _EVERY == 0:
            self._say(f"已恢复文件 {self._stream.files.files} 个")

    def _read_files_back(self) -> None:
        """Check that every file that a row names has the right bytes, except those that were missing in the backup."""
        self._say("正在核对文件……")
        end = self._stream.end
        lost = ("missing", "damaged", "removed")
        known = {key for how in lost for key in end[how]}
        unnamed = sum(end[f"{how}_count"] for how in lost) - len(known)
        wrong = 0
        for key, expected in self._named_files():
            try:
                _, chunks = self._place.storage.chunks(key)
                digest = hashlib.sha256()
                for chunk in chunks:
                    digest.update(chunk)
                right = digest.hexdigest() == expected
            except StorageUnavailable as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
                right = False
            wrong += not right and key not in known
        if wrong > unnamed:
            raise BackupError(f"有 {wrong} 个文件恢复后与记录不符，恢复未完成")

    def _named_files(self) -> Iterator[tuple[str, str]]:
        """Keys and checksums of files, read in pages, so that no connection is held while bytes are read."""
        beside = Database(f"sqlite:///{self._place.file_beside}") if self._place.is_sqlite else self._place.database
        after = ""
        asked = text(
            "SELECT stored_key, min(sha256) FROM files WHERE stored_key > :after"
            " GROUP BY stored_key ORDER BY stored_key LIMIT 1000"
        )
        try:
            while True:
                with beside.read() as session:
                    rows = session.execute(asked, {"after": after}).all()
                for row in rows:
                    yield row[0], row[1]
                if not rows:
                    return
                after = rows[-1][0]
        finally:
            if self._place.is_sqlite:
                beside.dispose()

    def _put_in_place(self) -> None:
        """Give the checked files their final names; the note and the marker are removed last."""
        for path in sorted((self._place.staging / "data").rglob("*")):
            target = self._settings.data_dir / path.relative_to(self._place.staging / "data")
            if path.is_dir():
                target.mkdir(exist_ok=True, mode=0o700)
            elif not target.exists():
                path.replace(target)
            elif not filecmp.cmp(path, target, shallow=False):
                self._say(f"{target} 已存在，与备份中的不同，保留了原有的；备份中的没有写入，如需要请移走它后重新恢复")
        if self._place.is_sqlite:
            with closing(sqlite3.connect(self._place.file_beside, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with self._place.file_beside.open("rb+") as file:
                os.fsync(file.fileno())
            for ending in ("-wal", "-shm"):
                Path(f"{self._place.file}{ending}").unlink(missing_ok=True)
            self._place.file_beside.replace(self._place.file)
            sync_folder(self._place.file.parent)
            self._place.remove_file_beside()
        sync_folder(self._settings.data_dir)
        # The restore is complete: if it is interrupted now, note and marker are removed at the next start.
        self._place.write_note(finished=True)
        complete(self._settings, self._place.database.engine)
