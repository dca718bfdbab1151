"""What a child process may ask of the kernel to be shut in, before it reads what a stranger sent.

None of it needs rights of its own, and none of it holds everywhere (before Linux 5.13, macOS, some containers): each
function does what it can, and whoever calls it has bounds besides.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable

# prctl(2) and landlock(7); the numbers of the calls are the same on every architecture.
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE
_ALL_OF_VERSION_1 = (1 << 13) - 1
REMOVE_FILE, MAKE_SOCKET = 1 << 5, 1 << 9
_REFER, _TRUNCATE = 1 << 13, 1 << 14
EVERYTHING = _ALL_OF_VERSION_1 | _REFER | _TRUNCATE
_NET_TCP, _SCOPES = 0b11, 0b11
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def leave_network(libc: ctypes.CDLL) -> None:
    """Into a network of its own, in which there is nothing; root may, others where user namespaces are allowed."""
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def shut_in(libc: ctypes.CDLL, rules: Iterable[tuple[str, int]] = ()) -> bool:
    """From here on files can be opened only where a rule (path, rights) allows it; whether the kernel does it.

    What is open already stays open.
    """
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
    for path, rights in rules:
        _allow(libc, ruleset, path, rights & handled)
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


def end_with_parent(libc: ctypes.CDLL, signal_number: int) -> None:
    """The signal comes when the parent ends. To be asked last: whoever changes its rights is no longer told."""
    libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
