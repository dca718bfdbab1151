"""The sender for development."""

import pytest
import structlog
from structlog.testing import capture_logs

from core.gateways import sms
from core.gateways.sms import LogSender, SmsSender


def test_the_developer_finds_the_code_in_the_log_and_the_number_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    # A logger that was used before keeps the processors of its first use, which nothing captures; and an application
    # that a test made before may have raised the level.
    monkeypatch.setattr(sms, "_log", structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger))
    sender: SmsSender = LogSender()
    with capture_logs() as lines:
        sender.send_code("13800000001", "493027", 5)
    assert lines == [
        {"event": "sms_not_sent", "log_level": "warning", "mobile": "138****0001", "code": "493027", "minutes": 5}
    ]
