"""The virus scanner: clamd's INSTREAM command over TCP or a unix socket (see clamd(8)).

The kept Python client is under the GPL, which this product is not; the protocol is four lines.
"""

import math
import socket
import struct
import time
from contextlib import closing
from typing import IO

_CHUNK = 128 * 1024
_LONGEST_REPLY = 4096


class ScannerUnavailable(Exception):
    """The scanner does not answer, or did not scan the file."""


class Clamd:
    """A scanner at `host:port` or at the path of a unix socket.

    `timeout` (seconds) bounds a whole conversation.
    """

    def __init__(self, address: str, *, timeout: float = 8) -> None:
        self._address = address
        self._timeout = timeout

    def ping(self) -> bool:
        """Whether the scanner answers."""
        try:
            with closing(_Conversation(self._address, min(self._timeout, 2))) as connection:
                connection.send(b"zPING\0")
                return connection.reply() == "PONG"
        except OSError:
            return False

    def scan(self, file: IO[bytes], seconds: float = math.inf) -> str | None:
        """The name of what was found in the file, read from its start, or None; raises `ScannerUnavailable`.

        It may take `seconds`, and no longer than its own limit.
        """
        file.seek(0)
        try:
            with closing(_Conversation(self._address, min(self._timeout, seconds))) as connection:
                try:
                    connection.send(b"zINSTREAM\0")
                    while chunk := file.read(_CHUNK):
                        connection.send(struct.pack("!L", len(chunk)) + chunk)
                    connection.send(struct.pack("!L", 0))
                except (BrokenPipeError, ConnectionResetError):
                    # clamd hangs up above its StreamMaxLength; its reply may still be there to be read.
                    pass
                reply = connection.reply()
        except OSError as error:
            raise ScannerUnavailable(f"clamd: {error}") from error
        if reply == "stream: OK":
            return None
        if reply.startswith("stream: ") and reply.endswith(" FOUND"):
            return reply.removeprefix("stream: ").removesuffix(" FOUND")
        raise ScannerUnavailable(f"clamd answered: {reply[:200] or 'nothing'}")


class _Conversation:
    """A connection with a time limit for all of it; after that it raises TimeoutError (an OSError)."""

    def __init__(self, address: str, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError("no time left")
        self._until = time.monotonic() + seconds
        if address.startswith("/"):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._socket.settimeout(seconds)
                self._socket.connect(address)
            except OSError:
                self._socket.close()
                raise
        else:
            host, _, port = address.rpartition(":")
            self._socket = socket.create_connection((host.strip("[]"), int(port)), seconds)

    def _left(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)

    def send(self, content: bytes) -> None:
        self._left()
        self._socket.sendall(content)

    def reply(self) -> str:
        reply = b""
        while not reply.endswith(b"\0") and len(reply) < _LONGEST_REPLY:
            self._left()
            piece = self._socket.recv(_LONGEST_REPLY)
            if not piece:
                break
            reply += piece
        return reply.rstrip(b"\0\n").decode(errors="replace")

    def close(self) -> None:
        self._socket.close()
