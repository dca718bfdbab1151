"""Text messages by Tencent Cloud SMS (腾讯云短信): SendSms of 2021-01-11, through the official SDK."""

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from core.gateways.outside import Busy, Outside, TooSlow
from core.gateways.sms import SmsFailed

ENDPOINT = "https://sms.tencentcloudapi.com"
REGION = "ap-guangzhou"

PLACES = 3
"""Messages that one process sends at the same time."""

# Limits of seconds, minutes or an hour pass; those of a day do not while somebody waits for a code.
_PASSING = frozenset(
    {
        "LimitExceeded",
        "LimitExceeded.DeliveryFrequencyLimit",
        "LimitExceeded.GlobalSmsSendingRateLimit",
        "LimitExceeded.PhoneNumberOneHourLimit",
        "LimitExceeded.PhoneNumberThirtySecondLimit",
    }
)
_PASSING_FAMILIES = ("InternalError", "RequestLimitExceeded", "ResourceUnavailable", "ServiceUnavailable")
# Tencent files these under internal errors; the cause is this server's clock or its keys.
_LASTING = frozenset(
    {
        "InternalError.RequestTimeException",
        "InternalError.RestApiInterfaceNotExist",
        "InternalError.SigFieldMissing",
        "InternalError.SigVerificationFail",
    }
)
# The SDK's own codes for "no answer" and "no answer of the API".
_UNANSWERED = frozenset({"ClientNetworkError", "ServerNetworkError"})
# Only what looks like a code of the API is repeated in a log: its messages quote the number.
_CODE = re.compile(r"[A-Za-z]{1,64}(\.[A-Za-z]{1,96}){0,3}")


class TencentSender:
    """Sends with one approved signature (签名) and one approved template (模板).

    The template has two variables, in this order: the code (at most 6 digits: Tencent refuses more) and the minutes
    that it is good for. `endpoint` is scheme and host, for a private cloud or a test; `timeout` (seconds) bounds the
    connection and every wait for the answer. There is no second attempt: a message costs money and may have gone out.
    """

    def __init__(
        self,
        secret_id: str,
        secret_key: str,
        *,
        sdk_app_id: str,
        sign_name: str,
        template_id: str,
        region: str = REGION,
        endpoint: str = ENDPOINT,
        timeout: float = 5,
    ) -> None:
        # Here and not above: most installations send no messages, and the SDK costs every start.
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.exception import TencentCloudSDKException
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
        from tencentcloud.common.retry import NoopRetryer
        from tencentcloud.sms.v20210111 import models
        from tencentcloud.sms.v20210111.sms_client import SmsClient

        # At DEBUG the SDK writes whole requests, with number and code.
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.INFO)
        address = urlsplit(endpoint)
        if address.scheme not in ("https", "http") or not address.netloc or address.path.strip("/"):
            raise ValueError("the endpoint must be https://host[:port]")
        http = HttpProfile(protocol=address.scheme, endpoint=address.netloc, reqTimeout=timeout)
        profile = ClientProfile(httpProfile=http, retryer=NoopRetryer())
        self._client = SmsClient(Credential(secret_id, secret_key), region, profile)
        self._outside = Outside("sms", seconds=1.5 * timeout, places=PLACES, answers=(TencentCloudSDKException,))
        self._new_request = models.SendSmsRequest
        self._sdk_error: type[Exception] = TencentCloudSDKException
        self._fixed = {"SmsSdkAppId": sdk_app_id, "SignName": sign_name, "TemplateId": template_id}

    def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Send `code`, good for `minutes`, to a mainland mobile of 11 digits; raises `SmsFailed`."""
        request = self._new_request()
        for name, value in self._fixed.items():
            setattr(request, name, value)
        request.PhoneNumberSet = [f"+86{mobile}"]
        request.TemplateParamSet = [code, str(minutes)]
        try:
            answered = _status(self._outside.call(lambda: self._client.SendSms(request)))
        except self._sdk_error as error:
            answered = str(error.code)  # type: ignore[attr-defined]
        except (TooSlow, Busy):
            answered = "ClientNetworkError"
        # Raised outside the except block, so that the SDK's exception, which quotes the request, is not chained to it.
        if answered != "Ok":
            raise _failure(answered)


def _status(response: Any) -> str:
    """The code of the one number that was sent to; empty when the answer says nothing of it."""
    statuses = response.SendStatusSet
    return str(statuses[0].Code or "") if statuses else ""


def _failure(code: str) -> SmsFailed:
    if code in _UNANSWERED:
        return SmsFailed(f"Tencent Cloud SMS did not answer ({code})", retryable=True)
    if not _CODE.fullmatch(code):
        return SmsFailed("Tencent Cloud SMS gave no readable answer", retryable=True)
    if "." not in code and code != "InternalError" and code.endswith(("Error", "Timeout", "Exception")):
        # The SDK gives the name of whatever Python exception it met while it read the answer.
        return SmsFailed(f"Tencent Cloud SMS gave no readable answer ({code})", retryable=True)
    passing = code in _PASSING or (code.partition(".")[0] in _PASSING_FAMILIES and code not in _LASTING)
    return SmsFailed(f"Tencent Cloud SMS refused: {code}", retryable=passing)
