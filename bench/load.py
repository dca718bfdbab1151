"""The load: a client process with a few keep-alive connections that sends prepared requests.

It is one thread over `select` without an HTTP library, because it must cost little compared with the server on the same
machine. Connections are renewed now and then, so that no worker of the server has most of them for a whole run.
"""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

CONCURRENCY = 8
RENEW_AFTER = 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: answers within the time, all answers by status, duration in seconds."""

    answered: int
    seconds: float
    statuses: dict[int, int]
    ran_dry: bool

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def refused(self, *expected: int) -> str | None:
        """A description of unexpected answers, or of too few requests; None when all is well."""
        others = {status: count for status, count in self.statuses.items() if status not in expected}
        if self.ran_dry:
            return "the prepared requests ran out"
        return f"unexpected answers: {others}" if others else None


def request_bytes(method: str, path: str, token: str | None = None, body: bytes | None = None) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


class Load:
    """The client process. Use as a context manager."""

    def __enter__(self) -> "Load":
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        self._pool.submit(int).result()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.shutdown()

    def run(
        self, port: int, requests: Iterable[bytes], seconds: float | None, concurrency: int = CONCURRENCY
    ) -> Outcome:
        """Send for `seconds` or, if None, until all requests are answered."""
        return self._pool.submit(send, port, list(requests), seconds, concurrency).result()


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.uses = 0

    def status(self) -> int | None:
        """Read what has arrived; the status when the answer is complete. Raises ConnectionError when it was closed."""
        piece = self.socket.recv(262144)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.answer += piece
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return None
        place = head.lower().find(b"\r\ncontent-length:")
        length = int(head[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(body) < length:
            return None
        self.answer = b""
        return int(head[9:12])


def send(port: int, requests: list[bytes], seconds: float | None, concurrency: int) -> Outcome:
    """Do a run; called in the client process."""
    waiting = deque(requests)
    statuses: Counter[int] = Counter()
    answered = 0
    ran_dry = False
    with selectors.DefaultSelector() as ready:

        def put(connection: _Connection) -> None:
            connection.socket.sendall(waiting.popleft())
            connection.uses += 1
            ready.register(connection.socket, selectors.EVENT_READ, connection)

        connections = [_Connection(port) for _ in range(concurrency)]
        started = time.perf_counter()
        deadline = started + seconds if seconds is not None else float("inf")
        for connection in connections[: len(waiting)]:
            put(connection)
        while ready.get_map():
            for key, _ in ready.select():
                one: _Connection = key.data
                status = one.status()
                if status is None:
                    continue
                ready.unregister(one.socket)
                now = time.perf_counter()
                statuses[status] += 1
                answered += now <= deadline
                if now >= deadline:
                    one.socket.close()
                    continue
                if not waiting:
                    ran_dry = seconds is not None
                    one.socket.close()
                    continue
                if one.uses >= RENEW_AFTER:
                    one.socket.close()
                    one = _Connection(port)
                put(one)
        ended = time.perf_counter()
    return Outcome(answered, min(ended, deadline) - started, dict(statuses), ran_dry)
