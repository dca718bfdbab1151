"""Phones with a poor signal, many at once, against the server as it is really run."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

from cli import worker
from cli.arrivals import Arrival, arrival
from tests.servers import server_process

BODY = b'{"username": "who_forgot_the_password"}'
"""Answered 422 by whoever has read and understood it."""
SLOW = 80
TAKEN_UP = 0.5
"""Seconds for the server to take all of the phones up; were it less, the slow ones would only be tested less."""
SETTINGS = {"DEMO": "0", "LOG_LEVEL": "ERROR", "SIGN_IN_LIMIT": "100000 per minute"}
SHORT = "from cli import worker\nworker.COMPLETE_WITHIN = 2.0\nworker.PACE = 1024 * 1024"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_process(tmp_path_factory.mktemp("data"), **SETTINGS) as (base, _):
        yield base


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that gives a request two seconds, and a large one a second for each MiB."""
    folder = tmp_path_factory.mktemp("hurried")
    with server_process(folder, constants=SHORT, **SETTINGS) as (base, _):
        yield base


def phone(base: str) -> socket.socket:
    address = urlsplit(base)
    return socket.create_connection((address.hostname, address.port or 80), timeout=20)


def head(length: int | None = None, **more: str) -> bytes:
    """The head of a sign-in whose body has that length, or comes in chunks."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [framing, *(f"{name}: {value}" for name, value in more.items())]
    return "\r\n".join(
        ["POST /api/v1/sessions HTTP/1.1", "Host: x", "Content-Type: application/json", *lines, "", ""]
    ).encode()


def answered(sock: socket.socket) -> tuple[int, Any]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, json.loads(answer.read())


def is_answered(base: str) -> None:
    """Somebody else gets an answer."""
    with phone(base) as quick:
        quick.settimeout(60)
        quick.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert quick.recv(100).startswith(b"HTTP/1.1 200")


def is_answered_before(base: str, phones: list[socket.socket]) -> None:
    """Somebody else gets an answer while the server still waits for every one of these phones."""
    is_answered(base)
    for slow in phones:
        slow.setblocking(False)
        with pytest.raises(BlockingIOError):  # neither answered nor hung up
            slow.recv(1)
        slow.settimeout(20)


@pytest.mark.parametrize(
    "sent",
    [b"", b"P", b"POST /api/v1/sessions HTTP/1.1\r\nHost:", head(3000) + b"{", head(900_000) + b"{", head() + b"1"],
    ids=["nothing", "a byte", "half a head", "half a body", "part of a large body", "part of a chunk"],
)
def test_phones_that_fall_silent_hold_up_nobody(base: str, sent: bytes) -> None:
    with ExitStack() as stack:
        phones = [stack.enter_context(phone(base)) for _ in range(SLOW)]
        for silent in phones:
            silent.sendall(sent)
        time.sleep(TAKEN_UP)
        is_answered_before(base, phones)


@pytest.mark.parametrize("length", [3000, 900_000, None], ids=["small", "large", "in chunks"])
def test_phones_that_send_a_byte_now_and_then_hold_up_nobody(base: str, length: int | None) -> None:
    piece = b"1\r\nx\r\n" if length is None else b"x"
    with ExitStack() as stack:
        phones = [stack.enter_context(phone(base)) for _ in range(SLOW)]
        for slow in phones:
            slow.sendall(head(length))
        for _ in range(3):
            for slow in phones:
                slow.sendall(piece)
            time.sleep(0.3)
            is_answered_before(base, phones)


def test_phones_that_do_not_hang_up_after_their_last_answer_hold_up_nobody(base: str) -> None:
    with ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(phone(base)).sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(TAKEN_UP)
        is_answered(base)


@pytest.mark.parametrize("pause", [0.01, 0.2], ids=["at once", "with pauses"])
def test_a_request_that_comes_in_pieces_is_answered(base: str, pause: float) -> None:
    sent = head(len(BODY)) + BODY
    with phone(base) as slow:
        for start in range(0, len(sent), 40):
            slow.sendall(sent[start : start + 40])
            time.sleep(pause)
        assert answered(slow)[0] == 422


def test_requests_on_one_connection_are_answered_in_turn(base: str) -> None:
    once = head(len(BODY)) + BODY
    large = head(100_000) + BODY.ljust(100_000)
    chunked = head() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    with phone(base) as busy:
        for sent in (once, large, chunked, once):
            busy.sendall(sent)
            assert answered(busy)[0] == 422
        # Three at once, and the beginning of a fourth.
        busy.sendall(once * 3 + once[:30])
        answers = busy.makefile("rb")
        for _ in range(3):
            assert answers.readline().startswith(b"HTTP/1.1 422")
            lengths = [line for line in iter(answers.readline, b"\r\n") if line.lower().startswith(b"content-length:")]
            answers.read(int(lengths[0].split(b":")[1]))
        time.sleep(0.3)
        busy.sendall(once[30:])
        assert answers.readline().startswith(b"HTTP/1.1 422")


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(base: str) -> None:
    with phone(base) as careful:
        careful.sendall(head(len(BODY), Expect="100-continue"))
        assert careful.recv(100).startswith(b"HTTP/1.1 100")
        careful.sendall(BODY)
        assert answered(careful)[0] == 422


@pytest.mark.parametrize("sent", [b"", head(3000)[:50], head(3000) + b"{"])
def test_a_request_that_does_not_come_whole_in_time_is_given_up(hurried: str, sent: bytes) -> None:
    with phone(hurried) as slow:
        slow.sendall(sent)
        assert slow.recv(100) == b""


def drip(slow: socket.socket, piece: bytes, pieces: int) -> None:
    """Send a piece 20 times a second until the server answers, so many at most."""
    slow.setblocking(False)
    for _ in range(pieces):
        try:
            slow.recv(1, socket.MSG_PEEK)
            break
        except BlockingIOError:
            slow.send(piece)
            time.sleep(0.05)
    slow.settimeout(20)


@pytest.mark.parametrize(("length", "piece"), [(900_000, b"x"), (None, b"1\r\nx\r\n")])
def test_a_large_body_that_comes_too_slowly_is_to_be_sent_again(hurried: str, length: int | None, piece: bytes) -> None:
    with phone(hurried) as slow:
        slow.sendall(head(length))
        drip(slow, piece, 400)
        # Not 400, which would tell the phone never to try again.
        status, answer = answered(slow)
        assert (status, answer["code"]) == (503, "not_ready")


@pytest.mark.parametrize(("pause", "given_up"), [(0.9, False), (1.1, True)])
def test_a_large_body_that_keeps_the_pace_may_take_longer(
    pause: float, given_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One PACE of bytes after each pause, in seconds of a clock that the test moves."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(worker.time, "monotonic", lambda: clock.now)
    ours, theirs = socket.socketpair()
    reader = worker.PacedUnreader(ours, b"")
    with ours, theirs, pytest.raises(TimeoutError) if given_up else nullcontext():
        for _ in range(int(worker.COMPLETE_WITHIN) * 12):
            clock.now += pause
            theirs.sendall(bytes(worker.PACE))
            received = 0
            while received < worker.PACE:
                received += len(reader.read(worker.PACE - received))


def test_a_phone_that_stops_taking_an_answer_does_not_keep_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(worker, "SILENCE", 1)
    monkeypatch.setattr(ThreadWorker, "handle", lambda _self, conn: conn.sock.sendall(bytes(20_000_000)))
    patient = worker.PatientWorker.__new__(worker.PatientWorker)
    patient._due = {}
    connection = SimpleNamespace(sock=ours, parser=SimpleNamespace(unreader=SocketUnreader(ours)))
    with ours, theirs, pytest.raises(BlockingIOError):
        patient._serve(connection)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (b"", Arrival.PART),
        (b"GET / HTTP/1.1\r\n", Arrival.PART),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Arrival.WHOLE),
        (head(5) + b"1234", Arrival.PART),
        (head(5) + b"12345", Arrival.WHOLE),
        (head(5) + b"12345POST", Arrival.WHOLE),
        (head(70_000), Arrival.STRANGER),
        (head(), Arrival.STRANGER),
        (head(5, Expect="100-continue"), Arrival.STRANGER),
        (head(5, **{"content-length": "6"}), Arrival.STRANGER),
        (head(5).replace(b"5", b"five"), Arrival.STRANGER),
        (head(5).replace(b"5", b"9" * 5000), Arrival.STRANGER),
        (head(70_000).replace(b"sessions", b"me/password"), Arrival.LARGE),
        (head(5).replace(b"sessions", b"files"), Arrival.FILE),
        (b"\r\n\r\n", Arrival.LARGE),
        (b"x" * 70_000, Arrival.LARGE),
    ],
)  # fmt: skip
def test_how_much_of_a_request_has_come(received: bytes, expected: Arrival) -> None:
    assert arrival(received) is expected
