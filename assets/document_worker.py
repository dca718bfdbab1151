"""The child process around a converter: `python -I assets/document_worker.py FOLDER CONVERTER FONTS ARGUMENT…`.

The last argument is the document. The process bounds itself, shuts itself in, and then runs the
converter, which inherits all of it; it ends as the converter does, or with `BROKEN`. It imports
nothing of the product. The bounds hold everywhere. That nothing is read but programs, fonts and
FOLDER, and that there is no network, holds on Linux as far as the kernel lets a process ask for it
(Landlock, namespaces); the profile that `assets/document_conversion.py` writes does without it.
"""

import contextlib
import ctypes
import os
import resource
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from xml.parsers import expat

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

# prctl(2) and landlock(7); the numbers of the calls are the same on every architecture.
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE
_ALL_OF_VERSION_1 = (1 << 13) - 1
_MAKE_SOCKET, _REMOVE_FILE = 1 << 9, 1 << 5
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_NET_TCP, _SCOPES = 0b11, 0b11
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


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

    def end(*_told: object) -> None:
        os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, end)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def leave_network(libc: ctypes.CDLL) -> None:
    """Into a network of its own, in which there is nothing; root may, others where user namespaces are allowed."""
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def shut_in(libc: ctypes.CDLL, folder: Path, *readable: str) -> bool:
    """From here on only programs and fonts are read, and only the folder is written; whether the kernel does it."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    handled = _ALL_OF_VERSION_1 | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    asked = struct.pack("=Q", handled)
    asked += struct.pack("=Q", _NET_TCP) if version >= 4 else b""
    # No signals to and no abstract sockets of the server, which runs under the same user.
    asked += struct.pack("=Q", _SCOPES) if version >= 6 else b""
    ruleset = libc.syscall(_CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    for path in (*_READABLE, *readable):
        _allow(libc, ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in _WRITABLE:
        _allow(libc, ruleset, path, _READ_FILE | _WRITE_FILE)
    # Where the converter puts the socket over which a second one would talk to it.
    _allow(libc, ruleset, "/tmp", _MAKE_SOCKET | _REMOVE_FILE)  # noqa: S108 -- the converter's own choice
    _allow(libc, ruleset, str(folder), handled)
    shut = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and (
        libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    )
    os.close(ruleset)
    return bool(shut)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Rights on a file or on all below a folder; what is not there needs none."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):
            rights &= _ON_FILES
        rule = struct.pack("=Qi", rights, descriptor)
        libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
        os.close(descriptor)


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
        leave_network(libc)
        shut_in(libc, Path(folder), fonts, str(installation(Path(converter))))
        die_with_parent(libc)  # last: whoever changes its rights is no longer told
    return subprocess.run([converter, *rest], stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 -- a setting


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
