"""Client of the fork server for pictures (`picture_server.py`): one server per process, started when first needed.

It is started lazily, because gunicorn forks its workers from a process that has imported this module. Threads share it;
a fork server that was killed or does not answer is started again.
"""

import json
import math
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from assets.files.pictures.picture_server import LONGEST, READY
from core.clock import TimeLimit
from core.errors import not_done_in_time

log = structlog.get_logger()

TIMEOUT = 12.0
"""Seconds that a picture may take; most take a hundredth of a second."""
GRACE = 3.0
"""Seconds that the fork server may take beyond a picture's own time limit before it counts as hanging."""
_ROOT = Path(__file__).resolve().parents[3]
_LONGEST_ANSWER = 4096


class _Gone(Exception):
    """The fork server has ended; the text is for the log."""


class _Hangs(Exception):
    """It does not answer."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: "subprocess.Popen[bytes]"
    control: socket.socket
    sending: threading.Lock
    """Held while sending and while closing: after a close, another file may have the same descriptor number."""

    def end(self) -> None:
        with self.sending:
            self.control.close()
        self.process.kill()
        self.process.wait()


class ForkServer:
    """The fork server of this process; `worker` is the module whose `work` is called for each picture."""

    def __init__(self, worker: str = "assets.files.pictures.picture_worker") -> None:
        self._worker = worker
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._owner = os.getpid()

    @property
    def pid(self) -> int | None:
        """Process id of the fork server, None while none runs."""
        running = self._running
        return running.process.pid if running is not None and self._owner == os.getpid() else None

    def ask(self, what: bytes, source: Path, target: Path, deadline: TimeLimit) -> dict[str, Any]:
        """Have a child read `source` and write `target`; its answer, or `{"returncode": n}` or `{"timeout": true}`.

        Starting the fork server and trying again count towards the deadline. Raises OSError when the files cannot be
        opened, and 503 when the fork server cannot be started or does not answer in time.
        """
        if self._owner != os.getpid():  # this process was forked since: that fork server belongs to its parent
            self._forget()
        for _ in range(2):
            running = self._get(deadline)
            try:
                return self._ask(running, what, source, target, deadline)
            except _Gone as gone:
                log.warning("fork_server_gone", error=str(gone))
                self._drop(running)
            except _Hangs:
                log.error("fork_server_hangs")
                self._drop(running)
                break
        raise not_done_in_time()

    def stop(self) -> None:
        """End the fork server; the next request starts it again."""
        if self._running is not None and self._owner == os.getpid():
            self._drop(self._running)

    def _get(self, deadline: TimeLimit) -> _Running:
        if not self._lock.acquire(timeout=deadline.left()):  # another thread is starting it
            raise not_done_in_time()
        try:
            if self._running is None:
                self._running = self._start(deadline)
            return self._running
        finally:
            self._lock.release()

    def _drop(self, running: _Running) -> None:
        with self._lock:
            if self._running is running:
                self._running = None
        running.end()

    def _start(self, deadline: TimeLimit) -> _Running:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        program = (
            f"import sys; sys.path.append({str(_ROOT)!r}); from assets.files.pictures.picture_server import main; "
            f"main({self._worker!r})"
        )
        # Isolated (-I), with an empty environment and no descriptor but its socket, so that it holds no secret. In a
        # session of its own, so that Ctrl-C at a terminal does not end it while the server still waits for a picture.
        empty: dict[str, str] = {}
        with theirs:
            process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-I", "-c", program],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=theirs.fileno(), env=empty,
                cwd="/", start_new_session=True,
            )  # fmt: skip
        running = _Running(process, mine, threading.Lock())
        received = b""
        try:
            while not received.endswith(READY):
                mine.settimeout(_at_least_a_moment(deadline.left()))
                piece = mine.recv(_LONGEST_ANSWER)
                if not piece:
                    break
                received += piece
        except OSError as error:
            received += str(error).encode()
        if received != READY:
            running.end()
            log.error("fork_server_not_started", error=received[-2000:].decode(errors="replace"))
            raise not_done_in_time()
        mine.settimeout(GRACE)
        return running

    def _ask(self, running: _Running, what: bytes, source: Path, target: Path, deadline: TimeLimit) -> dict[str, Any]:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with mine:
            with theirs, source.open("rb") as reading, target.open("wb") as writing:
                try:
                    descriptors = [theirs.fileno(), reading.fileno(), writing.fileno()]
                    with running.sending:  # so that the messages of several threads never mix
                        seconds = min(deadline.left() - GRACE, TIMEOUT, LONGEST)
                        if seconds <= 0:
                            raise not_done_in_time()
                        message = what + bytes([math.ceil(seconds * 10)])
                        socket.send_fds(running.control, [message], descriptors)
                except TimeoutError as error:
                    raise _Hangs from error
                except OSError as error:
                    raise _Gone(str(error)) from error
            return _answer(mine, TimeLimit(seconds + GRACE))


def _at_least_a_moment(seconds: float) -> float:
    """A timeout for a socket, above 0: with 0 it would be non-blocking and raise BlockingIOError, not TimeoutError."""
    return max(seconds, 0.001)


def _answer(channel: socket.socket, deadline: TimeLimit) -> dict[str, Any]:
    received = b""
    try:
        while b"\n" not in received and len(received) < _LONGEST_ANSWER:
            channel.settimeout(_at_least_a_moment(deadline.left()))
            piece = channel.recv(_LONGEST_ANSWER)
            if not piece:
                raise _Gone("it ended over a picture")
            received += piece
    except TimeoutError as error:
        raise _Hangs from error
    except ConnectionError as error:
        raise _Gone(str(error)) from error
    with suppress(ValueError):
        answer = json.loads(received.split(b"\n", 1)[0])
        if isinstance(answer, dict):
            return answer
    return {"returncode": 1}
