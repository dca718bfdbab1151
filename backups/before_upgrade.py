"""Copies that are made before the schema of a database with data is upgraded.

A SQLite file is always copied into a folder next to it, so that going back needs no secret key from a safe. If backups
are set up, a backup of database and keys is made as well; it holds no files, because an upgrade changes none.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

from backups import backup_folder, making
from backups.archive import BackupError
from core import clock
from core.config import Settings
from core.database import disk, migrate
from core.db import Database

FOLDER = "before-upgrade"
KEPT = 3
_SPARE = 64 * 1024 * 1024
"""Bytes that must remain free, because the upgrade itself needs disk space too."""


def keep_a_copy(settings: Settings, database: Database) -> list[str]:
    """Make the copies; Chinese sentences that name them. Raises `BackupError`: then nothing may be upgraded."""
    revision = migrate.revision_of(database.engine)
    if revision is None:
        return []
    said = []
    if settings.backup_dir:
        made = making.make(settings, database, files=False)
        said.append(f"升级前的备份（数据库和密钥）：{made.path}")
    if database.engine.dialect.name == "sqlite":
        copy = _copy(Path(database.engine.url.database or ""), revision)
        said.append(f"升级前的数据库副本：{copy}（未加密的内容原样保留其中，确认升级无误后请删除）")
    if not said:
        said.append("注意：没有设置 BACKUP_DIR，升级前没有备份；请确认 PostgreSQL 另有备份")
    return said


def _copy(file: Path, revision: str) -> Path:
    folder = file.parent / FOLDER
    target = folder / f"{file.name}.{revision}.{clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
    part = folder / ".part"
    needed = sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists()) + _SPARE
    try:
        if backup_folder.room(folder) < needed:
            raise _no_room(folder, needed)
        folder.mkdir(exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        part.chmod(0o600)
        with part.open("rb+") as copied:
            os.fsync(copied.fileno())
        part.replace(target)
        backup_folder.sync_folder(folder)
        for old in sorted(folder.glob(f"{file.name}.*"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink()
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        if disk.is_full(error):
            raise _no_room(folder, needed) from error
        raise BackupError(f"升级前无法复制数据库，没有升级，数据未变（{error}）") from error
    except OSError as error:
        part.unlink(missing_ok=True)
        if disk.is_full(error):
            raise _no_room(folder, needed) from error
        raise BackupError(f"升级前无法复制数据库到 {folder}，没有升级，数据未变：{error.strerror}") from error
    return target


def _no_room(folder: Path, needed: int) -> BackupError:
    return BackupError(
        f"磁盘空间不足，升级前无法复制数据库，没有升级，数据未变：{folder} 需要 {needed // 1024**2 + 1} MiB，"
        f"剩余 {backup_folder.room(folder) // 1024**2} MiB。请清理磁盘后重试；"
        "若另有备份，可用 ./manage database upgrade --without-copy 直接升级"
    )
