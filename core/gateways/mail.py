"""Mail (邮件) over SMTP, for what the installation tells its administrators; without personal data."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

from core.gateways.outside import Outside

SECONDS = 30.0
"""For a mail in all; a step of the conversation has a third of it."""

Security = Literal["starttls", "tls", "none"]
_OUTSIDE = Outside("mail", seconds=SECONDS, places=1)


class NotSent(Exception):
    """The mail server did not take the mail."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over. Without `tls` or `starttls` no password is sent, and anybody on the way can read."""

    host: str
    port: int
    security: Security
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail; raises `NotSent`. Whether one that took too long was sent is not known."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain=self.host)
        message.set_content(text)
        try:
            _OUTSIDE.call(lambda: self._hand_over(message))
        except (OSError, smtplib.SMTPException) as error:  # TooSlow and Busy are OSErrors
            raise NotSent(f"{self.host}:{self.port}: {type(error).__name__}: {error}") from error

    def _hand_over(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        if self.security == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS / 3, context=context)
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=SECONDS / 3)
        with connection:
            if self.security == "starttls":
                connection.starttls(context=context)
            if self.username:
                connection.login(self.username, self.password)
            connection.send_message(message)
