"""Room on disks: who failed for want of it, and the warning before."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from core.database import disk
from core.database.disk import DiskWatch, is_full


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


def by_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError(122, "Disk quota exceeded"), True),
        (OSError(5, "Input/output error"), False),
        (by_sqlite(sqlite3.SQLITE_FULL), True),
        (by_sqlite(sqlite3.SQLITE_BUSY), False),
        (OperationalError("INSERT", None, by_sqlite(sqlite3.SQLITE_FULL)), True),
        (OperationalError("INSERT", None, psycopg.errors.DiskFull()), True),
        (OperationalError("INSERT", None, psycopg.errors.LockNotAvailable()), False),
        (raised(RuntimeError("wrapped"), OSError(28, "No space left on device")), True),
        (ValueError("something else"), False),
    ],
)
def test_a_full_disk_is_told_from_other_failures(error: Exception, full: bool) -> None:
    assert is_full(error) is full


class Room:
    """What statvfs says."""

    f_frsize = 1024 * 1024

    def __init__(self, free: int, size: int) -> None:
        self.f_bavail, self.f_blocks = free, size


@pytest.mark.parametrize(
    ("free", "size", "short"),
    [(499, 1000, True), (500, 1000, False), (4_999, 100_000, True), (5_000, 100_000, False), (0, 1000, True)],
)
def test_room_is_short_below_five_percent_or_five_hundred_mebibytes(
    free: int, size: int, short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk.os, "statvfs", lambda _folder: Room(free, size))
    watch = DiskWatch([tmp_path, tmp_path / "." / "missing", tmp_path.parent], 5, 500)
    assert len(watch.short()) == int(short)  # one file system is told of once
    assert watch.look() == (f"low: {free} MiB ({100 * free / size:.1f} %) free in {tmp_path}" if short else "ok")


def test_the_log_is_told_when_room_becomes_short_every_hour_and_of_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, free = [0.0], [100]
    monkeypatch.setattr(disk.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(disk.os, "statvfs", lambda _folder: Room(free[0], 1000))
    lines: list[str] = []
    noting = SimpleNamespace(warning=lambda line, **_: lines.append(line), info=lambda line, **_: lines.append(line))
    monkeypatch.setattr(disk, "log", noting)
    watch = DiskWatch([tmp_path], 5, 500)

    def told(at: float, room: int) -> list[str]:
        now[0], free[0] = at, room
        lines.clear()
        watch.look()
        return list(lines)

    assert told(0, 900) == []
    assert told(60, 100) == ["disk_space_low"]
    assert told(120, 100) == []
    assert told(60 + disk.WARN_AGAIN_AFTER, 100) == ["disk_space_low"]
    assert told(9000, 900) == ["disk_space_enough_again"]
    assert told(9060, 900) == []
