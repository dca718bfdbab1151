"""Whether a restore into this installation was begun and not finished: then it must not be used.

This module imports little, because every command uses it.
"""

import json
import shutil
from typing import NamedTuple

from sqlalchemy import Engine, inspect, text

from core.config import KEY_FILE, Settings, SettingsError
from core.keys import stored

STAGING = ".restoring"
"""Folder in `DATA_DIR` while a restore runs."""
NOTE = "backup"
"""File in that folder with the restore's id, its target, and whether it has finished."""
MARK = "restore_in_progress"
"""Table in a PostgreSQL database until a restore into it has finished: until then its other tables may be dropped."""

_AGAIN = "请重新执行 ./manage restore，会先清除恢复了一半的内容"


class Mark(NamedTuple):
    """The marker in a database: the id of the restore that wrote it; empty if that was version 0.2.0."""

    id: str


def mark_in(engine: Engine) -> Mark | None:
    """The marker of an unfinished restore. SQLite needs none, because its file appears only when it is complete."""
    if engine.dialect.name == "sqlite" or not (there := inspect(engine)).has_table(MARK):
        return None
    if "id" not in {column["name"] for column in there.get_columns(MARK)}:
        return Mark("")
    with engine.connect() as connection:
        return Mark(connection.scalar(text(f"SELECT id FROM {MARK}")) or "")  # noqa: S608


def unfinished(settings: Settings) -> str | None:
    """A Chinese sentence when a restore into this `DATA_DIR` was not finished: the data may be incomplete."""
    if not (settings.data_dir / STAGING / NOTE).exists():
        return None
    return f"上一次恢复被中断，数据不完整，不能启动或使用；{_AGAIN}"


def half_restored(engine: Engine) -> str | None:
    """A Chinese sentence when a restore into the PostgreSQL database, from any `DATA_DIR`, was not finished."""
    return None if mark_in(engine) is None else f"数据库中有一次未完成的恢复，数据不完整，不能启动或使用；{_AGAIN}"


def complete(settings: Settings, engine: Engine) -> None:
    """Remove the note and marker of a restore that had finished but for that; those of other restores stay."""
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
    # The note is removed first: a folder without it is ignored.
    (settings.data_dir / STAGING / NOTE).unlink()
    shutil.rmtree(settings.data_dir / STAGING)


def refuse_to_open(settings: Settings, engine: Engine) -> None:
    """Raise `SettingsError` for an unfinished restore, and for data without its key, which a new key cannot decrypt.

    Called before a key is made. A restore that only had to remove its note and marker is completed.
    """
    complete(settings, engine)
    half = unfinished(settings) or half_restored(engine)
    if half is not None:
        raise SettingsError(half)
    key_is_there = settings.secret or (settings.data_dir / KEY_FILE).exists()
    if not key_is_there and (stored.holds_keys(engine) or _has_users(engine)):
        raise SettingsError(
            f"数据库中已有数据，而 {settings.data_dir.absolute()} 中没有它的密钥 {KEY_FILE}，也没有设置 DATA_KEY："
            f"没有原来的密钥，个人信息无法解密。请放回原来的 {KEY_FILE}（备份中有它），或检查 DATA_DIR 与 DATABASE_URL"
        )


def _has_users(engine: Engine) -> bool:
    """Whether a database of before 0.4 may hold encrypted data: all of it is entered by users."""
    if not inspect(engine).has_table("users"):
        return False
    with engine.connect() as connection:
        return connection.scalar(text("SELECT 1 FROM users LIMIT 1")) is not None
