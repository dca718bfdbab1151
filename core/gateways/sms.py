"""Text messages (短信): what the product needs of a sender, and the sender for development.

The sender of Tencent Cloud stands in `tencent_sms.py`.
"""

from typing import Protocol

import structlog

from core.masking import mask_phone

_log = structlog.get_logger(__name__)


class SmsFailed(Exception):
    """The message was not accepted, or it is not known whether it was.

    `reason` is plain English for the log and never holds the number, the code or a key. `retryable` says that the
    same call may succeed later; after an answer that was lost the message may have gone out all the same, so that
    nothing sends again by itself: the person who waits for the code asks for another.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        self.reason = reason
        self.retryable = retryable
        super().__init__(reason)


class SmsSender(Protocol):
    """Sends one kind of message: a one-time code (验证码) that proves a number."""

    def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Send `code`, good for `minutes`, to a mainland mobile of 11 digits; raises `SmsFailed`."""
        ...


class LogSender:
    """For development: nothing is sent, the code stands in the log for the developer to copy.

    The number is masked all the same. No other sender ever writes a code to the log.
    """

    def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Write the code to the log, as a warning: with this sender nobody receives anything."""
        _log.warning("sms_not_sent", mobile=mask_phone(mobile), code=code, minutes=minutes)
