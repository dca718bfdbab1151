"""Gunicorn's threaded worker, changed so that slow phones do not block other requests.

Gunicorn gives a connection to a thread with its first byte, and the thread reads as long as the phone sends: as many
slow phones as there are threads would stop the server. Here a request is given to a thread when it has arrived
completely; until then the poller watches its connection, which occupies no thread. Requests that are too large to be
gathered in memory are read by separate threads, which demand a minimum pace, and so are requests that move files:
they wait for phones or for the storage, and other requests do not wait for them. Calls that are open to strangers
have a few threads of their own for large bodies.

Whatever strangers send or do not send costs a connection and no thread: one that is silent waits in the poller for a
few seconds, and so does a body that was refused, which is thrown away there. Where there is no room for a new
connection the oldest of these makes room, and one address has only so many.
"""

import errno
import json
import socket
import struct
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from cli.arrivals import SMALL, Arrival, arrival, is_on_its_way, next_piece
from core.errors import CATALOGUE
from core.origin import origin_of

SILENCE = 10
"""Whole seconds that a thread waits to receive the next bytes of a request or to send those of an answer."""
FIRST_BYTE = 10.0
"""Seconds within which a new connection must send its first byte."""
COMPLETE_WITHIN = 30.0
"""Seconds within which a request must have arrived completely; a large one gets more time according to `PACE`."""
PACE = 8 * 1024
"""Minimum average pace of a large request after `COMPLETE_WITHIN`, in bytes per second: 20 MiB may take 43 minutes."""
LARGE_THREADS = 8
"""Large requests that one worker process reads at the same time."""
STRANGER_THREADS = 4
"""The same for calls that are open to strangers."""
LINGERS = 5.0
"""Seconds without a byte after which a connection is closed that was answered for the last time."""
MOST_THROWN_AWAY = 64 * 1024 * 1024
"""Bytes of a refused body that are read, so that a phone that sends before it reads gets its answer."""
PLACES = 200
"""Connections of one address (`core/origin.py`) in one worker process, unless a reverse proxy stands before it."""
FILE_THREADS = 32
"""Threads for uploads and downloads in one worker process: they wait for phones, disks, scanner, storage, and for a
slot (`miniapp_api/http/file_places.py`)."""
_AT_HAND = 0.05
"""Seconds that a thread waits for the rest of a request before it returns the connection to the poller: mostly the rest
is on its way and arrives sooner than the poller would report it."""
_SWEEP_EVERY = 1.0


