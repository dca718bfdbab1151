"""A service on a bad day: it accepts connections and never answers, or answers a byte now and then for ever."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

DRIBBLE = 0.05
"""Seconds between two bytes of an answer that never ends."""


class SilentService:
    """Listens on loopback; `connections` counts who came."""

    def __init__(self, *, dribbling: bool = False) -> None:
        self.connections = 0
        self._dribbling = dribbling
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._dribbling:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    connection.sendall(b"a")
                    time.sleep(DRIBBLE)
            while connection.recv(65536):
                pass

    def stop(self) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()


@contextmanager
def silent_service(*, dribbling: bool = False) -> Iterator[SilentService]:
    """One, for the block."""
    service = SilentService(dribbling=dribbling)
    try:
        yield service
    finally:
        service.stop()
