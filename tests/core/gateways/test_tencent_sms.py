"""The sender of Tencent Cloud, against a double that speaks Tencent's protocol over the wire."""

import logging
import socket
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from core.gateways.sms import SmsFailed, SmsSender
from core.gateways.tencent_sms import TencentSender
from tests.tencent_double import (
    KEY_ID,
    SDK_APP_ID,
    SIGN_NAME,
    SIGNING_KEY,
    TEMPLATE_ID,
    TencentDouble,
    tencent_double,
)

MOBILE, CODE = "13800000001", "493027"


@pytest.fixture
def tencent() -> Iterator[TencentDouble]:
    with tencent_double() as double:
        yield double


def sender(address: str, **other: Any) -> SmsSender:
    given = {
        "secret_id": KEY_ID, "secret_key": SIGNING_KEY, "sdk_app_id": SDK_APP_ID, "sign_name": SIGN_NAME,
        "template_id": TEMPLATE_ID, "endpoint": address, **other,
    }  # fmt: skip
    return TencentSender(**given)


def failure(sending: SmsSender, mobile: str = MOBILE, code: str = CODE) -> SmsFailed:
    with pytest.raises(SmsFailed) as caught:
        sending.send_code(mobile, code, 5)
    told = "".join(traceback.format_exception(caught.value))
    assert all(secret not in told for secret in (mobile, code, SIGNING_KEY)), "no log may hold these"
    return caught.value


def test_a_code_goes_out_once_with_its_minutes_and_a_signature_that_holds(tencent: TencentDouble) -> None:
    sender(tencent.address, region="ap-beijing").send_code(MOBILE, CODE, 5)
    assert tencent.messages == [("+8613800000001", ["493027", "5"])]
    assert tencent.requests == 1
    assert tencent.region == "ap-beijing"


def test_one_sender_sends_many_times(tencent: TencentDouble) -> None:
    sending = sender(tencent.address)
    for number in range(5):
        sending.send_code(f"1380000000{number}", CODE, 5)
    assert [number for number, _ in tencent.messages] == [f"+861380000000{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret_key": SIGNING_KEY[::-1]}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "another"}, "AuthFailure.SecretIdNotFound"),
        ({"sdk_app_id": "1400000000"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"sign_name": "别家"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
        ({"template_id": "9"}, "FailedOperation.TemplateIncorrectOrUnapproved"),
    ],
)
def test_a_wrong_setting_is_named_and_lasts(tencent: TencentDouble, wrong: dict[str, str], code: str) -> None:
    failed = failure(sender(tencent.address, **wrong))
    assert (failed.reason, failed.retryable) == (f"Tencent Cloud SMS refused: {code}", False)
    assert tencent.messages == []


def test_a_code_that_tencent_does_not_take_is_refused(tencent: TencentDouble) -> None:
    failed = failure(sender(tencent.address), code="49302718")
    assert failed.reason.endswith("InvalidParameterValue.TemplateParameterFormatError")


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", True),
        ("LimitExceeded.PhoneNumberOneHourLimit", True),
        ("LimitExceeded.DeliveryFrequencyLimit", True),
        ("LimitExceeded.PhoneNumberDailyLimit", False),
        ("LimitExceeded.PhoneNumberSameContentDailyLimit", False),
        ("LimitExceeded.AppDailyLimit", False),
        ("InternalError.Timeout", True),
        ("InternalError.SendAndRecvFail", True),
        ("InternalError.RequestTimeException", False),
        ("FailedOperation.PhoneNumberInBlacklist", False),
        ("FailedOperation.InsufficientBalanceInSmsPackage", False),
        ("FailedOperation.ContainSensitiveWord", False),
        ("InvalidParameterValue.IncorrectPhoneNumber", False),
        ("UnsupportedOperation.UnsupportedRegion", False),
        ("SomethingNew.OfNextYear", False),
    ],
)
def test_a_number_that_is_refused_is_a_failure(tencent: TencentDouble, code: str, retryable: bool) -> None:
    tencent.status_code = code
    failed = failure(sender(tencent.address))
    assert (failed.reason, failed.retryable) == (f"Tencent Cloud SMS refused: {code}", retryable)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("RequestLimitExceeded", True),
        ("RequestLimitExceeded.UinLimitExceeded", True),
        ("InternalError", True),
        ("ServiceUnavailable", True),
        ("ResourceUnavailable", True),
        ("AuthFailure.SignatureExpire", False),
        ("AuthFailure.UnauthorizedOperation", False),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", False),
        ("MissingParameter.EmptyPhoneNumberSet", False),
        ("InvalidParameter", False),
    ],
)
def test_a_request_that_is_refused_is_a_failure(tencent: TencentDouble, code: str, retryable: bool) -> None:
    tencent.error = code
    failed = failure(sender(tencent.address))
    assert (failed.reason, failed.retryable) == (f"Tencent Cloud SMS refused: {code}", retryable)
    assert tencent.requests == 1, "the SDK must not send again"


@pytest.mark.parametrize(
    "garbage",
    [
        (200, "application/json", b'{"Response": {"SendStat'),
        (200, "application/json", b"[]"),
        (200, "application/json", b'{"Response": {"RequestId": "a-request"}}'),
        (200, "application/json", b'{"Response": {"SendStatusSet": [], "RequestId": "a-request"}}'),
        (200, "application/json", b'{"Response": {"SendStatusSet": [{}], "RequestId": "a-request"}}'),
        (200, "application/json", b'{"Response": {"SendStatusSet": [{"Code": "+8613800000001 493027"}]}}'),
        (200, "application/json", b'{"Response": {"SendStatusSet": [{"Code": "13800000001Error"}]}}'),
        (200, "application/json; charset=utf-8", b'{"Response": {"Error": {"Code": "X", "Message": ""}}}'),
        (200, "text/html", "<p>请先登录校园网 13800000001</p>".encode()),
        (200, "application/json", b""),
        (302, "text/html", b""),
        (502, "text/html", b"<h1>Bad Gateway 13800000001</h1>"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(tencent: TencentDouble, garbage: tuple[int, str, bytes]) -> None:
    tencent.garbage = garbage
    assert failure(sender(tencent.address)).retryable


def test_a_server_that_hangs_is_not_waited_for(tencent: TencentDouble) -> None:
    tencent.slow = True
    assert failure(sender(tencent.address, timeout=0.3)).retryable
    assert tencent.requests == 1


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(sender(f"http://127.0.0.1:{port}")).retryable


def test_the_log_of_the_sdk_holds_no_number_even_at_debug(
    tencent: TencentDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sender(tencent.address).send_code(MOBILE, CODE, 5)
    assert MOBILE not in caplog.text
    assert CODE not in caplog.text


@pytest.mark.parametrize("endpoint", ["sms.tencentcloudapi.com", "ftp://127.0.0.1", "https://", "https://host/path"])
def test_an_endpoint_that_is_none_is_refused_at_once(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        sender(endpoint)