class Connection(TConn):  # type: ignore[misc]
    """A connection that gives its place back once, however it ends."""

    def __init__(self, worker: "PatientWorker", sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, client, server)
        found = origin_of(client[0]) if isinstance(client, tuple) else None
        self.line = found.line if found else ""
        self._worker: PatientWorker | None = worker
        worker.places[self.line] = worker.places.get(self.line, 0) + 1

    def close(self, graceful: bool = False) -> None:
        """Close the socket; in the main thread."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.places[self.line] -= 1
            if not worker.places[self.line]:
                del worker.places[self.line]
        util.close(self.sock)


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
    """Serves complete requests with `threads` threads, the others with a pool for each kind of `Arrival`."""

    places_per_address: int | None = PLACES
    """None behind a reverse proxy, whose address all connections have."""

    def init_process(self) -> None:
        """Run the worker in its process; returns when it ends."""
        self._apart = {
            Arrival.LARGE: ThreadPoolExecutor(LARGE_THREADS, "large"),
            Arrival.FILE: ThreadPoolExecutor(FILE_THREADS, "file"),
            Arrival.STRANGER: ThreadPoolExecutor(STRANGER_THREADS, "stranger"),
        }
        util.write_error = _write_refusal  # gunicorn's own is a page in English without a policy
        self.places: dict[str, int] = {}
        """Connections by address."""
        self._silent: dict[Connection, None] = {}
        """New connections that have sent nothing, the oldest first; they are also in `_waiting`."""
        self._leaving: dict[Connection, int] = {}
        """Connections that were answered for the last time, and how many bytes were thrown away of each."""
        self._due: dict[Any, float] = {}
        """Monotonic time by which a request must be complete, by connection, until it is served."""
        self._waiting: dict[Any, None] = {}
        """Connections that the poller watches for a request or for the rest of one, the longest watched first."""
        self._swept = 0.0
        super().init_process()

    def run(self) -> None:
        """Serve until the worker is to stop."""
        super().run()
        for pool in self._apart.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def accept(self, listener: socket.socket) -> None:
        """In the main thread: take a new connection; it costs no thread before its first byte."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        conn = Connection(self, sock, client, listener.getsockname())
        self.nr_conns += 1
        of_address = self.places_per_address
        if of_address is not None and self.places[conn.line] > of_address and not self._make_room(conn.line):
            self._end(conn)
            return
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._silent[conn] = None
        self._due[conn] = time.monotonic() + FIRST_BYTE
        self._watch(conn)

    def _watch(self, conn: Any) -> None:
        self._waiting[conn] = None
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, EVENT_READ, partial(self._more_has_come, conn))

    def _make_room(self, line: str | None = None) -> bool:
        """Close the oldest connection that nobody misses, of one address where it is named; False if there is none.

        First one that was answered for the last time, then one that never sent a byte, then one that sent part of a
        request.
        """
        for among in (self._leaving, self._silent, self._waiting):
            found = next((conn for conn in among if line is None or conn.line == line), None)
            if found is not None:
                self._end(found)
                return True
        return False

    def _end(self, conn: Any) -> None:
        """Close a connection and forget it."""
        self._silent.pop(conn, None)
        self._leaving.pop(conn, None)
        self._waiting.pop(conn, None)
        self._due.pop(conn, None)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: answer a request. The answer says so when the connection ends with it, because of a body unread.

        Otherwise a client would send its next request on the same connection and get no answer.
        """
        asked = req.should_close

        def should_close() -> bool:
            req.must_close = req.must_close or is_on_its_way(conn.parser)
            return bool(asked())

        req.should_close = should_close
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """In a thread: whether the connection serves another request. No thread reads a body that was not wanted."""
        if not keepalive or is_on_its_way(conn.parser):
            return False
        return bool(conn.parser.finish_body(deadline=time.monotonic() + 1))

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
            piece = next_piece(conn.sock, wait_until - time.monotonic())
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
            self._watch(conn)
        elif outcome in self._apart:
            served = self._apart[outcome].submit(self._serve, conn)
            served.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))
        elif outcome:
            super().finish_request(conn, fs)
        else:
            self._let_go(conn)

    def _more_has_come(self, conn: Any, sock: socket.socket) -> None:
        if conn not in self._waiting:  # closed in this very turn of the main loop, to make room
            return
        self.poller.unregister(sock)
        del self._waiting[conn]
        if conn in self._silent:
            del self._silent[conn]
            self._due.pop(conn, None)  # from its first byte on it has `COMPLETE_WITHIN`
        self.enqueue_req(conn)

    def _let_go(self, conn: Any) -> None:
        """Close a connection whose last answer is sent, once the phone has closed it too or has sent all it wanted.

        Closed at once, what the phone still sends would break the connection before it reads the answer. The poller
        waits for that, and throws away what comes.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._throw_away, conn))
        except (OSError, ValueError):
            self._end(conn)
            return
        self._leaving[conn] = 0
        self._due[conn] = time.monotonic() + LINGERS

    def _throw_away(self, conn: Any, sock: socket.socket) -> None:
        if conn not in self._leaving:
            return
        try:
            piece = sock.recv(SMALL)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._leaving[conn] += len(piece)
        if not piece or self._leaving[conn] > MOST_THROWN_AWAY:
            self._end(conn)
        else:
            self._due[conn] = time.monotonic() + LINGERS

    def murder_pending(self) -> None:
        """Close connections whose request is overdue; called in each turn of the main loop."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._swept + _SWEEP_EVERY:
            return
        self._swept = now
        over = [conn for conn in self._waiting if now > self._due[conn] or self._is_idle_at_the_end(conn)]
        for conn in over + [conn for conn in self._leaving if now > self._due[conn] or not self.alive]:
            self._end(conn)

    def _is_idle_at_the_end(self, conn: Any) -> bool:
        """Whether the worker is stopping and nothing of a request has arrived on this connection."""
        return not self.alive and (conn.parser is None or not conn.parser.unreader.buf.getvalue())


def _write_refusal(sock: socket.socket, status: int, reason: str, _message: str) -> None:
    """What gunicorn answers to what is no request: in the shape of every other refusal."""
    code = "bad_request" if status < 500 else "internal_error"
    title = CATALOGUE[code][1]
    body = json.dumps(
        {"type": f"urn:gongpin:problem:{code}", "title": title, "status": status, "code": code, "request_id": ""},
        ensure_ascii=False,
    ).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode() + body)
