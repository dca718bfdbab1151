"""Mail (邮件) over SMTP. Mails are enqueued (`core/deliveries/`); nothing else sends them."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Literal

from core.gateways.outside import Outside

SECONDS = 30.0
"""For a mail in all; a step of the conversation has a third of it."""

Security = Literal["starttls", "tls", "none"]
_OUTSIDE = Outside("mail", seconds=SECONDS, places=1)


class NotSent(Exception):
    """The mail server did not take the mail, or it is not known whether it did; the reason names no recipient.

    `final`: it refused this mail for good (RFC 5321: a reply of 5xx to the recipient or the content), so that the same
    mail would be refused again.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over. Without `tls` or `starttls` no password is sent, and anybody on the way can read."""

    host: str
    port: int
    security: Security
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)

    def send(self, to: str, subject: str, text: str, *, name: str) -> None:
        """Send a mail; raises `NotSent`. Whether one that took too long was sent is not known.

        `name` becomes its Message-ID, by which a mailbox recognises a mail that comes twice.
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, to, subject
        message["Date"], message["Message-ID"] = (
            formatdate(localtime=True),
            f"<{name}@{self.sender.rpartition('@')[2]}>",
        )
        message.set_content(text)
        try:
            _OUTSIDE.call(lambda: self._hand_over(message))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise NotSent(f"{self._where}: the recipient was refused: {codes}", final=min(codes) >= 500) from error
        except smtplib.SMTPResponseException as error:
            # A refused sender or password is the installation's fault, not the mail's.
            final = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            raise NotSent(f"{self._where}: {type(error).__name__} {error.smtp_code}", final=final) from error
        except (OSError, smtplib.SMTPException) as error:  # TooSlow and Busy are OSErrors
            raise NotSent(f"{self._where}: {type(error).__name__}") from error

    @property
    def _where(self) -> str:
        return f"{self.host}:{self.port}"

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
