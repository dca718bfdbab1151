"""A mail server on loopback that speaks as much SMTP (RFC 5321) as one mail needs, and keeps what it was sent."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage, Message
from email.policy import default


class MailDouble:
    """`mails` are what was accepted; while `refusing` every recipient is refused."""

    def __init__(self) -> None:
        self.mails: list[Message | EmailMessage] = []
        self.refusing = False
        self.port = 0


@contextmanager
def mail_server() -> Iterator[MailDouble]:
    """One that ends with the block."""
    double = MailDouble()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 double ESMTP")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ", 1)[0].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    self._take()
                elif verb == "RCPT" and double.refusing:
                    self._say("550 no such mailbox")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 double")

        def _take(self) -> None:
            lines: list[bytes] = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b"..") else line)
            double.mails.append(email.message_from_bytes(b"".join(lines), policy=default))
            self._say("250 taken")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        double.port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield double
        finally:
            server.shutdown()
