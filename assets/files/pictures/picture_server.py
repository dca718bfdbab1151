"""The fork server for pictures: it imports the decoders once and forks a child for each picture.

`fork_servers.py` starts it: `python -I -c 'from …picture_server import main; main("…picture_worker")'`.
Its standard input and standard error are a socket, on which it sends `READY` when it can work. A request is two bytes
(the operation; the time limit in tenths of a second) with three descriptors: a socket for the answer, the file to read,
the file to write. The answer is one JSON object in a line: what the worker's `work` returned, or, sent by this process,
`{"returncode": n}` (negative: the signal that ended the child) or `{"timeout": true}`. The fork server and its children
end when the other side of the standard input is closed.

It is started as a program instead of being forked, so that it shares no memory, descriptor or environment with the
server. Where the kernel supports it, it confines itself: its children can open no file, have no network, and use only
the descriptors that came with their request. It never reads a picture itself.
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
"""The longest time limit in seconds that fits into a request."""
NO_ROOM = 75
"""Exit status of a child when the disk is full or fails, whatever the picture is; EX_TEMPFAIL of sysexits.h."""
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


@dataclass(slots=True)
class _Child:
    """A running child: the socket that gets its exit status, and the monotonic time at which it is killed."""

    answer: socket.socket
    deadline: float
    late: bool = False


class _Server:
    def __init__(self, control: socket.socket, worker: ModuleType) -> None:
        self._control, self._worker = control, worker
        self.libc = ctypes.CDLL(None, use_errno=True)
        self._children: dict[int, _Child] = {}
        # SIGCHLD writes a byte into this pipe, so that the end of a child wakes the loop.
        self._woken, waking = os.pipe()
        for descriptor in (self._woken, waking):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Handle requests until the other side of the control socket is closed."""
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
        """Fork a child for the next request; False when the control socket is closed."""
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
        except OSError:  # too little memory or too many processes: answered as if the kernel had killed the child
            self._send_answer(channel, {"returncode": -signal.SIGKILL})
        else:
            if pid == 0:
                self._work(asked, channel, source, target)
            self._children[pid] = _Child(channel, time.monotonic() + seconds)
        os.close(source)
        os.close(target)
        return True

    def _work(self, asked: bytes, channel: socket.socket, source: int, target: int) -> None:
        """Do the work in the child; does not return."""
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
        """Close all descriptors but these and 1 and 2: the others belong to other pictures and to the fork server."""
        start = 3
        for descriptor in sorted(mine):
            os.closerange(start, descriptor)
            start = descriptor + 1
        os.closerange(start, os.sysconf("SC_OPEN_MAX"))
        os.close(0)

    def _end_with_server(self) -> None:
        if sys.platform == "linux":
            confinement.end_with_parent(self.libc, signal.SIGKILL)
            if os.getppid() == 1:  # the fork server had ended already
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
    """Entry point; `worker` is a module like `picture_worker`. Ends when its standard input is closed."""
    control = socket.socket(fileno=os.dup(0))
    module = importlib.import_module(worker)
    module.bound_server()
    module.warm_up()
    server = _Server(control, module)
    if sys.platform == "linux":
        confinement.leave_network(server.libc)
        confinement.restrict_files()
    # The collector skips the objects made so far: it would write to their pages, which the children share.
    gc.collect()
    gc.freeze()
    # Errors of the start went to the socket; what decoders print from here on is dropped.
    os.dup2(1, 2)
    control.sendall(READY)
    server.serve()
    os._exit(0)  # nothing needs to be cleaned up
