"""The contents of a backup, as members of its archive in this order.

- `manifest.json`: format, version of the program, revision of the schema, kind of database, columns of every table
- `data/…`: the files of `DATA_DIR` that are stored nowhere else: `data.key`, own forms, the demo's accounts
- `database/TABLE/N.copy.gz`: rows, in pieces (`backups.rows`)
- `files/KEY`: the bytes of uploaded files; not in a backup of kind `database`
- `end.json`: counts and checksums of all these, and the files whose bytes were missing or damaged
"""

import gzip
import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from sqlalchemy import Connection, inspect, text

from assets.files.storage import Storage, StorageUnavailable
from backups.archive import END, BackupError, member
from backups.backup_folder import Kind, owner_of
from backups.rows import Snapshot, quoted, snapshot
from core import clock
from core.config import KEY_FILE, Settings
from core.db import Database
from core.keys import stored

FORMAT = 1
MANIFEST, LAST = "manifest.json", "end.json"
DATABASE, DATA, FILES = "database/", "data/", "files/"
_IN_MEMORY = 8 * 1024 * 1024
"""Bytes of a file that are held in memory; a larger one is copied to disk, because tar needs its size first."""
_CHUNK = 1024 * 1024
_ATTEMPTS = 3
_NAMED = 1000
"""Most files of each kind (missing, damaged, removed) that a backup names; all are counted."""
_NOT_COPIED = {"files", "incoming", "metrics", "before-upgrade", "prepare.lock", "server.lock", ".restoring"}
"""Names in `DATA_DIR` that are in the backup in another form, or belong to the running server only."""
ROOT = Path(__file__).resolve().parent.parent


@dataclass(slots=True)
class Count:
    """Number of files, their bytes, and a checksum over names and contents in order."""

    files: int = 0
    bytes: int = 0
    sum: str = hashlib.sha256().hexdigest()

    def add(self, name: str, size: int, digest: str) -> None:
        """Count a file."""
        self.files += 1
        self.bytes += size
        self.sum = hashlib.sha256(f"{self.sum} {name} {size} {digest}".encode()).hexdigest()


@dataclass(slots=True)
class Summary:
    """Counts of what the backup holds; written into `end.json`."""

    rows: int = 0
    files: Count = field(default_factory=Count)
    data: Count = field(default_factory=Count)
    missing: list[str] = field(default_factory=list)
    """Keys of files that a row names but the storage does not have."""
    damaged: list[str] = field(default_factory=list)
    """Keys of files whose bytes do not match the checksum in their row."""
    removed: list[str] = field(default_factory=list)
    """Keys of files that were deleted together with their rows after the snapshot, which is no loss."""
    missing_count: int = 0
    damaged_count: int = 0
    removed_count: int = 0

    def lose(self, key: str, how: Literal["missing", "damaged", "removed"]) -> None:
        """Count a file that is missing, damaged or removed; its key is listed up to `_NAMED`."""
        count = getattr(self, f"{how}_count") + 1
        setattr(self, f"{how}_count", count)
        if count <= _NAMED:
            getattr(self, how).append(key)


