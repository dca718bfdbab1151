"""Asking the fork server for pictures (`assets/picture_server.py`): one a process, started when it is first needed.

Started lazily, because gunicorn forks its workers from a process that has imported this. Threads share it; one that was
killed, or that does not answer, is started anew.
"""

import json
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

from assets.picture_server import READY, TIMEOUT
from core.errors import Problem

log = structlog.get_logger()

START_WITHIN = 30.0
GRACE = 5.0
"""Seconds beyond the time of a picture after which the fork server itself counts as hanging."""
_ROOT = Path(__file__).resolve().parent.parent
_MOST_TOLD = 4096


class _Gone(Exception):
    """The fork server has ended; the text is for the log."""


class _Hangs(Exception):
    """It does not answer."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: "subprocess.Popen[bytes]"
    control: socket.socket
    sending: threading.Lock
    """Held by whoever sends or closes, so that nobody sends into what another has opened under the same number."""

    def end(self) -> None:
        with self.sending:
            self.control.close()
        self.process.kill()
        self.process.wait()


class ForkServer:
    """One per process; `worker` is the module that does the work, `timeout` the seconds that a picture may take."""

    def __init__(self, worker: str = "assets.picture_worker", timeout: float = TIMEOUT) -> None:
        self._worker, self._timeout = worker, timeout
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._owner = os.getpid()

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        running = self._running
        return running.process.pid if running is not None and self._owner == os.getpid() else None

    def ask(self, what: bytes, source: Path, target: Path) -> dict[str, Any]:
        """What the child says that read `source` and wrote `target`; else `{"returncode": n}` or `{"timeout": true}`.

        Raises OSError when the files cannot be opened, and 503 when the fork server cannot be had.
        """
        if self._owner != os.getpid():  # forked since: the other one is the parent's
            self._forget()
        for _ in range(2):
            running = self._get()
            try:
                return self._ask(running, what, source, target)
            except _Gone as gone:
                log.warning("fork_server_gone", error=str(gone))
                self._drop(running)
            except _Hangs:
                log.error("fork_server_hangs")
                self._drop(running)
                break
        raise Problem("not_ready", retry_after=5)

    def stop(self) -> None:
        """End the process; it is started again when it is needed."""
        if self._running is not None and self._owner == os.getpid():
            self._drop(self._running)

    def _get(self) -> _Running:
        with self._lock:
            if self._running is None:
                self._running = self._start()
            return self._running

    def _drop(self, running: _Running) -> None:
        with self._lock:
            if self._running is running:
                self._running = None
        running.end()

    def _start(self) -> _Running:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        program = (
            f"import sys; sys.path.append({str(_ROOT)!r}); from assets.picture_server import main; "
            f"main({self._worker!r}, {self._timeout!r})"
        )
        # Isolated (-I), with an empty environment and no descriptor but its socket: it has nothing to give away. In a
        # session of its own, so that Ctrl-C at a terminal ends the server first, which may still wait for a picture.
        empty: dict[str, str] = {}
        with theirs:
            process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-I", "-c", program],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=theirs.fileno(), env=empty,
                cwd="/", start_new_session=True,
            )  # fmt: skip
        running = _Running(process, mine, threading.Lock())
        mine.settimeout(START_WITHIN)
        told = b""
        try:
            while not told.endswith(READY):
                piece = mine.recv(_MOST_TOLD)
                if not piece:
                    break
                told += piece
        except OSError as error:
            told += str(error).encode()
        if told != READY:
            running.end()
            log.error("fork_server_not_started", error=told[-2000:].decode(errors="replace"))
            raise Problem("not_ready", retry_after=30)
        mine.settimeout(GRACE)
        return running

    def _ask(self, running: _Running, what: bytes, source: Path, target: Path) -> dict[str, Any]:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with mine:
            with theirs, source.open("rb") as reading, target.open("wb") as writing:
                try:
                    descriptors = [theirs.fileno(), reading.fileno(), writing.fileno()]
                    # One byte each, so that messages of several threads never mix.
                    with running.sending:
                        socket.send_fds(running.control, [what], descriptors)
                except TimeoutError as error:
                    raise _Hangs from error
                except OSError as error:
                    raise _Gone(str(error)) from error
            mine.settimeout(self._timeout + GRACE)
            return _told(mine)


def _told(channel: socket.socket) -> dict[str, Any]:
    told = b""
    try:
        while b"\n" not in told and len(told) < _MOST_TOLD:
            piece = channel.recv(_MOST_TOLD)
            if not piece:
                raise _Gone("it ended over a picture")
            told += piece
    except TimeoutError as error:
        raise _Hangs from error
    except ConnectionError as error:
        raise _Gone(str(error)) from error
    with suppress(ValueError):
        answer = json.loads(told.split(b"\n", 1)[0])
        if isinstance(answer, dict):
            return answer
    return {"returncode": 1}
