"""Office documents as PDF, made by LibreOffice in a child process of its own for each document.

The documents are untrusted. Each conversion gets a new profile, deleted afterwards, that forbids macros and loading
what a document refers to (pictures, sections, sheets of other files). `assets/files/documents/conversion_worker.py`
sets limits for the child process and confines it as far as the kernel supports it.
"""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.sax.saxutils import escape

from assets.files.file_types import FileType
from assets.paper.fonts import SET_UP_FOLDER
from core.errors import Problem

TIMEOUT = 60.0
"""Seconds that a document may take; most take two."""
AT_ONCE = 1
"""Documents that one server process has converted at the same time."""
PATIENCE = 0.5
"""Seconds that a caller waits for a slot. It occupies a thread of the server meanwhile, and there may be only two."""
_STEP = 0.02
_WORKER = Path(__file__).with_name("conversion_worker.py")

FILTERS = {
    ".doc": ("MS Word 97", "writer_pdf_Export"),
    ".docx": ("MS Word 2007 XML", "writer_pdf_Export"),
    ".xls": ("MS Excel 97", "calc_pdf_Export"),
    ".xlsx": ("Calc MS Excel 2007 XML", "calc_pdf_Export"),
}
"""Import filter, fixed so that the content cannot choose another one, and export filter, by extension."""

# "Never update links" is 0 in a text and 1 in a sheet. An older LibreOffice ignores settings that it does not know.
_CONFIGURATION = (
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Common/Security/Scripting", "DisablePythonRuntime", "true"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Office.Calc/Content/Update", "Link", "1"),
    ("Setup/L10N", "ooSetupSystemLocale", "zh-CN"),
)
_PROFILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<oor:items xmlns:oor="http://openoffice.org/2001/registry">\n'
    + "".join(
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>\n"
        for path, name, value in _CONFIGURATION
    )
    + "</oor:items>\n"
)
_FONTS = (
    '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>'
    '<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{fonts}</dir><cachedir>{cache}</cachedir>'
    "</fontconfig>\n"
)


class ConversionFailed(Exception):
    """The document cannot be converted within the limits; the text is for the log."""


class Converter:
    """LibreOffice at a path; one per process."""

    def __init__(self, program: Path, fonts: Path = SET_UP_FOLDER) -> None:
        """`fonts` is a folder of fonts in addition to those of the system."""
        self._program, self._fonts = program, fonts
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def is_there(self) -> bool:
        """Whether the program exists and can be started."""
        return self._program.is_file() and os.access(self._program, os.X_OK)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a slot for one conversion; raises 503 when none becomes free in time."""
        if not self._places.acquire(timeout=PATIENCE):
            raise Problem("not_ready", "正在为其他文件生成预览，请稍后重试", retry_after=3)
        try:
            yield
        finally:
            self._places.release()

    def to_pdf(self, source: Path, kind: FileType, folder: Path) -> Path:
        """Convert a document to a PDF in `folder`: an empty folder with an absolute path, deleted by the caller.

        Raises `ConversionFailed`, and OSError when the child process cannot be started.
        """
        profile, made = folder / "profile", folder / "made"
        (profile / "user").mkdir(parents=True)
        (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
        fonts = _FONTS.format(fonts=escape(str(self._fonts)), cache=escape(str(folder / "cache")))
        (folder / "fonts.conf").write_text(fonts, encoding="utf-8")
        reader, writer = FILTERS[kind.extension]
        arguments = (
            f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nolockcheck", "--nodefault",
            f"--infilter={reader}", "--convert-to", f"pdf:{writer}", "--outdir", str(made), str(source),
        )  # fmt: skip
        try:
            self._run(folder, arguments)
        finally:
            _remove_socket(profile)
        pdf = made / f"{source.stem}.pdf"
        if not _is_whole_pdf(pdf):
            raise ConversionFailed(f"no PDF was made: {_tail(folder)}")
        return pdf

    def _run(self, folder: Path, arguments: tuple[str, ...]) -> None:
        # None of the server's environment, which may hold secrets. FC_LANG: prefer Simplified Chinese fonts, because
        # others draw some characters in another way (，。、 in the middle instead of low).
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "FC_LANG": "zh-cn",
            "FONTCONFIG_FILE": str(folder / "fonts.conf"), "XDG_CACHE_HOME": str(folder / "cache"),
            "SAL_USE_VCLPLUGIN": "svp", "MALLOC_ARENA_MAX": "2",
        }  # fmt: skip
        command = [sys.executable, "-I", str(_WORKER), str(folder), str(self._program), str(self._fonts), *arguments]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own program, a setting, and names of ours
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment,
                start_new_session=True,
            )  # fmt: skip
        try:
            in_time = _has_ended(process.pid, time.monotonic() + TIMEOUT)
        finally:
            # End all that the converter started. The child is not reaped yet, so no other group can have its number.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            ended = process.wait()
        if not in_time:
            raise ConversionFailed(f"not done after {TIMEOUT:.0f} s: {_tail(folder)}")
        if ended != 0:
            raise ConversionFailed(f"ended with {ended}: {_tail(folder)}")


def _has_ended(pid: int, deadline: float) -> bool:
    """Wait until the deadline for the end of a child, without reaping it; whether it has ended."""
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP)
    return True


def _is_whole_pdf(path: Path) -> bool:
    """Whether the PDF is complete, by its first and last bytes; it is not checked any further."""
    try:
        with path.open("rb") as file:
            begun = file.read(5) == b"%PDF-"
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1024))
            return begun and b"%%EOF" in file.read()
    except OSError:
        return False


def _tail(folder: Path) -> str:
    with (folder / "log").open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 300))
        return log.read().decode(errors="replace")


def _remove_socket(profile: Path) -> None:
    """Remove the socket that a killed LibreOffice leaves in /tmp, named by the profile (`RequestHandler::Enable`)."""
    digest = hashlib.md5(profile.as_uri().encode("utf-16-le"), usedforsecurity=False).digest()
    name = f"OSL_PIPE_{os.getuid()}_SingleOfficeIPC_{''.join(f'{byte:x}' for byte in digest)}"
    Path("/tmp", name).unlink(missing_ok=True)  # noqa: S108 -- where it puts it
