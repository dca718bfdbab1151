"""The child process that checks a document: `python -I …/check_worker.py SOURCE EXTENSION ALLOWED…`.

It sets its own limits and confines itself before it reads the untrusted document, and writes one JSON object:

    {"extension": ".docx"}     or     {"code": "encrypted", "message": "…"}

Any other end (a signal, a limit, an exception) means that the document cannot be checked within the limits.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from assets.files.documents import confinement, content_checks  # noqa: E402
from assets.files.file_types import FILE_TYPES, UNNAMED  # noqa: E402
from core.errors import Problem  # noqa: E402

# A document of 20 MiB with its objects unpacked takes 0.2 GiB; qpdf, lxml and oletools together 0.1.
MEMORY = 768 * 1024 * 1024
CPU_SECONDS = 10
NICE = 5
# System libraries; the folders of Python are added in `confine_self`. qpdf needs random numbers to open documents
# that are encrypted with AES-256.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/dev/urandom")


def bound_self() -> None:
    """Set limits of memory and CPU time for this process; it can write no file and leaves no core dump."""
    # The soft limit ends it with SIGXCPU. The hard one sends SIGKILL, which would look like a machine out of memory.
    for limit, soft, hard in (
        (resource.RLIMIT_AS, MEMORY, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 5),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(limit, (soft, hard))
    os.nice(NICE)


def confine_self() -> None:
    """Allow only reading libraries: no writing and no network, where the kernel supports it."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    confinement.leave_network(libc)
    libraries = (*_LIBRARIES, sys.prefix, sys.base_prefix, str(ROOT / "assets"), str(ROOT / "core"))
    confinement.restrict_files((path, confinement.READ) for path in libraries)
    confinement.end_with_parent(libc, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Entry point of the child process; its exit status."""
    source, extension, *allowed = arguments
    bound_self()
    with open(source, "rb") as file:
        confine_self()
        try:
            # Output of the libraries goes to the log, not into the answer.
            with contextlib.redirect_stdout(sys.stderr):
                kind = content_checks.check(file, FILE_TYPES.get(extension, UNNAMED), allowed)
            answer = {"extension": kind.extension}
        except Problem as problem:
            fault = problem.errors[0]
            answer = {"code": fault.code, "message": fault.message}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
