"""What a child process asks of the kernel before it reads what a stranger sent, so that it can reach little.

None of it needs rights of its own, and none of it holds everywhere (before Linux 5.13, macOS, some containers): each
function does what it can, and whoever calls it sets limits of memory and time besides. Why this is no bubblewrap:
`docs/decisions/0021-confinement.md`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable

from landlockpy import AccessFS, AccessNet, LandlockError, Ruleset, Scope

READ = AccessFS.READ_FILE | AccessFS.READ_DIR
EVERYTHING = AccessFS((AccessFS.TRUNCATE << 1) - 1)
"""All that Linux 6.2 knows of files. What newer kernels know besides (ioctl, sockets by path) stays as it is."""
_ON_FILES = AccessFS.EXECUTE | AccessFS.WRITE_FILE | AccessFS.READ_FILE | AccessFS.TRUNCATE
_PR_SET_PDEATHSIG = 1  # prctl(2)
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # unshare(2); Python has it from 3.12 on


def leave_network(libc: ctypes.CDLL) -> None:
    """Into a network of its own, in which there is nothing; root may, others where user namespaces are allowed."""
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def restrict_files(rules: Iterable[tuple[str, AccessFS]] = ()) -> bool:
    """From here on files can be opened only where a rule (path, rights) allows it; whether the kernel does it.

    A rule holds for a file or for all below a folder; a path that is not there needs none. What is open already stays
    open. Where the kernel can, there is no TCP either, and no signal or abstract socket of the server, which runs
    under the same user.
    """
    try:
        with Ruleset(
            handled_fs=EVERYTHING,
            handled_net=AccessNet.BIND_TCP | AccessNet.CONNECT_TCP,
            scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL,
        ) as ruleset:
            for path, rights in rules:
                with contextlib.suppress(OSError):
                    ruleset.allow_path(path, rights if os.path.isdir(path) else rights & _ON_FILES)
            ruleset.restrict()
    except LandlockError:
        return False
    return True


def end_with_parent(libc: ctypes.CDLL, signal_number: int) -> None:
    """The signal comes when the parent ends. Ask for it last: a change of rights (Landlock, namespaces) resets it."""
    libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
