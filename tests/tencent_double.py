"""Tencent Cloud SMS for tests: SendSms of 2021-01-11 over HTTP, the signature TC3-HMAC-SHA256 verified.

Answers as the documents of Tencent say: HTTP 200 whatever happens, `Response.Error` for a refused request, a status
for each number of an accepted one.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY_ID = "an-id-for-tests"
SIGNING_KEY = "a-key-for-tests"
SDK_APP_ID = "1400006666"
SIGN_NAME = "示例市监"
TEMPLATE_ID = "1110"

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, SignedHeaders=([a-z0-9;-]+), "
    r"Signature=([0-9a-f]{64})"
)


class TencentDouble:
    """What it was sent (`messages`: number and the parameters of the template), and how it shall answer."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str]]] = []
        self.requests = 0
        self.status_code = "Ok"
        """The code of the number's status."""
        self.error = ""
        """The code of a request that is refused as a whole."""
        self.garbage: tuple[int, str, bytes] | None = None
        """HTTP status, content type and body in the place of an answer."""
        self.hang = threading.Event()
        """Until this is set an answer waits, when `slow`."""
        self.slow = False
        self.region = ""
        self.address = ""

    def answer(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """The member `Response`."""
        refusal = self.error or _unsigned(headers, body) or self._wrong(headers, json.loads(body))
        if refusal:
            return {"Error": {"Code": refusal, "Message": f"refused: {body.decode()}"}, "RequestId": "a-request"}
        asked = json.loads(body)
        self.region = headers["x-tc-region"]
        statuses = []
        for number in asked["PhoneNumberSet"]:
            accepted = self.status_code == "Ok"
            if accepted:
                self.messages.append((number, asked["TemplateParamSet"]))
            statuses.append(
                {
                    "SerialNo": "5000:1045710669157053657849499619" if accepted else "",
                    "PhoneNumber": number, "Fee": int(accepted), "SessionContext": "", "Code": self.status_code,
                    "Message": "send success" if accepted else f"{number} was not sent to", "IsoCode": "CN",
                }
            )  # fmt: skip
        return {"SendStatusSet": statuses, "RequestId": "a-request"}

    def _wrong(self, headers: dict[str, str], asked: dict[str, Any]) -> str:
        if headers.get("x-tc-action") != "SendSms":
            return "InvalidAction"
        if headers.get("x-tc-version") != "2021-01-11":
            return "NoSuchVersion"
        if not headers.get("x-tc-region"):
            return "MissingParameter"
        if asked.get("SmsSdkAppId") != SDK_APP_ID:
            return "UnauthorizedOperation.SmsSdkAppIdVerifyFail"
        if asked.get("SignName") != SIGN_NAME:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if asked.get("TemplateId") != TEMPLATE_ID:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        if len(asked.get("TemplateParamSet", ())) != 2:
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        if any(not re.fullmatch(r"\d{0,6}", parameter) for parameter in asked["TemplateParamSet"]):
            return "InvalidParameterValue.TemplateParameterFormatError"
        if any(not re.fullmatch(r"\+861\d{10}", number) for number in asked.get("PhoneNumberSet", [""])):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        return ""


def _unsigned(headers: dict[str, str], body: bytes) -> str:
    """What is wrong with the signature, by Tencent's description of it and none of the SDK's code; empty if nothing."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    timestamp = headers.get("x-tc-timestamp", "")
    if found is None or not timestamp.isdecimal():
        return "AuthFailure.SignatureFailure"
    secret_id, date, signed, signature = found.groups()
    if secret_id != KEY_ID:
        return "AuthFailure.SecretIdNotFound"
    if abs(time.time() - int(timestamp)) > 300 or date != f"{datetime.fromtimestamp(int(timestamp), UTC):%Y-%m-%d}":
        return "AuthFailure.SignatureExpire"
    names = signed.split(";")
    if not {"content-type", "host"} <= set(names):
        return "AuthFailure.SignatureFailure"
    lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in names)
    request = "\n".join(["POST", "/", "", lines, signed, hashlib.sha256(body).hexdigest()])
    scope = f"{date}/sms/tc3_request"
    text = "\n".join(["TC3-HMAC-SHA256", timestamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"TC3{SIGNING_KEY}".encode()
    for part in (date, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature)
    return "" if right else "AuthFailure.SignatureFailure"


def _handler(double: TencentDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            double.requests += 1
            if double.slow:
                double.hang.wait(30)
            if double.garbage:
                status, content_type, content = double.garbage
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, content_type = 200, "application/json"
                content = json.dumps({"Response": double.answer(headers, body)}).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has hung up is part of the tests."""


@contextmanager
def tencent_double() -> Iterator[TencentDouble]:
    """The double, listening at its `address`."""
    double = TencentDouble()
    server = _Server(("127.0.0.1", 0), _handler(double))
    double.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield double
    finally:
        double.hang.set()
        server.shutdown()
        server.server_close()
