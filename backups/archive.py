"""The format of a backup: a tar stream, encrypted with age for public keys.

Both are open formats, so that a backup can be read without this program: `age -d -i key.txt FILE | tar x`.
age authenticates every piece and the end, so that a damaged, changed or cut-off backup is never read as a valid one.

Everything is streamed. For writing, age reads the pieces of a generator. For reading, age writes into a pipe, in a
thread of its own.
"""

import io
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pyrage

_PIECE = 1024 * 1024


class BackupError(Exception):
    """A backup cannot be made, read or restored; the text is a Chinese sentence."""


def member(name: str, size: int, content: Iterable[bytes], modified: int) -> Iterator[bytes]:
    """One member of the tar stream: `size` bytes of content; `modified` is the time of its change in Unix seconds."""
    head = tarfile.TarInfo(name)
    head.size, head.mode, head.mtime = size, 0o600, modified
    yield head.tobuf(tarfile.PAX_FORMAT)
    yield from content
    yield b"\0" * (-size % tarfile.BLOCKSIZE)


END = b"\0" * (2 * tarfile.BLOCKSIZE)
"""The end of a tar stream."""


class _Reader:
    """A file object over the pieces of a generator; keeps its exception, because age reduces exceptions to text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    return b""
                self._rest = memoryview(piece)
        except BaseException as error:
            self.failure = error
            raise
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)


class _Writer:
    """A file object that age writes to; keeps an exception in the same way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.failure: BaseException | None = None

    def write(self, piece: bytes) -> int:
        try:
            return self._file.write(piece)
        except BaseException as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """Called by age at the end; does nothing, because the caller flushes the file."""


def recipients(texts: Iterable[str]) -> list[pyrage.x25519.Recipient]:
    """Parse public keys. Raises `BackupError`."""
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError as error:
        raise BackupError(
            "BACKUP_RECIPIENT 不是正确的公钥（age1…），请核对；可用 ./manage backup key 生成一对"
        ) from error


def encrypt(pieces: Iterator[bytes], file: IO[bytes], keys: list[pyrage.x25519.Recipient]) -> None:
    """Write the stream encrypted. Raises what the generator or the file raises."""
    reader, writer = _Reader(pieces), _Writer(file)
    try:
        pyrage.encrypt_io(reader, writer, keys)
    except (pyrage.EncryptError, OSError) as error:
        raise reader.failure or writer.failure or error from error


def identities(text: str) -> list[pyrage.x25519.Identity]:
    """Parse the secret keys in a key file's text: lines `AGE-SECRET-KEY-1…`, comments `#`. Raises `BackupError`."""
    lines = [line.strip() for line in text.splitlines()]
    try:
        found = [pyrage.x25519.Identity.from_str(line.upper()) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError as error:
        raise BackupError("私钥有误：应为一行 AGE-SECRET-KEY-1… ，请检查是否抄错或缺字") from error
    if not found:
        raise BackupError("没有给出私钥：应为一行 AGE-SECRET-KEY-1…")
    return found


class _Decryption(threading.Thread):
    def __init__(self, source: IO[bytes], target: int, keys: list[pyrage.x25519.Identity]) -> None:
        super().__init__(name="backup-decryption", daemon=True)
        self._source, self._target, self._keys = source, target, keys
        self.failure: BaseException | None = None

    def run(self) -> None:
        # If the reader has closed the pipe, closing this end fails too; the failure of writing is the one to report.
        with suppress(BrokenPipeError), os.fdopen(self._target, "wb", buffering=_PIECE) as pipe:
            try:
                pyrage.decrypt_io(self._source, pipe, self._keys)
            except Exception as error:
                self.failure = error


@contextmanager
def members(path: Path, keys: list[pyrage.x25519.Identity]) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Names and contents of a backup's members in order; read each content before the next member.

    Raises `BackupError` for a file that cannot be read, a wrong key, a damaged or cut-off stream.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        raise BackupError(f"无法读取备份文件 {path}：{error.strerror}") from error
    reading, writing = os.pipe()
    with source, os.fdopen(reading, "rb", buffering=_PIECE) as pipe:
        decryption = _Decryption(source, writing, keys)
        decryption.start()
        try:
            yield _walk(path, pipe, decryption)
        except (tarfile.TarError, EOFError) as error:
            _join(decryption, pipe)
            raise _unreadable(path, decryption.failure) from error
        except BaseException:
            _join(decryption, pipe)
            raise
        _join(decryption, pipe)


def _join(decryption: _Decryption, pipe: IO[bytes]) -> None:
    pipe.close()
    decryption.join()


def _unreadable(path: Path, failure: BaseException | None) -> BackupError:
    if isinstance(failure, pyrage.DecryptError) and "No matching keys" in str(failure):
        return BackupError(f"这把私钥打不开 {path}：它不是用对应的公钥加密的，请换用制作备份时的私钥")
    return BackupError(f"{path} 已损坏、不完整或不是备份文件，请换用另一份备份")


def _walk(path: Path, pipe: IO[bytes], decryption: _Decryption) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=pipe, mode="r|", bufsize=_PIECE) as tar:
        while (head := tar.next()) is not None:
            content = tar.extractfile(head)
            yield head.name, content if content is not None else io.BytesIO()
            # tarfile keeps all members in memory otherwise.
            tar.members.clear()  # type: ignore[attr-defined]
    while pipe.read(_PIECE):  # age authenticates the end: reading on shows that nothing was cut off
        pass
    decryption.join()
    if decryption.failure is not None:
        raise _unreadable(path, decryption.failure) from decryption.failure
