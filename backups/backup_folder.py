"""The folder of backups (`BACKUP_DIR`): file names, listing, removal of old ones, state.

Several installations may share a folder: each file name carries the number of its installation, and an installation
counts and removes only its own backups. A restored installation has the key of the original and so the same number;
if both run, each needs a folder of its own.
"""

import fcntl
import hmac
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
"""`full` holds database, keys and files; `database` holds no files, because an upgrade of the schema changes none."""

STALE = timedelta(hours=36)
"""Age of the newest full backup from which on a warning is shown."""
UPGRADES_KEPT = 5
"""Number of backups of kind `database` that are kept; `BACKUP_KEEP` is that of full ones."""
_NAME = re.compile(r"gongpin-(?:([0-9a-f]{8})-)?(\d{8}T\d{6})Z-(full|database)\.tar\.age")
"""Files of version 0.2.0 have no number: any installation lists and restores them, none removes them."""
_PART = ".part"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup in the folder."""

    path: Path
    kind: Kind
    made_at: datetime
    size: int
    owner: str
    """Number of the installation that made it; empty if that was version 0.2.0."""


def owner_of(settings: Settings) -> str:
    """The number of this installation, derived from its key by a one-way function; empty without a key."""
    key = settings.secret
    return hmac.digest(key.encode(), b"backups", "sha256").hex()[:8] if key else ""


def listed(folder: Path) -> list[Backup]:
    """The backups in the folder, the newest first. Raises `BackupError` when it cannot be read."""
    found = []
    try:
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is not None:
                made = datetime.strptime(match[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                kind: Kind = "full" if match[3] == "full" else "database"
                found.append(Backup(path, kind, made, path.stat().st_size, match[1] or ""))
    except OSError as error:
        raise BackupError(f"无法读取备份目录 {folder}：{error.strerror}") from error
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def whole_ones(folder: Path, owner: str) -> list[Backup]:
    """The full backups of an installation, the newest first; empty before the folder exists. Raises `BackupError`."""
    if not folder.exists() and folder.parent.is_dir():
        return []
    return [backup for backup in listed(folder) if backup.kind == "full" and backup.owner in (owner, "")]


def newest_full(folder: Path, owner: str) -> datetime | None:
    """When the newest full backup was made; those with a date in the future, from a wrong clock, are ignored."""
    return next((one.made_at for one in whole_ones(folder, owner) if one.made_at <= _latest()), None)


def _latest() -> datetime:
    """Backups with a later date are dated in the future; one hour is allowed, because clocks differ."""
    return clock.now() + timedelta(hours=1)


class Busy(BackupError):
    """Another process is writing a backup."""


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Create the folder, for the owner only, and hold its lock: one backup is written at a time.

    Raises `BackupError`, `Busy` when another process holds the lock.
    """
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
        for left in folder.glob(f".*{_PART}"):  # left by a killed process
            left.unlink(missing_ok=True)
        yield


@contextmanager
def appearing(folder: Path, kind: Kind, owner: str) -> Iterator[tuple[IO[bytes], Path]]:
    """A file to write, and the path it gets when the block ends: complete and on disk, or not at all."""
    target = folder / f"gongpin-{owner}-{clock.now().astimezone(UTC):%Y%m%dT%H%M%S}Z-{kind}.tar.age"
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
    """Make new names in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(folder: Path, kind: Kind, keep: int, owner: str) -> list[Path]:
    """Remove an installation's oldest backups of a kind, all but `keep`; the removed paths.

    Backups with a date in the future are neither counted nor removed.
    """
    own = [backup for backup in listed(folder) if backup.kind == kind and backup.owner == owner]
    old = [backup.path for backup in own if backup.made_at <= _latest()][keep:]
    for path in old:
        path.unlink(missing_ok=True)
    return old


def note(folder: Path, owner: str, **outcome: Any) -> None:
    """Record the outcome of the last attempt for `state`. Errors are ignored: `state` reports an unusable folder."""
    with suppress(OSError):
        status = _status(folder, owner)
        part = folder / f".{status.name}{_PART}"
        part.write_text(json.dumps({"at": clock.now().isoformat(), **outcome}, ensure_ascii=False), encoding="utf-8")
        part.replace(status)


def _status(folder: Path, owner: str) -> Path:
    return folder / f"last-{owner}.json"


def _noted(folder: Path, owner: str) -> dict[str, Any]:
    try:
        noted = json.loads(_status(folder, owner).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


@dataclass(frozen=True, slots=True)
class State:
    """The state of backups: `word` is shown by `/readyz`; `warning` is Chinese text, None when all is well."""

    word: str
    warning: str | None = None
    newest: datetime | None = None


def state(settings: Settings) -> State:
    """Whether there is a recent full backup, and whether the last one was complete."""
    if not settings.backup_dir:
        return State("not configured", "没有设置每日备份，请设置 BACKUP_DIR 和 BACKUP_RECIPIENT")
    folder, owner = Path(settings.backup_dir), owner_of(settings)
    try:
        whole = whole_ones(folder, owner)
    except BackupError as error:
        return State("folder unreachable", str(error))
    today = _state(folder, owner, next((one.made_at for one in whole if one.made_at <= _latest()), None))
    ahead = [one.path.name for one in whole if one.made_at > _latest()]
    if not ahead:
        return today
    warning = (
        f"备份 {'、'.join(ahead[:_NAMED])}{' 等' if len(ahead) > _NAMED else ''} 的日期在将来，制作时或现在的时钟有误："
        "它不算作最近的备份，也不会自动删除，请核对服务器时间后改名或移走"
    )
    word = f"dated ahead: {ahead[0]}" if today.warning is None else today.word
    return State(word, "\n".join(filter(None, (today.warning, warning))), today.newest)


def _state(folder: Path, owner: str, newest: datetime | None) -> State:
    noted = _noted(folder, owner)
    reason = f"；最近一次失败：{noted['error']}" if noted.get("error") else ""
    if newest is None:
        return State("none yet", f"备份目录 {folder} 中还没有完整备份{reason}")
    if clock.now() - newest > STALE:
        made, hours = newest.astimezone(clock.LOCAL), STALE // timedelta(hours=1)
        warning = f"最近一次完整备份是 {made:%Y-%m-%d %H:%M}，已超过 {hours} 小时{reason}"
        return State(f"stale: newest of {newest:%Y-%m-%dT%H:%MZ}", warning, newest)
    if noted.get("missing") or noted.get("damaged"):
        lost = f"{noted.get('missing', 0)} missing, {noted.get('damaged', 0)} damaged"
        warning = (
            f"最近一次备份时有 {noted.get('missing', 0)} 个文件丢失、{noted.get('damaged', 0)} 个损坏，"
            "请用 ./manage backup 查看"
        )
        return State(f"incomplete: {lost} files", warning, newest)
    return State("ok", None, newest)


def room(folder: Path) -> int:
    """Free bytes on the disk of the folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
