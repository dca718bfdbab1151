"""The fork server: it has the decoders imported, and forks a child for each picture that it is asked for.

`python -I -c 'from …picture_server import main; main("…picture_worker")'`, by `fork_servers.py`.
Its standard input and its standard error are a socket, on which it says that it is `READY`. Each message to it is two
bytes, what is asked for and how many tenths of a second it may take, and three descriptors: a socket for the answer,
the file to read, and the file to write. On the first of them stands one JSON object in a line: what the worker's `work`
returns, or from this process `{"returncode": n}` (negative: the signal that ended the child) or `{"timeout": true}`. It
ends, and its children with it, when the other side of its input is closed.

Started as a program and not forked, it has nothing of the server: no memory, no descriptor, no environment. It shuts
itself in as far as the kernel helps, so that a child can open no file and reach no network, and has only what it was
given. It never looks at a picture itself.
"""

import ctypes
import errno
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from assets.files.documents import confinement

READY = b"ready\n"
MESSAGE = 2
LONGEST = 25.5
"""Seconds that a message can say."""
NO_ROOM = 75
"""Exit status of a child whose disk is full or fails, which the picture cannot help; EX_TEMPFAIL of sysexits.h."""
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


@dataclass(slots=True)
class _Child:
    """A child at work, the socket to which its end is reported, and when it must have ended."""

    answer: socket.socket
    deadline: float
    late: bool = False


class _Server:
    def __init__(self, control: socket.socket, worker: ModuleType) -> None:
        self._control, self._worker = control, worker
        self.libc = ctypes.CDLL(None, use_errno=True)
        self._children: dict[int, _Child] = {}
        # A child that ends wakes the loop: the signal writes a byte into this pipe.
        self._woken, waking = os.pipe()
        for descriptor in (self._woken, waking):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Until the other side of the control socket is closed."""
        while True:
            waiting = min((child.deadline for child in self._children.values()), default=None)
            seconds = None if waiting is None else max(0.0, waiting - time.monotonic())
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [], seconds)
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, 4096)
            self._reap()
            self._end_late_ones()
            if self._control.fileno() in ready and not self._accept():
                self._end_all()
                return

    def _accept(self) -> bool:
        """Fork a child for the next message; False when there will be none any more."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE, 3)
        except ConnectionError:
            return False
        if not message:
            return False
        asked, seconds = message[:1], message[1] / 10
        answer, source, target = descriptors
        channel = socket.socket(fileno=answer)
        try:
            pid = os.fork()
        except OSError:  # the machine is short of memory or processes, as if it had killed the child
            self._send_answer(channel, {"returncode": -signal.SIGKILL})
        else:
            if pid == 0:
                self._work(asked, channel, source, target)
            self._children[pid] = _Child(channel, time.monotonic() + seconds)
        os.close(source)
        os.close(target)
        return True

    def _work(self, asked: bytes, channel: socket.socket, source: int, target: int) -> None:
        """In the child; does not return."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._keep_only(channel.fileno(), source, target)
            self._end_with_server()
            self._worker.bound_child()
            with os.fdopen(source, "rb") as reading, os.fdopen(target, "wb") as writing:
                answer = self._worker.work(asked, reading, writing)
            channel.sendall(json.dumps(answer).encode() + b"\n")
            status = 0
        except OSError as error:
            status = NO_ROOM if error.errno in _DISK_FAULTS else 1
        finally:
            os._exit(status)

    @staticmethod
    def _keep_only(*mine: int) -> None:
        """Close what belongs to other pictures and to the server itself."""
        start = 3
        for descriptor in sorted(mine):
            os.closerange(start, descriptor)
            start = descriptor + 1
        os.closerange(start, os.sysconf("SC_OPEN_MAX"))
        os.close(0)

    def _end_with_server(self) -> None:
        if sys.platform == "linux":
            confinement.end_with_parent(self.libc, signal.SIGKILL)
            if os.getppid() == 1:  # it has ended before that
                os._exit(1)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            answer: dict[str, Any] = {"timeout": True} if child.late else {"returncode": code}
            self._send_answer(child.answer, answer)

    @staticmethod
    def _send_answer(channel: socket.socket, answer: dict[str, Any]) -> None:
        # The caller may have read the child's own answer and closed the socket.
        with channel, suppress(OSError):
            channel.sendall(json.dumps(answer).encode() + b"\n")

    def _end_late_ones(self) -> None:
        now = time.monotonic()
        for pid, child in self._children.items():
            if now >= child.deadline:
                child.late, child.deadline = True, now + LONGEST
                os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)


def main(worker: str) -> None:
    """Entry of the program; `worker` is a module like `picture_worker`. Ends when its input does."""
    control = socket.socket(fileno=os.dup(0))
    module = importlib.import_module(worker)
    module.bound_server()
    module.warm_up()
    server = _Server(control, module)
    if sys.platform == "linux":
        confinement.leave_network(server.libc)
        confinement.restrict_files()
    # What is there now is never looked through again, so that its pages stay shared with the children.
    gc.collect()
    gc.freeze()
    # Errors until here go to the socket; what decoders print later is dropped.
    os.dup2(1, 2)
    control.sendall(READY)
    server.serve()
    os._exit(0)  # at once: there is nothing to put in order
