"""The file that a phone exports (导出未发送): a ZIP of stored entries, encrypted with age to this installation.

Nothing in it is unpacked: entries are stored, so that they take no more room than the file itself.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from uuid import UUID

import pyrage

from core.errors import Problem, invalid

MOST_FILES, LARGEST_MANIFEST = 400, 8 * 1024 * 1024
MANIFEST = "manifest.json"
_FILE = re.compile(r"files/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)


class Export:
    """A decrypted export. Raises 422 `not_an_export` for what is none of this installation's."""

    def __init__(self, content: bytes, keys: Sequence[pyrage.x25519.Identity]) -> None:
        try:
            plain = pyrage.decrypt(content, list(keys)) if keys else b""
        except (pyrage.DecryptError, ValueError) as error:
            raise _not_ours() from error
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(plain))
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise _not_ours() from error
        self._files: dict[UUID, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise _not_ours()
            named = _FILE.fullmatch(entry.filename)
            if named:
                self._files[UUID(named[1])] = entry
            elif entry.filename != MANIFEST or entry.file_size > LARGEST_MANIFEST:
                raise _not_ours()
        if len(self._files) > MOST_FILES:
            raise invalid("/file", "too_many", f"一个导出文件最多含{MOST_FILES}个附件，请在手机上重新导出")

    def manifest(self) -> bytes:
        """The list of what is in it, as JSON."""
        try:
            return self._zip.read(MANIFEST)
        except (KeyError, zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise _not_ours() from error

    def file(self, file_id: UUID) -> bytes | None:
        """A file of it, if it is there and whole."""
        try:
            return self._zip.read(self._files[file_id])
        except (KeyError, zipfile.BadZipFile, ValueError, OSError, EOFError):
            return None


def _not_ours() -> Problem:
    return invalid("/file", "not_an_export", "这不是本系统手机端导出的文件，或文件已损坏，请在手机上重新导出")
