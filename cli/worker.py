"""Gunicorn's threaded worker, changed so that slow phones do not block other requests.

Gunicorn gives a connection to a thread with its first byte, and the thread reads as long as the phone sends: as many
slow phones as there are threads would stop the server. Here a request is given to a thread when it has arrived
completely; until then the poller watches its connection, which occupies no thread. Requests that are too large to be
gathered in memory are read by separate threads, which demand a minimum pace, and so are requests that move files:
they wait for phones or for the storage, and other requests do not wait for them.
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
"""Whole seconds that a thread waits to receive the next bytes of a request or to send those of an answer."""
COMPLETE_WITHIN = 30.0
"""Seconds within which a request must have arrived completely; a large one gets more time according to `PACE`."""
PACE = 8 * 1024
"""Minimum average pace of a large request after `COMPLETE_WITHIN`, in bytes per second: 20 MiB may take 43 minutes."""
SMALL = 64 * 1024
"""Largest request, head and body in bytes, that is gathered without a thread."""
LARGE_THREADS = 8
"""Large requests that one worker process reads at the same time."""
FILE_THREADS = 32
"""Threads for uploads and downloads in one worker process: they wait for phones, disks, scanner, storage, and for a
slot (`miniapp_api/http/file_places.py`)."""
_AT_HAND = 0.05
"""Seconds that a thread waits for the rest of a request before it returns the connection to the poller: mostly the rest
is on its way and arrives sooner than the poller would report it."""
_CLOSING_THREADS = 2
_SWEEP_EVERY = 1.0

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# Request lines of requests that move files.
_OF_FILES = re.compile(rb"[A-Z]+ /api/v1/files[/? ]")
# Headers of a request whose length is unknown, or whose body is sent only after an answer of the server.
_UNFORESEEN = re.compile(rb"^(?:transfer-encoding|expect|upgrade)[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Arrival(Enum):
    """How much of a request has arrived, or which threads read the rest."""

    PART = "part"
    WHOLE = "whole"
    LARGE = "large"
    """The rest is read by a thread while the request is handled."""
    FILE = "file"
    """As LARGE, for a request that moves a file."""


def arrival(received: bytes) -> Arrival:
    """Classify a request by its beginning. A malformed one is LARGE: gunicorn's parser refuses it in that thread."""
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
    """Reads a request from its socket; raises TimeoutError when the average pace is too low.

    The kernel's timeout of a single `recv` (`SILENCE`) does not catch a phone that sends a byte now and then.
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
    """Serves complete requests with `threads` threads, the others with `LARGE_THREADS` and `FILE_THREADS` more."""

    def init_process(self) -> None:
        """Run the worker in its process; returns when it ends."""
        self._apart = {
            Arrival.LARGE: ThreadPoolExecutor(LARGE_THREADS, "large"),
            Arrival.FILE: ThreadPoolExecutor(FILE_THREADS, "file"),
        }
        self._closing = ThreadPoolExecutor(_CLOSING_THREADS, "closing")
        self._due: dict[Any, float] = {}
        """Monotonic time by which a request must be complete, by connection, until it is served."""
        self._waiting: set[Any] = set()
        """Connections that the poller watches for the rest of a request."""
        self._swept = 0.0
        super().init_process()

    def run(self) -> None:
        """Serve until the worker is to stop."""
        super().run()
        for pool in (*self._apart.values(), self._closing):
            pool.shutdown(wait=False, cancel_futures=True)

    def handle(self, conn: Any) -> Any:
        """In a thread: serve the next request of a connection if it is complete; else how much of it has arrived."""
        conn.sock.setblocking(True)
        conn.init()
        try:
            come = self._receive(conn)
        except OSError:
            return False
        return self._serve(conn) if come is Arrival.WHOLE else come

    def _receive(self, conn: Any) -> Arrival:
        """Read what has arrived into the parser's buffer, without waiting for a slow phone."""
        unreader = conn.parser.unreader
        now = time.monotonic()
        wait_until = 0.0 if conn in self._due else now + _AT_HAND
        self._due.setdefault(conn, now + COMPLETE_WITHIN)
        received = unreader.take_buffered()
        while (come := arrival(received)) is Arrival.PART:
            piece = _piece(conn.sock, wait_until - time.monotonic())
            if piece is None:
                break
            if not piece:  # the phone has closed the connection, which the parser handles
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
            # The timeout is set in the kernel, because gunicorn removes Python's timeout before it reads.
            conn.sock.setsockopt(socket.SOL_SOCKET, option, limit)
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """In the main thread: pass on a connection that a thread has handled, by what `handle` returned."""
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
        """Close a connection. Gunicorn waits two seconds for the phone to close it too; here a closing thread waits."""
        self.nr_conns -= 1
        self._due.pop(conn, None)
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        self._closing.submit(conn.close, graceful=True)

    def murder_pending(self) -> None:
        """Close connections whose request is overdue; called in each turn of the main loop."""
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
        """Whether the worker is stopping and nothing of a request has arrived on this connection."""
        return not self.alive and not conn.parser.unreader.buf.getvalue()


def _piece(sock: socket.socket, seconds: float) -> bytes | None:
    """The bytes that are there or arrive within `seconds`; None when there are none, empty at the end."""
    with suppress(BlockingIOError):
        return sock.recv(SMALL, socket.MSG_DONTWAIT)
    if seconds > 0:
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        if poll.poll(seconds * 1000):
            with suppress(BlockingIOError):
                return sock.recv(SMALL, socket.MSG_DONTWAIT)
    return None