def program_version() -> str:
    """The version in `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


class Contents:
    """The members of one backup, made while they are iterated; `summary` is complete at the end."""

    def __init__(self, settings: Settings, database: Database, storage: Storage | None) -> None:
        """Without a storage the backup is of kind `database`."""
        self._settings, self._database, self._storage = settings, database, storage
        self._now = int(clock.now().timestamp())
        self.summary = Summary()

    @property
    def kind(self) -> Kind:
        """The kind of this backup."""
        return "database" if self._storage is None else "full"

    def __iter__(self) -> Iterator[bytes]:
        """The tar stream. Raises `BackupError`, `StorageUnavailable` and errors of the database."""
        with tempfile.TemporaryFile() as keys:
            with snapshot(self._database.engine) as taken:
                yield from self._json(MANIFEST, self._manifest(taken))
                yield from self._data_folder(taken)
                for table in taken.columns:
                    yield from self._table(taken, table)
                if self._storage is not None:
                    _list_keys(taken, keys)
            if self._storage is not None:
                keys.seek(0)
                yield from self._files(self._storage, keys)
        self.summary.rows = sum(tally.rows for tally in taken.tallies.values())
        tables = {table: tally.as_json() for table, tally in taken.tallies.items()}
        yield from self._json(LAST, {"tables": tables, **asdict(self.summary)})
        yield END

    def _manifest(self, taken: Snapshot) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "product": "gongpin",
            "version": program_version(),
            "made_at": clock.rfc3339(clock.now()),
            "kind": self.kind,
            "installation": owner_of(self._settings),
            "dialect": taken.dialect,
            "revision": taken.revision,
            "tables": taken.columns,
        }

    def _json(self, name: str, value: dict[str, Any]) -> Iterator[bytes]:
        content = json.dumps(value, ensure_ascii=False, indent=1).encode()
        yield from member(name, len(content), [content], self._now)

    def _table(self, taken: Snapshot, table: str) -> Iterator[bytes]:
        for number, piece in enumerate(taken.pieces(table), 1):
            # Only rows are compressed, to a fifth of their size; photos would not become smaller.
            content = gzip.compress(piece, compresslevel=5, mtime=0)
            yield from member(f"{DATABASE}{table}/{number:06}.copy.gz", len(content), [content], self._now)

    def _data_folder(self, taken: Snapshot) -> Iterator[bytes]:
        key = self._settings.secret.encode()
        if "installation_keys" in taken.columns:
            # The secret may have been changed meanwhile: a backup that it does not open must not look like one.
            stored.ring_of(taken.connection, key.decode())
        self.summary.data.add(KEY_FILE, len(key), hashlib.sha256(key).hexdigest())
        yield from member(f"{DATA}{KEY_FILE}", len(key), [key], self._now)
        for name, path in own_files(self._settings):
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as held:
                try:
                    with path.open("rb") as file:
                        shutil.copyfileobj(file, held)
                except OSError as error:
                    raise BackupError(f"无法读取 {path}，备份未完成：{error.strerror}") from error
                size = held.tell()
                held.seek(0)
                digest = hashlib.file_digest(held, "sha256").hexdigest()
                self.summary.data.add(name, size, digest)
                yield from member(f"{DATA}{name}", size, _from_the_start(held), self._now)

    def _files(self, storage: Storage, keys: IO[bytes]) -> Iterator[bytes]:
        for line in keys:
            key, expected = line.decode().rstrip("\n").split(" ")
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as held:
                found = _fetch(storage, key, held)
                if found is None:
                    self._lost(key)
                    continue
                size, digest = found
                if expected and digest != expected:
                    self.summary.lose(key, "damaged")
                self.summary.files.add(key, size, digest)
                yield from member(f"{FILES}{key}", size, _from_the_start(held), self._now)

    def _lost(self, key: str) -> None:
        with self._database.read() as session:
            asked = " OR ".join(f"{quoted(column)} = :key" for column in _key_columns(session.connection()))
            there = session.execute(text(f"SELECT 1 FROM files WHERE {asked} LIMIT 1"), {"key": key}).first()  # noqa: S608
        self.summary.lose(key, "removed" if there is None else "missing")


def _from_the_start(held: IO[bytes]) -> Iterator[bytes]:
    held.seek(0)
    while chunk := held.read(_CHUNK):
        yield chunk


def own_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The files of `DATA_DIR` that are stored nowhere else: relative names and paths."""
    folder = settings.data_dir.absolute()
    backups = Path(settings.backup_dir).resolve() if settings.backup_dir else None
    for top in sorted(folder.iterdir()):
        # The secret is written from the settings; one that is to follow it belongs to a change that is not finished.
        is_secret = top.name.startswith((KEY_FILE, f".{KEY_FILE}"))
        if is_secret or top.name in _NOT_COPIED or ".sqlite3" in top.name or top.is_symlink():
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            inside = backups is not None and path.resolve().is_relative_to(backups)
            if path.is_file() and not path.is_symlink() and not inside:
                yield path.relative_to(folder).as_posix(), path


def _key_columns(connection: Connection) -> list[str]:
    return [column["name"] for column in inspect(connection).get_columns("files") if column["name"].endswith("_key")]


def _list_keys(taken: Snapshot, target: IO[bytes]) -> None:
    """Write each key that a row names, once, with the SHA-256 of its bytes if the row holds it.

    The files are copied after the snapshot is closed, because SQLite's log grows while a snapshot is open.
    """
    columns = [column for column in taken.columns.get("files", {}) if column.endswith("_key")]
    if not columns:
        return
    parts = [
        f"SELECT {quoted(column)} AS key, {'sha256' if column == 'stored_key' else 'NULL'} AS sum"  # noqa: S608
        f" FROM files WHERE {quoted(column)} IS NOT NULL"
        for column in columns
    ]
    asked = f"SELECT key, max(sum) FROM ({' UNION ALL '.join(parts)}) AS keys GROUP BY key ORDER BY key"  # noqa: S608
    result = taken.connection.execution_options(stream_results=True).execute(text(asked))
    for key, digest in result:
        target.write(f"{key} {digest or ''}\n".encode())


def _fetch(storage: Storage, key: str, target: IO[bytes]) -> tuple[int, str] | None:
    """Copy a file; its size and SHA-256, or None when it is missing. Raises `StorageUnavailable`."""
    for attempt in range(1, _ATTEMPTS + 1):
        target.seek(0)
        target.truncate()
        digest = hashlib.sha256()
        try:
            size, chunks = storage.chunks(key)
            for chunk in chunks:
                digest.update(chunk)
                target.write(chunk)
        except StorageUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            if attempt == _ATTEMPTS:
                raise
            continue
        if target.tell() == size:
            return size, digest.hexdigest()
    raise BackupError(f"文件 {key} 读不完整，请检查文件存储后重试")
