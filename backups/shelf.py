"""The folder of backups (`BACKUP_DIR`): names, what lies there, what is thrown away, whether it is old."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal

from backups.archive import BackupError
from core import clock
from core.config import Settings

Kind = Literal["full", "database"]
"""`full` holds database, keys and files; `database` the first two, which is what an upgrade of the schema changes."""

STALE = timedelta(hours=36)
"""A daily backup that is older is warned of."""
UPGRADES_KEPT = 5
"""How many backups of the database alone are kept; the daily ones by `BACKUP_KEEP`."""
_NAME = re.compile(r"gongpin-(\d{8}T\d{6})Z-(full|database)\.tar\.age")
_STATUS = "last.json"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup in the folder."""

    path: Path
    kind: Kind
    made_at: datetime
    size: int


def listed(folder: Path) -> list[Backup]:
    """What lies in the folder, the newest first. Raises `BackupError` when it cannot be read."""
    found = []
    try:
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is not None:
                made = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                found.append(Backup(path, "full" if match[2] == "full" else "database", made, path.stat().st_size))
    except OSError as error:
        raise BackupError(f"无法读取备份目录 {folder}：{error.strerror}") from error
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def newest_full(folder: Path) -> datetime | None:
    """When the newest whole backup was made; None also where the folder is still to be made. Raises `BackupError`.

    One that a wrong clock dated into the future says nothing about today.
    """
    if not folder.exists() and folder.parent.is_dir():
        return None
    whole = (backup for backup in listed(folder) if backup.kind == "full" and backup.made_at <= _latest())
    return next((backup.made_at for backup in whole), None)


def _latest() -> datetime:
    """The time of which a backup may say that it was made then; clocks differ a little."""
    return clock.now() + timedelta(hours=1)


class Busy(BackupError):
    """Another process writes a backup."""


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make the folder, for the owner only, and keep others from writing a backup there meanwhile. `BackupError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise BackupError(f"无法写入备份目录 {folder}：{error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("另一个备份正在进行，请等它完成") from error
        for left in folder.glob(f".*{_PART}"):  # of one that was killed
            left.unlink(missing_ok=True)
        yield


@contextmanager
def appearing(folder: Path, kind: Kind) -> Iterator[tuple[IO[bytes], Path]]:
    """A file to write and the name under which it appears when the block ends: whole, on disk, or not at all."""
    target = folder / f"gongpin-{clock.now().astimezone(UTC):%Y%m%dT%H%M%S}Z-{kind}.tar.age"
    part = folder / f".{target.name}{_PART}"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file, target
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync_folder(folder)
    finally:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Names that appeared in it survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(folder: Path, kind: Kind, keep: int) -> list[Path]:
    """Throw away the oldest of a kind beyond so many; which. Those that a wrong clock dated ahead are left alone."""
    old = [backup.path for backup in listed(folder) if backup.kind == kind and backup.made_at <= _latest()][keep:]
    for path in old:
        path.unlink(missing_ok=True)
    return old


def note(folder: Path, **told: Any) -> None:
    """Keep how the last attempt went, for `state`. A folder that cannot be written shows by itself."""
    with suppress(OSError):
        part = folder / f".{_STATUS}{_PART}"
        part.write_text(json.dumps({"at": clock.now().isoformat(), **told}, ensure_ascii=False), encoding="utf-8")
        part.replace(folder / _STATUS)


def _noted(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / _STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class State:
    """How backups stand. `word` is for `/readyz`, `warning` a Chinese sentence for people; none when all is well."""

    word: str
    warning: str | None = None
    newest: datetime | None = None


def state(settings: Settings) -> State:
    """Whether there is a full backup, and how old it is."""
    if not settings.backup_dir:
        return State("not configured", "没有设置每日备份，请设置 BACKUP_DIR 和 BACKUP_RECIPIENT")
    folder = Path(settings.backup_dir)
    try:
        newest = newest_full(folder)
    except BackupError as error:
        return State("folder unreachable", str(error))
    told = _noted(folder)
    reason = f"；最近一次失败：{told['error']}" if told.get("error") else ""
    if newest is None:
        return State("none yet", f"备份目录 {folder} 中还没有完整备份{reason}")
    if clock.now() - newest > STALE:
        made, hours = newest.astimezone(clock.LOCAL), STALE // timedelta(hours=1)
        warning = f"最近一次完整备份是 {made:%Y-%m-%d %H:%M}，已超过 {hours} 小时{reason}"
        return State(f"stale: newest of {newest:%Y-%m-%dT%H:%MZ}", warning, newest)
    if told.get("missing") or told.get("damaged"):
        lost = f"{told.get('missing', 0)} missing, {told.get('damaged', 0)} damaged"
        warning = (
            f"最近一次备份时有 {told.get('missing', 0)} 个文件丢失、{told.get('damaged', 0)} 个损坏，"
            "请用 ./manage backup 查看"
        )
        return State(f"incomplete: {lost} files", warning, newest)
    return State("ok", None, newest)


def room(folder: Path) -> int:
    """Free bytes where the folder stands, or will stand."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
