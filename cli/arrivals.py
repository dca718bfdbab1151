"""How much of a request has arrived on a connection, and which threads read the rest."""

import re
import select
import socket
from contextlib import suppress
from enum import Enum
from typing import Any

SMALL = 64 * 1024
"""Largest request, head and body in bytes, that is gathered without a thread."""

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# Request lines of requests that move files.
_OF_FILES = re.compile(rb"[A-Z]+ /api/v1/files[/? ]")
# Those of calls that need no token (a test compares them with the gates).
_OF_STRANGERS = re.compile(
    rb"[A-Z]+ (?!/api/v1/)|[A-Z]+ /api/v1/(?:sessions(?:/wechat|/query)?|captchas|account-applications|"
    rb"ratings/form/[^/? ]*|ratings/sms-codes|password-resets(?:/[^/? ]*)?|registrations/[^/? ]*(?:/lost-codes)?)[? ]"
)
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
    STRANGER = "stranger"
    """As LARGE, for a call that is open to strangers."""


def arrival(received: bytes) -> Arrival:
    """Classify a request by its beginning. A malformed one is LARGE: gunicorn's parser refuses it in that thread."""
    end = received.find(_HEAD_END)
    if end < 0:
        return Arrival.PART if len(received) < SMALL else Arrival.LARGE
    head = received[:end]
    if _OF_FILES.match(head):
        return Arrival.FILE
    large = Arrival.STRANGER if _OF_STRANGERS.match(head) else Arrival.LARGE
    lengths = [length.strip() for length in _LENGTH.findall(head)] or [b"0"]
    if not head or _UNFORESEEN.search(head) or len(lengths) > 1 or not lengths[0].isdigit():
        return large
    whole = end + len(_HEAD_END) + int(lengths[0][:10])
    if len(received) >= whole:
        return Arrival.WHOLE
    return Arrival.PART if whole <= SMALL else large


def is_on_its_way(parser: Any) -> bool:
    """Whether part of the body has not arrived, or nobody knows where it ends because it was broken."""
    body = getattr(parser.mesg, "body", None)
    reader = getattr(body, "reader", None)
    if reader is None or getattr(body, "failed", False):
        return reader is not None
    left = getattr(reader, "length", 0)  # of a body that says how long it is; one in chunks has a parser until its end
    return getattr(reader, "parser", None) is not None or left > len(parser.unreader.buf.getvalue())


def next_piece(sock: socket.socket, seconds: float) -> bytes | None:
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
