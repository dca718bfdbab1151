"""Reading a backup: its parts in order, checked against the counts in its `end.json`."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyrage

from backups.archive import BackupError, members
from backups.contents import DATA, DATABASE, FILES, FORMAT, LAST, MANIFEST, Count
from backups.rows import Tally

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """Facts about a backup that was verified or restored."""

    version: str
    made_at: str
    rows: int
    files: int
    bytes: int
    missing: int
    """Files that were missing or damaged when the backup was made; the rows that name them are restored."""


class Stream:
    """Iterates over the parts of a backup and checks them against its own counts; the caller handles each part.

    To be used in this order: `data_files`, `tables`, `stored_files`, `check`, `restored`.
    """

    def __init__(self, parts: Iterator[tuple[str, IO[bytes]]]) -> None:
        self._parts = parts
        self._held: tuple[str, IO[bytes]] | None = None
        name, content = next(parts, ("", None))
        if name != MANIFEST or content is None:
            raise BackupError("这不是本系统的备份文件")
        self.manifest: dict[str, Any] = json.load(content)
        if self.manifest.get("product") != "gongpin" or self.manifest.get("format") != FORMAT:
            raise BackupError("这个备份由更新版本的程序制作，或不是本系统的备份；请用不低于备份的版本恢复")
        self.tallies: dict[str, Tally] = {table: Tally() for table in self.manifest["tables"]}
        self.files, self.data = Count(), Count()
        self.end: dict[str, Any] = {}

    def data_files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Files of `DATA_DIR`. The caller adds each one that it has read to `data`."""
        return self._of(DATA)

    def tables(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Tables that have rows, with their pieces; read all pieces of a table before the next one."""
        while part := self._next(DATABASE):
            self._held = part
            table = part[0].split("/")[1]
            if table not in self.tallies:
                raise BackupError(f"备份中有未登记的数据表 {table}，请换用另一份备份")
            yield table, self._pieces(table)

    def _pieces(self, table: str) -> Iterator[bytes]:
        while part := self._next(f"{DATABASE}{table}/"):
            piece = gzip.decompress(part[1].read())
            for line in piece.removesuffix(b"\n").split(b"\n"):
                self.tallies[table].add(line)
            yield piece

    def stored_files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Keys and bytes of uploaded files. The caller adds each one that it has read to `files`."""
        return self._of(FILES)

    def _of(self, start: str) -> Iterator[tuple[str, IO[bytes]]]:
        while part := self._next(start):
            yield part[0].removeprefix(start), part[1]

    def _next(self, start: str) -> tuple[str, IO[bytes]] | None:
        """The next part if its name has this prefix; else None, and the part is kept for the next call."""
        part = self._held or next(self._parts, None)
        fits = part is not None and part[0].startswith(start)
        self._held = None if fits else part
        return part if fits else None

    def check(self) -> None:
        """Raise `BackupError` unless the counts of all parts are those recorded in the backup."""
        last = self._next(LAST)
        if last is None:
            raise BackupError("备份不完整（没有结尾），请换用另一份备份")
        self.end = json.load(last[1])
        if self._next("") is not None:
            raise BackupError("备份在结尾之后还有内容，请换用另一份备份")
        rows = {table: tally.as_json() for table, tally in self.tallies.items()}
        for name, found, recorded in (
            ("数据库", rows, self.end["tables"]),
            ("文件", _as_json(self.files), self.end["files"]),
            ("密钥和设置", _as_json(self.data), self.end["data"]),
        ):
            if found != recorded:
                raise BackupError(f"备份中的{name}与其自身记录不符，请换用另一份备份")

    def restored(self) -> Restored:
        """Facts about the backup, after `check`."""
        lost = self.end["missing_count"] + self.end["damaged_count"]
        return Restored(
            self.manifest["version"],
            self.manifest["made_at"],
            self.end["rows"],
            self.files.files,
            self.files.bytes,
            lost,
        )


def _as_json(count: Count) -> dict[str, Any]:
    return {"files": count.files, "bytes": count.bytes, "sum": count.sum}


def copy(content: IO[bytes], target: IO[bytes] | None) -> tuple[int, str]:
    """Copy the content, or only read it without a target; its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    while piece := content.read(_CHUNK):
        digest.update(piece)
        size += len(piece)
        if target is not None:
            target.write(piece)
    return size, digest.hexdigest()


def verify(path: Path, keys: list[pyrage.x25519.Identity]) -> Restored:
    """Read a backup to its end and check it, without restoring anything. Raises `BackupError`."""
    with members(path, keys) as parts:
        stream = Stream(parts)
        for name, content in stream.data_files():
            stream.data.add(name, *copy(content, None))
        for _, pieces in stream.tables():
            for _ in pieces:
                pass
        for key, content in stream.stored_files():
            stream.files.add(key, *copy(content, None))
        stream.check()
    return stream.restored()
