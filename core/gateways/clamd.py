"""The virus scanner: clamd's INSTREAM command over TCP or a unix socket (see clamd(8)).

The kept Python client is under the GPL, which this product is not; the protocol is four lines.
"""

import socket
import struct
from contextlib import closing
from typing import IO

_CHUNK = 128 * 1024
_LONGEST_REPLY = 4096


class ScannerUnavailable(Exception):
    """The scanner does not answer, or did not scan the file."""


class Clamd:
    """A scanner at `host:port` or at the path of a unix socket.

    `timeout` (seconds) bounds each step of the conversation: a large file may take a while to scan.
    """

    def __init__(self, address: str, *, timeout: float = 30) -> None:
        self._address = address
        self._timeout = timeout

    def ping(self) -> bool:
        """Whether the scanner answers."""
        try:
            with closing(self._connect(min(self._timeout, 5))) as connection:
                connection.sendall(b"zPING\0")
                return self._reply(connection) == "PONG"
        except OSError:
            return False

    def scan(self, file: IO[bytes]) -> str | None:
        """The name of what was found in the file, read from its start, or None; raises `ScannerUnavailable`."""
        file.seek(0)
        try:
            with closing(self._connect(self._timeout)) as connection:
                try:
                    connection.sendall(b"zINSTREAM\0")
                    while chunk := file.read(_CHUNK):
                        connection.sendall(struct.pack("!L", len(chunk)) + chunk)
                    connection.sendall(struct.pack("!L", 0))
                except (BrokenPipeError, ConnectionResetError):
                    # clamd hangs up over its StreamMaxLength; what it said before may still be read.
                    pass
                reply = self._reply(connection)
        except OSError as error:
            raise ScannerUnavailable(f"clamd: {error}") from error
        if reply == "stream: OK":
            return None
        if reply.startswith("stream: ") and reply.endswith(" FOUND"):
            return reply.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScannerUnavailable(f"clamd answered: {reply[:200] or 'nothing'}")

    def _connect(self, timeout: float) -> socket.socket:
        if self._address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(timeout)
            try:
                connection.connect(self._address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout)

    def _reply(self, connection: socket.socket) -> str:
        reply = b""
        while not reply.endswith(b"\0") and len(reply) < _LONGEST_REPLY:
            piece = connection.recv(_LONGEST_REPLY)
            if not piece:
                break
            reply += piece
        return reply.rstrip(b"\0\n").decode(errors="replace")
