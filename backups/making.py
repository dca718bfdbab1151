"""Making a backup: writing its contents, encrypted, into the folder of backups."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from assets.files.storage import StorageUnavailable, open_storage
from backups import backup_folder
from backups.archive import BackupError, encrypt, recipients
from backups.contents import Contents, Summary
from backups.rows import REVISIONS
from core.config import Settings
from core.database import disk
from core.db import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made; `removed` is the number of old ones deleted."""

    path: Path
    size: int
    summary: Summary
    removed: int


def make(settings: Settings, database: Database, *, files: bool = True, folder: Path | None = None) -> Made:
    """Write a backup into `BACKUP_DIR` or another folder, and delete old ones there. Raises `BackupError`.

    After a failure no partial backup remains, and the older ones are kept.
    """
    if not settings.backup_recipients:
        raise BackupError(
            "没有设置 BACKUP_RECIPIENT（备份用的公钥），备份无法加密；请先用 ./manage backup key 生成一对密钥"
        )
    target = folder or (Path(settings.backup_dir) if settings.backup_dir else None)
    if target is None:
        raise BackupError("没有设置 BACKUP_DIR（备份目录），也没有用 --to 指定目录")
    keys = recipients(settings.backup_recipients)
    if not inspect(database.engine).has_table(REVISIONS):
        raise BackupError("数据库是空的，没有可备份的内容")
    owner = backup_folder.owner_of(settings)
    contents = Contents(settings, database, open_storage(settings) if files else None)
    try:
        with backup_folder.one_at_a_time(target):
            with _explained(target), backup_folder.appearing(target, contents.kind, owner) as (file, path):
                encrypt(iter(contents), file, keys)
            keep = settings.backup_keep if files else backup_folder.UPGRADES_KEPT
            gone = backup_folder.prune(target, contents.kind, keep, owner)
    except backup_folder.Busy:
        raise
    except BackupError as error:
        if files:
            backup_folder.note(target, owner, error=str(error))
        log.error("backup_failed", error=str(error))
        raise
    summary = contents.summary
    if files:
        backup_folder.note(target, owner, missing=summary.missing_count, damaged=summary.damaged_count)
    log.info("backup_made", path=str(path), rows=summary.rows, files=summary.files.files)
    if summary.missing_count or summary.damaged_count:
        log.warning("backup_incomplete", missing=summary.missing_count, damaged=summary.damaged_count)
    return Made(path, path.stat().st_size, summary, len(gone))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn failures into `BackupError` with the reason and what to do."""
    try:
        yield
    except StorageUnavailable as error:
        raise BackupError(f"无法读取文件存储，备份未完成；请检查存储设置后重试（{error}）") from error
    except (SQLAlchemyError, psycopg.Error, sqlite3.Error) as error:
        reason = str(error).splitlines()[0]
        raise BackupError(f"无法读取数据库，备份未完成（{reason}）") from error
    except OSError as error:
        if disk.is_full(error):
            free = backup_folder.room(folder) // 1024**2
            raise BackupError(
                f"备份目录 {folder} 的磁盘空间不足（剩余 {free} MiB 不够），备份未完成，旧备份未动；"
                "请清理磁盘，或减小 BACKUP_KEEP 并删除旧备份，或把 BACKUP_DIR 改到更大的磁盘"
            ) from error
        raise BackupError(f"无法写入备份目录 {folder}：{error.strerror}") from error
