"""Whether a restore into this installation was begun and not finished: then nothing of it may be opened.

Imports little, for every command asks it.
"""

import json
import shutil
from typing import NamedTuple

from sqlalchemy import Engine, inspect, text

from core.config import KEY_FILE, Settings, SettingsError

STAGING = ".restoring"
"""Folder in `DATA_DIR` while a restore is under way; holds which backup it is."""
NOTE = "backup"
"""File in it."""
MARK = "restore_in_progress"
"""Table of a PostgreSQL database while a restore into it is not finished: what stands beside it may be emptied."""

_AGAIN = "请重新执行 ./manage restore，会先清除恢复了一半的内容"


class Mark(NamedTuple):
    """The marker in a database: which restore put it there; empty for one of version 0.2.0."""

    id: str


def mark_in(engine: Engine) -> Mark | None:
    """The marker of a restore that is not finished. Only PostgreSQL has one: a SQLite file appears when it is whole."""
    if engine.dialect.name == "sqlite" or not (there := inspect(engine)).has_table(MARK):
        return None
    if "id" not in {column["name"] for column in there.get_columns(MARK)}:
        return Mark("")
    with engine.connect() as connection:
        return Mark(connection.scalar(text(f"SELECT id FROM {MARK}")) or "")  # noqa: S608


def unfinished(settings: Settings) -> str | None:
    """A Chinese sentence when a restore was begun here and not finished: it may have left half of everything."""
    if not (settings.data_dir / STAGING / NOTE).exists():
        return None
    return f"上一次恢复被中断，数据不完整，不能启动或使用；{_AGAIN}"


def half_restored(engine: Engine) -> str | None:
    """A Chinese sentence for a PostgreSQL database into which a restore was begun, from wherever, and not finished."""
    return None if mark_in(engine) is None else f"数据库中有一次未完成的恢复，数据不完整，不能启动或使用；{_AGAIN}"


def complete(settings: Settings, engine: Engine) -> None:
    """Remove note and marker of a restore that missed nothing but this; others are left as they are."""
    try:
        note = json.loads((settings.data_dir / STAGING / NOTE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if not note.get("finished"):
        return
    mark = mark_in(engine)
    if mark is not None and mark.id == note["id"]:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {MARK}")
    # The note goes first: without it what is left of the folder means nothing.
    (settings.data_dir / STAGING / NOTE).unlink()
    shutil.rmtree(settings.data_dir / STAGING)


def refuse_to_open(settings: Settings, engine: Engine) -> None:
    """Raises `SettingsError` for half a restore, and for data whose key is lost: a new one would open nothing of it.

    Asked before a key is made. A restore that only had to remove its traces is completed.
    """
    complete(settings, engine)
    half = unfinished(settings) or half_restored(engine)
    if half is not None:
        raise SettingsError(half)
    key_is_there = settings.data_key.get_secret_value() or (settings.data_dir / KEY_FILE).exists()
    if not key_is_there and _has_users(engine):
        raise SettingsError(
            f"数据库中已有数据，而 {settings.data_dir.absolute()} 中没有它的密钥 {KEY_FILE}，也没有设置 DATA_KEY："
            f"没有原来的密钥，个人信息无法解密。请放回原来的 {KEY_FILE}（备份中有它），或检查 DATA_DIR 与 DATABASE_URL"
        )


def _has_users(engine: Engine) -> bool:
    """Whether anything may be encrypted: whatever is, was entered by somebody."""
    if not inspect(engine).has_table("users"):
        return False
    with engine.connect() as connection:
        return connection.scalar(text("SELECT 1 FROM users LIMIT 1")) is not None
