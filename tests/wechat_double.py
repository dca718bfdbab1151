"""WeChat's server interface for tests: the calls of a mini-program over HTTP, as WeChat's documents describe them.

Refusals are JSON with `errcode` under HTTP 200, pictures are bytes, tokens end, login codes work once and for five
minutes. `make run WECHAT_DOUBLE=1` starts it too, so that signing in with WeChat can be tried without an account: there
`GET /double/code?person=NAME` gives what `wx.login` would give on the phone of that person.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

APPID = "wx0000000000000001"
APP_KEY = "a-secret-for-tests"

CODE_SECONDS = 300
DEVTOOLS_CODE = "the code is a mock one"
"""What `wx.login` gives in WeChat's developer tools without an account, each time."""
PERSON_CODE = "/double/code"

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40

STABLE_TOKEN = "/cgi-bin/stable_token"
LOGIN = "/sns/jscode2session"
CODE = "/wxa/getwxacodeunlimit"
PHONE = "/wxa/business/getuserphonenumber"


class WeChatDouble:
    """What it was asked (`requests`: method, path, parameters, body), and how it shall answer."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], dict[str, Any]]] = []
        self.address = ""
        self.seconds = 7200
        """The `expires_in` of a token."""
        self.refusal_of_tokens = 40001
        self.takes_no_token = False
        """Refuse every token, also the newest."""
        self.errcodes: dict[str, int] = {}
        """By path: refuse with this code."""
        self.garbage: dict[str, tuple[int, str, bytes]] = {}
        """By path: HTTP status, content type and body in the place of an answer."""
        self.slow: set[str] = set()
        """Paths whose answers wait for `hang`."""
        self.cut: set[str] = set()
        """Paths at which the connection is cut in the place of an answer."""
        self.for_trying = False
        """Give codes to whoever asks, and take the one of WeChat's developer tools."""
        self.now = time.monotonic
        self._codes: dict[str, tuple[str, float]] = {"a-login-code": ("an-openid", self.now())}
        self._used: set[str] = set()
        self.token_delay = 0.0
        self.hang = threading.Event()
        self.phone: dict[str, Any] = {
            "phoneNumber": "13800000001", "purePhoneNumber": "13800000001", "countryCode": "86",
            "watermark": {"timestamp": 1637744274, "appid": APPID},
        }  # fmt: skip
        self._lock = threading.Lock()
        self._tokens = 0
        self._valid = False

    def asked(self, path: str) -> int:
        """How often that path was asked."""
        return sum(1 for request in self.requests if request[1] == path)

    def login_code(self, person: str = "an-openid") -> str:
        """What `wx.login` gives on the phone of a person, who is named by WeChat's id."""
        code = secrets.token_urlsafe(18)
        with self._lock:
            self._codes[code] = (person, self.now())
        return code

    def end_token(self) -> None:
        """The token that was given last is good no more, and the next one that is asked for is another."""
        self._valid = False

    def answer(
        self, method: str, path: str, parameters: dict[str, str], body: dict[str, Any]
    ) -> dict[str, Any] | bytes:
        """The JSON or the picture."""
        with self._lock:
            self.requests.append((method, path, parameters, body))
        if path in self.slow:
            self.hang.wait(30)
        if path in self.errcodes:
            return {"errcode": self.errcodes[path], "errmsg": f"refused {parameters} {body} rid: 0"}
        if self.for_trying and path == PERSON_CODE:
            return {"code": self.login_code(f"double-{parameters.get('person', '')}")}
        known = {STABLE_TOKEN: "POST", LOGIN: "GET", CODE: "POST", PHONE: "POST"}
        if path not in known:
            return {"errcode": 40066, "errmsg": "invalid url"}
        if method != known[path]:
            return {"errcode": 43002 if known[path] == "POST" else 43001, "errmsg": "wrong method"}
        if path == STABLE_TOKEN:
            return self._token(body)
        if path == LOGIN:
            return self._login(parameters)
        with self._lock:
            good = self._valid and not self.takes_no_token and parameters.get("access_token") == self._current()
        if not good:
            return {"errcode": self.refusal_of_tokens, "errmsg": "invalid credential, access_token is invalid rid: 0"}
        return self._code(body) if path == CODE else self._phone(body)

    def _current(self) -> str:
        return f"a-token-{self._tokens}"

    def _token(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("grant_type") != "client_credential":
            return {"errcode": 40002, "errmsg": "invalid grant_type"}
        if body.get("appid") != APPID:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if body.get("secret") != APP_KEY:
            return {"errcode": 40125, "errmsg": f"invalid appsecret {body.get('secret')}"}
        if self.token_delay:
            self.hang.wait(self.token_delay)
        with self._lock:
            if not self._valid or body.get("force_refresh"):
                self._tokens, self._valid = self._tokens + 1, True
            return {"access_token": self._current(), "expires_in": self.seconds}

    def _login(self, parameters: dict[str, str]) -> dict[str, Any]:
        if parameters.get("grant_type") != "authorization_code" or parameters.get("appid") != APPID:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if parameters.get("secret") != APP_KEY:
            return {"errcode": 40125, "errmsg": f"invalid appsecret {parameters.get('secret')}"}
        code = parameters.get("js_code", "")
        if self.for_trying and code == DEVTOOLS_CODE:
            return {"session_key": "a-session-key", "openid": "double-devtools"}
        with self._lock:
            person, given_at = self._codes.get(code, ("", 0.0))
            used = code in self._used
            self._used.add(code)
        if not person or self.now() - given_at > CODE_SECONDS:
            return {"errcode": 40029, "errmsg": "invalid code, rid: 0"}
        if used:
            return {"errcode": 40163, "errmsg": "code been used, rid: 0"}
        # No errcode stands in a good answer of this call.
        return {"session_key": "a-session-key", "openid": person}

    def _code(self, body: dict[str, Any]) -> dict[str, Any] | bytes:
        if not 0 < len(body.get("scene", "")) <= 32:
            return {"errcode": 40129, "errmsg": "invalid scene"}
        if body.get("check_path", True) and body.get("page") != "pages/rate/index":
            return {"errcode": 41030, "errmsg": "invalid page"}
        return PICTURE

    def _phone(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("code") != "a-phone-code":
            return {"errcode": 40029, "errmsg": "invalid code"}
        return {"errcode": 0, "errmsg": "ok", "phone_info": self.phone}


def _handler(double: WeChatDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def respond(self, body: dict[str, Any]) -> None:
            address = urlsplit(self.path)
            answer = double.answer(self.command, address.path, dict(parse_qsl(address.query)), body)
            if address.path in double.cut:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if address.path in double.garbage:
                status, content_type, content = double.garbage[address.path]
            elif isinstance(answer, bytes):
                status, content_type, content = 200, "image/png", answer
            else:
                status, content_type, content = 200, "application/json; encoding=utf-8", json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has hung up is part of the tests."""


def start(double: WeChatDouble) -> _Server:
    """Let it listen on this machine, at its `address`."""
    server = _Server(("127.0.0.1", 0), _handler(double))
    double.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@contextmanager
def wechat_double() -> Iterator[WeChatDouble]:
    """The double, listening at its `address`."""
    double = WeChatDouble()
    server = start(double)
    try:
        yield double
    finally:
        double.hang.set()
        server.shutdown()
        server.server_close()
