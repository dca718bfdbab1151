"""The child process around a converter: `python -I …/conversion_worker.py FOLDER CONVERTER FONTS ARGUMENT…`.

The last argument is the document. The process sets its own limits, confines itself, and runs the converter, which
inherits both; its exit status is that of the converter, or `BROKEN`. Of our code it imports `confinement.py` only. The
limits hold on every system. Reading only programs, fonts and FOLDER, without a network, is enforced on Linux where the
kernel supports it (Landlock, namespaces); the profile that `document_conversion.py` writes does not rely on it.
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
    # Python runs isolated (-I), so the path of our modules is set here.
    sys.path.append(str(Path(__file__).resolve().parents[3]))

from landlockpy import AccessFS

from assets.files.documents import confinement
from assets.files.documents.confinement import EVERYTHING, READ

# Address space: a report needs 0.4 GiB, 400 pages with photos need 0.6.
MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 60
LARGEST_OUTPUT = 40 * 1024 * 1024
OPEN_FILES = 512
NICE = 10
BROKEN = 65
_BODY = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}

# Not /opt and not all of /usr: a server may be installed there with its data.
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
    """Set limits of memory, CPU time, file size and open files for this process and its children; no core dumps."""
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
    """Whether the XML of a document is cut off or damaged: the converter would make an empty page of it."""
    body = _BODY.get(document.suffix)
    if body is None:
        return False
    try:
        with zipfile.ZipFile(document) as archive, archive.open(body) as content:
            expat.ParserCreate().ParseFile(content)
    except KeyError:  # the main part may have another name
        return False
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, NotImplementedError, RuntimeError, EOFError):
        return True
    return False


def die_with_parent(libc: ctypes.CDLL) -> None:
    """End this process group when the server is killed, so that no converter is left behind."""

    def end(*_arguments: object) -> None:
        os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)
    confinement.end_with_parent(libc, signal.SIGTERM)


def restrict_files(folder: Path, *readable: str) -> bool:
    """Allow reading programs and fonts and writing the folder only; whether the kernel supports that."""
    rules = [(path, AccessFS.EXECUTE | READ) for path in (*_READABLE, *readable)]
    rules += [(path, AccessFS.READ_FILE | AccessFS.WRITE_FILE) for path in _WRITABLE]
    # The converter makes a socket there for a second instance of it.
    rules.append(("/tmp", AccessFS.MAKE_SOCK | AccessFS.REMOVE_FILE))  # noqa: S108 -- the converter's own choice
    rules.append((str(folder), EVERYTHING))
    return confinement.restrict_files(rules)


def installation(converter: Path) -> Path:
    """The folder of the converter's installation: LibreOffice's `program` and `share` lie in the same folder."""
    folder = converter.resolve().parent
    return folder.parent if folder.name == "program" else folder


def main(arguments: list[str]) -> int:
    """Entry point of the child process; its exit status."""
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
