"""Restoring a backup into an empty place.

Nothing counts as restored before it was read back: the rows of every table are summed again, keys to other tables
asked, every stored file hashed. A SQLite database and `DATA_DIR`'s own files appear at the very end; PostgreSQL takes
rows in one transaction. A restore that was interrupted leaves a note: the next one begins by removing its halves, and
the server refuses to start meanwhile.
"""

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import psycopg
import pyrage
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from assets.files.storage import Storage, StorageUnavailable, open_storage
from backups.archive import BackupError, members
from backups.interrupted import MARK, NOTE, STAGING, Mark, mark_in
from backups.reading import Restored, Stream, copy
from backups.rows import PostgresqlTarget, SqliteTarget, quoted, snapshot
from backups.shelf import sync_folder
from core import clock
from core.config import KEY_FILE, Settings
from core.database import migrate
from core.db import Database

SERVER_LOCK = "server.lock"
"""In `DATA_DIR`: held, shared, by every running server."""
_LOCK = 5_220_417
"""Number of the advisory lock that a restore into a PostgreSQL database holds."""
_CHUNK = 1024 * 1024
_EVERY = 100
"""Files after which progress is told."""
Say = Callable[[str], None]


def restore(settings: Settings, path: Path, keys: list[pyrage.x25519.Identity], say: Say) -> Restored:
    """Restore into an empty place: no tables, no uploads, no other key. Raises `BackupError`.

    `settings` are those of `load_settings(make_key=False)`. A backup of the database alone goes beside the files that
    are there. What fails leaves the place as empty as it was.
    """
    with _server_stopped(settings.data_dir), members(path, keys) as parts:
        stream = Stream(parts)
        restoring = _Restoring(settings, stream, say)
        with _explained(), closing(restoring):
            restoring.refuse_a_used_place()
            try:
                restoring.run()
            except BaseException:
                with suppress(Exception):
                    restoring.undo()
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
    def __init__(self, settings: Settings, stream: Stream, say: Say) -> None:
        self._settings, self._stream, self._say = settings, stream, say
        self._full = stream.manifest["kind"] == "full"
        self._staging = settings.data_dir / STAGING
        self._storage: Storage = open_storage(settings)
        self._database = Database(settings.resolved_database_url)
        self._sqlite = self._database.engine.dialect.name == "sqlite"
        self._file = Path(self._database.engine.url.database or "")
        self._lock: Connection | None = None
        self._id = uuid.uuid4().hex
        """Of this restore: stands in the note and in the marker, so that neither speaks of another's."""

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._database.dispose()

    def refuse_a_used_place(self) -> None:
        """Before anything is changed. What an interrupted restore left here is removed."""
        if not self._sqlite:
            self._lock = self._database.engine.connect()
            if not self._lock.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _LOCK}):
                raise BackupError("另一个恢复正在使用这个数据库，请等待其完成")
        noted, marked = self._noted(), self._marked()
        if noted is not None:
            if noted["place"] != self._place():
                raise BackupError(
                    f"上一次中断的恢复用的是另外的数据库或文件存储（{noted['place']}），请改回当时的设置，"
                    f"或在确认后删除 {self._staging}"
                )
            if marked is not None and marked.id != noted.get("id", ""):
                raise BackupError(
                    "数据库中有另一次未完成的恢复，不是从这里开始的，未作任何改动；"
                    f"如不再需要这里的那次恢复，请删除 {self._staging} 后重试"
                )
            if not self._sqlite and marked is None and self._has_tables():
                # Somebody has filled it since from another DATA_DIR: it is not ours to empty.
                raise BackupError(
                    "上一次中断的恢复所用的数据库中，现在是另外完成的内容，未作任何改动；"
                    f"如不再需要那次恢复，请删除 {self._staging} 后重试"
                )
        if noted is None and marked is not None and self._full and any(self._uploads()):
            raise BackupError(
                "数据库中有一次未完成的恢复，而文件存储中的文件不知属于谁，未作任何改动；请改用空的文件存储"
            )
        if noted is not None or marked is not None:
            # Files come after the marker: without it none of them is of that restore.
            with_files = noted is not None and bool(noted["full"]) and (self._sqlite or marked is not None)
            self.undo(full=with_files)
        used = []
        if self._has_tables():
            used.append(f"数据库已有数据表（{self._database.engine.url.render_as_string()}）")
        if self._full and any(self._uploads()):
            used.append("文件存储中已有上传的文件")
        if used:
            raise BackupError("只能恢复到空的位置，不会覆盖已有数据：" + "；".join(used))

    def _place(self) -> str:
        files = f"{self._settings.s3_endpoint}/{self._settings.s3_bucket}" if self._settings.s3_bucket else "local"
        return f"{self._database.engine.url.render_as_string()} {files}"

    def _noted(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._staging / NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise BackupError(
                f"上一次恢复留下的 {self._staging / NOTE} 已损坏；请删除 {self._staging} 后重试"
            ) from error
        return found

    def _marked(self) -> Mark | None:
        """The marker of a restore into this PostgreSQL database: no server starts on it until that is finished."""
        return mark_in(self._database.engine)

    def _has_tables(self) -> bool:
        if self._sqlite and not self._file.exists():
            return False
        return bool(inspect(self._database.engine).get_table_names())

    def _uploads(self) -> Iterator[Sequence[str]]:
        return self._storage.older_than(clock.now() + timedelta(days=366))

    def undo(self, *, full: bool | None = None) -> None:
        """Empty the place again; it was empty when the note was written, and no server started since."""
        marked = self._marked()
        if self._noted() is not None or marked is not None:
            if self._sqlite:
                self._database.dispose()
                self._remove_beside()
                # It has its name already when the interruption came at the very end.
                for ending in ("", "-wal", "-shm"):
                    Path(f"{self._file}{ending}").unlink(missing_ok=True)
            elif marked is not None:
                with self._database.engine.begin() as connection:
                    for table in inspect(connection).get_table_names():
                        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted(table)} CASCADE")
            if self._full if full is None else full:
                for keys in self._uploads():
                    self._storage.delete(keys)
        shutil.rmtree(self._staging, ignore_errors=True)

    def run(self) -> None:
        """All of it; what others can see appears at the end."""
        (self._staging / "data").mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in self._stream.data_files():
            self._restore_data(name, content)
        self._write_note()
        if self._sqlite:
            self._restore_sqlite()
        else:
            self._restore_postgresql()
        for key, content in self._stream.stored_files():
            self._restore_file(key, content)
        self._stream.check()
        if self._full:
            self._read_files_back()
        self._put_in_place()

    def _write_note(self) -> None:
        """Whole or not at all, and before anything that it speaks of."""
        beside = self._staging / f"{NOTE}.new"
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"id": self._id, "place": self._place(), "full": self._full}, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._staging / NOTE)
        sync_folder(self._staging)

    # ---- the database

    def _restore_sqlite(self) -> None:
        """Into a file beside; `_put_in_place` gives it its name."""
        self._remove_beside()
        beside = Database(f"sqlite:///{self._beside}")
        try:
            self._upgrade(beside, self._stream.manifest["revision"])
            beside.dispose()
            with closing(sqlite3.connect(self._beside, isolation_level=None)) as connection:
                target = SqliteTarget(connection, self._stream.manifest["tables"], self._stream.manifest["dialect"])
                self._load(target)
                target.finish()
            self._read_rows_back(beside)
            self._upgrade(beside)
        finally:
            beside.dispose()

    def _restore_postgresql(self) -> None:
        with self._database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE {MARK} (id text, begun_at timestamptz DEFAULT now())")
            connection.execute(text(f"INSERT INTO {MARK} (id) VALUES (:id)"), {"id": self._id})  # noqa: S608
        self._upgrade(self._database, self._stream.manifest["revision"])
        with self._database.engine.begin() as connection:
            target = PostgresqlTarget(connection, self._stream.manifest["tables"])
            self._load(target)
            target.finish()
        self._read_rows_back(self._database)
        self._upgrade(self._database)

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
        """The rows as they now stand; between two kinds of database their text differs and is only counted."""
        same = database.engine.dialect.name == self._stream.manifest["dialect"]
        with snapshot(database.engine) as taken:
            for table, told in self._stream.tallies.items():
                if same:
                    for _ in taken.pieces(table):
                        pass
                    found = taken.tallies[table].told()
                else:
                    counted = taken.connection.scalar(text(f"SELECT count(*) FROM {quoted(table)}"))  # noqa: S608
                    found = told.told() | {"rows": counted}
                if found != told.told():
                    raise BackupError(f"数据表 {table} 恢复后与备份不符，恢复未完成")

    # ---- the rest

    def _restore_data(self, name: str, content: IO[bytes]) -> None:
        target = (self._staging / "data" / name).resolve()
        if not target.is_relative_to((self._staging / "data").resolve()):
            raise BackupError(f"备份中有不允许的文件名 {name}")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with target.open("wb") as file:
            target.chmod(0o600)
            size, digest = copy(content, file)
        self._stream.data.add(name, size, digest)
        mine = self._settings.data_key.get_secret_value()
        if name == KEY_FILE and mine and mine != target.read_text().strip():
            raise BackupError(
                "这里的密钥（DATA_KEY 或 DATA_DIR 中的 data.key）与备份中的不同，个人信息会无法解密；"
                "请去掉 DATA_KEY 设置并移走 data.key 后重试，恢复后 data.key 就是备份中的密钥"
            )

    def _restore_file(self, key: str, content: IO[bytes]) -> None:
        with tempfile.NamedTemporaryFile(dir=self._staging, delete=False) as file:
            size, digest = copy(content, file)
        self._storage.put(key, Path(file.name))
        Path(file.name).unlink(missing_ok=True)
        self._stream.files.add(key, size, digest)
        if self._stream.files.files % _EVERY == 0:
            self._say(f"已恢复文件 {self._stream.files.files} 个")

    def _read_files_back(self) -> None:
        """Every file that a row names has the bytes that belong there, except those that the backup lacked."""
        self._say("正在核对文件……")
        end = self._stream.end
        lost = ("missing", "damaged", "removed")
        known = {key for how in lost for key in end[how]}
        unnamed = sum(end[f"{how}_count"] for how in lost) - len(known)
        wrong = 0
        for key, expected in self._named_files():
            try:
                _, chunks = self._storage.chunks(key)
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
        """In pages: the connection is not held while bytes are read."""
        beside = Database(f"sqlite:///{self._beside}") if self._sqlite else self._database
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
            if self._sqlite:
                beside.dispose()

    # ---- the end

    @property
    def _beside(self) -> Path:
        return self._file.with_name(self._file.name + STAGING)

    def _remove_beside(self) -> None:
        for ending in ("", "-wal", "-shm", "-turn", "-journal"):
            Path(f"{self._beside}{ending}").unlink(missing_ok=True)

    def _put_in_place(self) -> None:
        """All was read back: the names that others know appear, the note goes last."""
        for path in sorted((self._staging / "data").rglob("*")):
            target = self._settings.data_dir / path.relative_to(self._staging / "data")
            if path.is_dir():
                target.mkdir(exist_ok=True, mode=0o700)
            elif not target.exists():
                path.replace(target)
            elif not filecmp.cmp(path, target, shallow=False):
                self._say(f"{target} 已存在，与备份中的不同，保留了原有的；备份中的没有写入，如需要请移走它后重新恢复")
        if self._sqlite:
            with closing(sqlite3.connect(self._beside, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with self._beside.open("rb+") as file:
                os.fsync(file.fileno())
            for ending in ("-wal", "-shm"):
                Path(f"{self._file}{ending}").unlink(missing_ok=True)
            self._beside.replace(self._file)
            sync_folder(self._file.parent)
            self._remove_beside()
        sync_folder(self._settings.data_dir)
        shutil.rmtree(self._staging)
        if not self._sqlite:
            with self._database.engine.begin() as connection:
                connection.exec_driver_sql(f"DROP TABLE {MARK}")
