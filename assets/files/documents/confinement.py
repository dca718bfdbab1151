"""Confinement of a child process by the kernel, before it reads an untrusted file.

Nothing here needs privileges, and nothing works everywhere (not before Linux 5.13, on macOS, in some containers): each
function does what is possible, and its caller sets limits of memory and time as well. Why not bubblewrap:
`docs/decisions/0021-confinement.md`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterable

from landlockpy import AccessFS, AccessNet, LandlockError, Ruleset, Scope

READ = AccessFS.READ_FILE | AccessFS.READ_DIR
EVERYTHING = AccessFS((AccessFS.TRUNCATE << 1) - 1)
"""All file rights of Linux 6.2. Rights that newer kernels added (ioctl, sockets by path) are not restricted."""
_ON_FILES = AccessFS.EXECUTE | AccessFS.WRITE_FILE | AccessFS.READ_FILE | AccessFS.TRUNCATE
_PR_SET_PDEATHSIG = 1  # prctl(2)
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # unshare(2); Python has os.unshare from 3.12 on


def leave_network(libc: ctypes.CDLL) -> None:
    """Move into an empty network namespace; root may do so, other users where user namespaces are allowed."""
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def restrict_files(rules: Iterable[tuple[str, AccessFS]] = ()) -> bool:
    """Allow opening files only where a rule (path, rights) permits it; whether the kernel supports that.

    A rule is for a file, or for everything below a folder; rules for missing paths are ignored. Open files stay open.
    If the kernel supports it, TCP is forbidden too, and so are signals to the server and its abstract sockets (the
    server runs under the same user).
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
    """Have the kernel send the signal when the parent ends. Call it last: a change of rights (Landlock, namespaces)
    resets it."""
    libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
