"""A real mail server on loopback (aiosmtpd) that keeps what it was sent, and refuses when it is told to."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller  # type: ignore[import-untyped]


class MailServerOfTests:
    """`mails` are what was accepted. `refusal` is what it answers to each recipient, `content_refusal` to each mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusal = ""
        self.content_refusal = ""
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """A recipient, as aiosmtpd calls it."""
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """A mail, as aiosmtpd calls it."""
        if self.content_refusal:
            return self.content_refusal
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        return "250 taken"


@contextmanager
def mail_server() -> Iterator[MailServerOfTests]:
    """One that ends with the block."""
    kept = MailServerOfTests()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        kept.port = probe.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()
