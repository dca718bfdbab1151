"""Gunicorn's threaded worker, changed so that slow phones wait for each other and not everybody for them.

Gunicorn gives a connection to a thread as soon as its first byte is there, and the thread reads on for as long as
the phone sends: as many slow phones as there are threads would stop the server. Here a request is given to a thread
when all of it has come; until then its connection lies with the poller, which costs no thread. What is too large to
be waited for in memory is read by threads of its own, at a pace that is asked of the phone, and so is whatever moves
files: they wait for phones or for the storage, and nobody else waits for them.
"""

import re
import select
import socket
import struct
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

SILENCE = 10
"""Whole seconds that a thread waits for the next bytes of a request, or for a phone to take those of an answer."""
COMPLETE_WITHIN = 30.0
"""Seconds in which a request must have come whole; a large one has `PACE` besides."""
PACE = 8 * 1024
"""Bytes a second of a large body, on average, after `COMPLETE_WITHIN`: 20 MiB may take three quarters of an hour."""
SMALL = 64 * 1024
"""Bytes of a request, head and body, that is waited for without a thread."""
LARGE_THREADS = 8
"""Large requests that one worker process reads from the phone at the same time."""
FILE_THREADS = 32
"""Uploads and downloads of files in one worker process: they wait for phones, disks, scanner and storage, and for a
place (`miniapp_api/http/file_places.py`)."""
_AT_HAND = 0.05
"""Seconds that a thread waits for the rest of a request: mostly it is under way, and a round of the poller takes longer
than it."""
_CLOSING_THREADS = 2
_SWEEP_EVERY = 1.0

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# Whatever moves files, by the request line.
_OF_FILES = re.compile(rb"[A-Z]+ /api/v1/files[/? ]")
# Of unknown length, or sent only when the server has asked for it.
_UNFORESEEN = re.compile(rb"^(?:transfer-encoding|expect|upgrade)[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Arrival(Enum):
    """How much of a request has come."""

    PART = "part"
    WHOLE = "whole"
    LARGE = "large"
    """The rest is read while the request is worked on."""
    FILE = "file"
    """Likewise; it moves a file."""


def arrival(received: bytes) -> Arrival:
    """Judge the beginning of a request. What is not understood is LARGE: gunicorn's own parser refuses it there."""
    end = received.find(_HEAD_END)
    if end < 0:
        return Arrival.PART if len(received) < SMALL else Arrival.LARGE
    head = received[:end]
    if _OF_FILES.match(head):
        return Arrival.FILE
    lengths = [length.strip() for length in _LENGTH.findall(head)] or [b"0"]
    if not head or _UNFORESEEN.search(head) or len(lengths) > 1 or not lengths[0].isdigit():
        return Arrival.LARGE
    whole = end + len(_HEAD_END) + int(lengths[0][:10])
    if len(received) >= whole:
        return Arrival.WHOLE
    return Arrival.PART if whole <= SMALL else Arrival.LARGE


class PacedUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a request from its socket; raises TimeoutError when the phone sends too slowly altogether.

    The kernel's limit of one `recv` (`SILENCE`) does not see who sends a byte now and then.
    """

    def __init__(self, sock: socket.socket, received: bytes) -> None:
        super().__init__(sock)
        self.unread(received)
        self._began, self._received = time.monotonic(), 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes, empty at the end."""
        piece: bytes = super().chunk(size_hint)
        self._received += len(piece)
        if piece and time.monotonic() - self._began > COMPLETE_WITHIN + self._received / PACE:
            raise TimeoutError("the request comes too slowly")
        return piece


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads of `threads` serve what has come whole; `LARGE_THREADS` and `FILE_THREADS` more serve the rest."""

    def init_process(self) -> None:
        """In the process of the worker; returns when it ends."""
        self._apart = {
            Arrival.LARGE: ThreadPoolExecutor(LARGE_THREADS, "large"),
            Arrival.FILE: ThreadPoolExecutor(FILE_THREADS, "file"),
        }
        self._closing = ThreadPoolExecutor(_CLOSING_THREADS, "closing")
        self._due: dict[Any, float] = {}
        """When a request must be there, by connection; from its first look until it is served."""
        self._waiting: set[Any] = set()
        """Connections that the poller watches for the rest of a request."""
        self._swept = 0.0
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop."""
        super().run()
        for pool in (*self._apart.values(), self._closing):
            pool.shutdown(wait=False, cancel_futures=True)

    def handle(self, conn: Any) -> Any:
        """In a thread: serve the next request of a connection if it is there, else say how much of it is."""
        conn.sock.setblocking(True)
        conn.init()
        try:
            come = self._receive(conn)
        except OSError:
            return False
        return self._serve(conn) if come is Arrival.WHOLE else come

    def _receive(self, conn: Any) -> Arrival:
        """Take what has come without waiting for a slow phone; it lies in the parser's buffer then."""
        unreader = conn.parser.unreader
        now = time.monotonic()
        wait_until = 0.0 if conn in self._due else now + _AT_HAND
        self._due.setdefault(conn, now + COMPLETE_WITHIN)
        received = unreader.take_buffered()
        while (come := arrival(received)) is Arrival.PART:
            piece = _piece(conn.sock, wait_until - time.monotonic())
            if piece is None:
                break
            if not piece:  # the phone has hung up, which the parser will find out
                come = Arrival.WHOLE
                break
            received += piece
        unreader.unread(received)
        return come

    def _serve(self, conn: Any) -> Any:
        self._due.pop(conn, None)
        conn.parser.unreader = PacedUnreader(conn.sock, conn.parser.unreader.take_buffered())
        limit = struct.pack("ll", SILENCE, 0)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            # The kernel's limit: gunicorn switches the one that Python keeps off before it reads.
            conn.sock.setsockopt(socket.SOL_SOCKET, option, limit)
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """In the main thread: what becomes of a connection that a thread has looked after."""
        outcome = False if fs.cancelled() or fs.exception() is not None else fs.result()
        if outcome is Arrival.PART:
            self._waiting.add(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self._more_has_come, conn))
        elif outcome in self._apart:
            served = self._apart[outcome].submit(self._serve, conn)
            served.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))
        elif outcome:
            super().finish_request(conn, fs)
        else:
            self._let_go(conn)

    def _more_has_come(self, conn: Any, sock: socket.socket) -> None:
        self.poller.unregister(sock)
        self._waiting.discard(conn)
        self.enqueue_req(conn)

    def _let_go(self, conn: Any) -> None:
        """End a connection. Gunicorn waits two seconds for the phone to do the same, here not in the main thread."""
        self.nr_conns -= 1
        self._due.pop(conn, None)
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        self._closing.submit(conn.close, graceful=True)

    def murder_pending(self) -> None:
        """Called in each turn of the main loop: end the connections whose request is overdue."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._swept + _SWEEP_EVERY:
            return
        self._swept = now
        for conn in [conn for conn in self._waiting if now > self._due[conn] or self._is_idle_at_the_end(conn)]:
            self._waiting.discard(conn)
            self._due.pop(conn, None)
            self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()

    def _is_idle_at_the_end(self, conn: Any) -> bool:
        """Whether the worker is to stop and this phone has asked for nothing yet."""
        return not self.alive and not conn.parser.unreader.buf.getvalue()


def _piece(sock: socket.socket, seconds: float) -> bytes | None:
    """What is there, or comes within these seconds; None when nothing does, empty at the end."""
    with suppress(BlockingIOError):
        return sock.recv(SMALL, socket.MSG_DONTWAIT)
    if seconds > 0:
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if poll.poll(seconds * 1000):
            with suppress(BlockingIOError):
                return sock.recv(SMALL, socket.MSG_DONTWAIT)
    return None
