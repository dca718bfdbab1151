"""The virus scanner's protocol, against a server that answers as clamd(8) says."""

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.gateways.clamd import Clamd, ScannerUnavailable

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Double:
    """Speaks PING and INSTREAM with NUL-terminated commands; finds EICAR; keeps what it was sent."""

    def __init__(self, listener: socket.socket, limit: int = 25 * 1024 * 1024) -> None:
        self.listener, self.limit, self.received = listener, limit, b""

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                self.converse(connection, stream)

    def converse(self, connection: socket.socket, stream: io.BufferedReader) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += stream.read(1)
        if command == b"zPING\0":
            connection.sendall(b"PONG\0")
            return
        assert command == b"zINSTREAM\0"
        self.received = b""
        while length := struct.unpack("!L", stream.read(4))[0]:
            self.received += stream.read(length)
            if len(self.received) > self.limit:
                connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        found = EICAR in self.received
        connection.sendall(b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if found else b"stream: OK\0")


@contextmanager
def serving(listener: socket.socket, limit: int = 25 * 1024 * 1024) -> Iterator[Double]:
    double = Double(listener, limit)
    thread = threading.Thread(target=double.run, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture(params=["tcp", "unix"])
def scanner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Clamd, Double]]:
    if request.param == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    else:
        address = str(tmp_path / "clamd.ctl")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
    with serving(listener) as double:
        yield Clamd(address, timeout=5), double


def test_a_clean_file_passes_and_is_sent_whole(scanner: tuple[Clamd, Double]) -> None:
    clamd, double = scanner
    content = bytes(range(256)) * 4000
    file = io.BytesIO(content)
    file.read(100)
    assert clamd.scan(file) is None
    assert double.received == content


def test_an_infected_file_is_named(scanner: tuple[Clamd, Double]) -> None:
    assert scanner[0].scan(io.BytesIO(bytes(300_000) + EICAR)) == "Win.Test.EICAR_HDB-1"


def test_it_answers_a_ping(scanner: tuple[Clamd, Double]) -> None:
    assert scanner[0].ping()


def refuses_to_scan(clamd: Clamd) -> None:
    with pytest.raises(ScannerUnavailable):
        clamd.scan(io.BytesIO(b"content"))


def test_nobody_there_is_no_verdict(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address in (f"127.0.0.1:{port}", str(tmp_path / "nothing.ctl")):
        assert not Clamd(address).ping()
        refuses_to_scan(Clamd(address))


def test_a_file_over_the_scanners_limit_is_no_verdict() -> None:
    with serving(socket.create_server(("127.0.0.1", 0)), limit=1000) as double:
        clamd = Clamd(f"127.0.0.1:{double.listener.getsockname()[1]}", timeout=5)
        with pytest.raises(ScannerUnavailable):
            clamd.scan(io.BytesIO(bytes(5_000_000)))


@pytest.mark.parametrize("answer", [b"", b"stream: ", b"UNKNOWN COMMAND\0", b"stream: OK but no\0"])
def test_an_answer_that_is_none_is_no_verdict(answer: bytes) -> None:
    def say(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 20)
            connection.sendall(answer)

    with answering(say) as address:
        refuses_to_scan(Clamd(address, timeout=5))


def test_a_scanner_that_hangs_is_not_waited_for() -> None:
    held: list[socket.socket] = []
    with answering(lambda listener: held.append(listener.accept()[0])) as address:
        refuses_to_scan(Clamd(address, timeout=0.2))


@contextmanager
def answering(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=behave, args=(listener,), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_connecting_has_the_time_of_the_conversation_too_and_a_ping_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that takes no connection at all: nothing is refused, nothing comes."""
    given: list[float] = []

    def connect(_address: object, timeout: float = float("inf")) -> socket.socket:
        given.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr("core.gateways.clamd.socket.create_connection", connect)
    scanner = Clamd("192.0.2.1:3310", timeout=7)
    assert not scanner.ping()
    for seconds in (5.0, 60.0):
        with pytest.raises(ScannerUnavailable):
            scanner.scan(io.BytesIO(b"x"), seconds)
    assert given == [2, 5.0, 7]
