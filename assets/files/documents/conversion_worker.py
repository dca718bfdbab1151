"""The child process around a converter: `python -I …/conversion_worker.py FOLDER CONVERTER FONTS ARGUMENT…`.

The last argument is the document. The process bounds and confines itself, and then runs the
converter, which inherits all of it; it ends as the converter does, or with `BROKEN`. Of the product it
imports `confinement.py` alone. The bounds hold everywhere. That nothing is read but programs, fonts and
FOLDER, and that there is no network, holds on Linux as far as the kernel lets a process ask for it
(Landlock, namespaces); the profile that `document_conversion.py` writes does without it.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from xml.parsers import expat

if __name__ == "__main__":
    # Isolated (-I), so that nothing but this program says where its modules are.
    sys.path.append(str(Path(__file__).resolve().parents[3]))

from landlockpy import AccessFS

from assets.files.documents import confinement
from assets.files.documents.confinement import EVERYTHING, READ

# Address space: a report takes 0.4 GiB of it, 400 pages with photos take 0.6.
MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 60
LARGEST_OUTPUT = 40 * 1024 * 1024
OPEN_FILES = 512
NICE = 10
BROKEN = 65
_BODY = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}

# Not /opt and not all of /usr: a server may stand there with its data.
_READABLE = (
    "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec",
    "/usr/share", "/usr/local/lib", "/usr/local/share/fonts",
    "/var/cache/fontconfig", "/var/lib/libreoffice", "/var/spool/libreoffice",
    "/etc/alternatives", "/etc/fonts", "/etc/libreoffice", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/localtime", "/etc/locale.alias", "/etc/nsswitch.conf", "/etc/passwd", "/proc/cpuinfo", "/proc/meminfo",
    "/dev/random", "/dev/urandom", "/dev/zero",
)  # fmt: skip
_WRITABLE = ("/dev/null",)


def bound_self() -> None:
    """Limits of memory, time, output and open files for this process and what it starts; no core dumps."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_OUTPUT),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.nice(NICE)


def is_broken(document: Path) -> bool:
    """Whether the XML of a document is cut off or spoilt: the converter would show that as an empty page."""
    body = _BODY.get(document.suffix)
    if body is None:
        return False
    try:
        with zipfile.ZipFile(document) as archive, archive.open(body) as content:
            expat.ParserCreate().ParseFile(content)
    except KeyError:  # the part has another name, which is allowed
        return False
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, NotImplementedError, RuntimeError, EOFError):
        return True
    return False


def die_with_parent(libc: ctypes.CDLL) -> None:
    """A server that is killed leaves no converter behind."""

    def end(*_arguments: object) -> None:
        os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)
    confinement.end_with_parent(libc, signal.SIGTERM)


def restrict_files(folder: Path, *readable: str) -> bool:
    """From here on only programs and fonts are read, and only the folder is written; whether the kernel does it."""
    rules = [(path, AccessFS.EXECUTE | READ) for path in (*_READABLE, *readable)]
    rules += [(path, AccessFS.READ_FILE | AccessFS.WRITE_FILE) for path in _WRITABLE]
    # Where the converter puts the socket over which a second one would talk to it.
    rules.append(("/tmp", AccessFS.MAKE_SOCK | AccessFS.REMOVE_FILE))  # noqa: S108 -- the converter's own choice
    rules.append((str(folder), EVERYTHING))
    return confinement.restrict_files(rules)


def installation(converter: Path) -> Path:
    """The folder with all that belongs to the converter: LibreOffice's `program` has `share` beside it."""
    folder = converter.resolve().parent
    return folder.parent if folder.name == "program" else folder


def main(arguments: list[str]) -> int:
    """Entry of the child process."""
    folder, converter, fonts, *rest = arguments
    bound_self()
    if is_broken(Path(rest[-1])):
        print("the main part is not well-formed", file=sys.stderr)
        return BROKEN
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        confinement.leave_network(libc)
        restrict_files(Path(folder), fonts, str(installation(Path(converter))))
        die_with_parent(libc)  # last: a change of rights resets it
    return subprocess.run([converter, *rest], stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 -- a setting


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
