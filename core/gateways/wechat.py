"""WeChat's server interface for mini-programs (微信小程序服务端接口): one gateway, wechatpy hidden behind it."""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from core.gateways.outside import Busy, Outside, TooSlow

PLACES = 3
"""Calls that one process has under way at the same time."""
OFFICIAL_URL = "https://api.weixin.qq.com"

# Codes of WeChat: the access token is wrong (40001, 40014) or past its time (42001).
_TOKEN_REFUSED = frozenset({"40001", "40014", "42001"})
# Codes of WeChat: busy; too many calls today or this minute.
_PASSING = frozenset({"-1", "45009", "45011"})
# WeChat answers with a new token from five minutes before the end on, so that one minute is always enough.
_REFRESH_BEFORE = 60.0
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class WeChatFailed(Exception):
    """WeChat refused or did not answer; says nothing that is secret.

    `code` is WeChat's `errcode` as text, or `unreachable` (no answer, or not in time), `http_NNN` (an answer with
    that status) or `garbled` (an answer that is none). `retryable`: the same call may succeed later.
    """

    def __init__(self, code: str, *, retryable: bool) -> None:
        self.code = code
        self.retryable = retryable
        super().__init__(f"WeChat failed: {code}")


@dataclass(frozen=True, slots=True)
class WeChatIdentity:
    """Who a login code stood for. `unionid` is there only for accounts of an open platform (开放平台)."""

    openid: str
    unionid: str | None
    session_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    good_until: float


class WeChat:
    """One mini-program at WeChat. Share one object among all threads of a process: it keeps the access token.

    `timeout` (seconds) bounds the connection and every wait for an answer; twice as much, the whole of a call.
    Every method raises `WeChatFailed`.
    A call that needs the token goes through `_call`.
    """

    def __init__(self, appid: str, secret: str, base_url: str = OFFICIAL_URL, timeout: float = 5) -> None:
        # Here and not above: most installations have no mini-program, and wechatpy costs every start.
        from core.gateways.wechat_client import MiniProgramClient

        # At DEBUG urllib3 writes every address, and WeChat's hold the token or the secret.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._appid = appid
        self._secret = secret
        self._client = MiniProgramClient(
            appid, secret, base_url=base_url, timeout=timeout, token=lambda: self._current_token(time.monotonic()).value
        )
        self._outside = Outside("wechat", seconds=2 * timeout, places=PLACES, answers=(WeChatFailed,))
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._last_failure: tuple[float, WeChatFailed] | None = None

    def unlimited_code(
        self, scene: str, page: str, *, version: Literal["release", "trial", "develop"] = "release"
    ) -> bytes:
        """A mini-program code (小程序码), as PNG or JPEG: opens `page` with `scene`.

        `scene` has 1 to 32 characters out of those that WeChat names, `page` no leading slash; else `ValueError`.
        In the version `release` WeChat refuses a page (41030) that has not been published.
        """
        if not _SCENE.fullmatch(scene):
            raise ValueError("a scene has 1 to 32 characters: digits, Latin letters and !#$&'()*+,/:;=?@-._~")
        if not page or page.startswith("/"):
            raise ValueError("a page is a path without a leading slash")
        body = {"scene": scene, "page": page, "env_version": version, "check_path": version == "release"}
        content = getattr(
            self._whole(lambda arrived: self._call("wxa/getwxacodeunlimit", body, arrived)), "content", None
        )
        if not isinstance(content, bytes) or not content.startswith(_PICTURES):
            raise WeChatFailed("garbled", retryable=True)
        return content

    def code_to_session(self, code: str) -> WeChatIdentity:
        """Who stands behind a login code (`wx.login`; 5 minutes, once). 40029 and 40163: the code is no good."""
        # A list, for wechatpy adds the access token, which this call does without, to a dict.
        parameters = [
            ("appid", self._appid), ("secret", self._secret), ("js_code", code), ("grant_type", "authorization_code"),
        ]  # fmt: skip
        answer = self._whole(
            lambda _: self._attempt(lambda: self._client.get("sns/jscode2session", api_base_url="", params=parameters))
        )
        unionid = answer.get("unionid") if isinstance(answer, dict) else None
        return WeChatIdentity(_text(answer, "openid"), unionid or None, _text(answer, "session_key"))

    def phone_number(self, code: str) -> str:
        """The number behind a code of `getPhoneNumber` (手机号快速验证; 5 minutes, once): 11 digits of the mainland.

        A number from elsewhere begins with `+` and its country code. 40029: the code is no good.
        """
        answer = self._whole(lambda arrived: self._call("wxa/business/getuserphonenumber", {"code": code}, arrived))
        found = answer.get("phone_info") if isinstance(answer, dict) else None
        number = _text(found, "purePhoneNumber")
        # WeChat's documents show the country code as a number, its answers as text.
        country = str(found.get("countryCode", "")) if isinstance(found, dict) else ""
        return number if country in ("86", "") else f"+{country}{number}"

    def _whole(self, work: Callable[[float], Any]) -> Any:
        """All that one call of ours asks of WeChat, with a time limit for all of it together."""
        arrived = time.monotonic()
        try:
            return self._outside.call(lambda: work(arrived))
        except (TooSlow, Busy):
            failure = WeChatFailed("unreachable", retryable=True)
        raise failure

    def _call(self, endpoint: str, body: dict[str, Any], arrived: float) -> Any:
        """POST with the access token; once more with another when WeChat does not take the first."""
        token = self._current_token(arrived)
        try:
            return self._post(endpoint, body, token.value)
        except WeChatFailed as failure:
            if failure.code not in _TOKEN_REFUSED:
                raise
        token = self._current_token(time.monotonic(), instead_of=token)
        try:
            return self._post(endpoint, body, token.value)
        except WeChatFailed as failure:
            # Somebody else made WeChat forget this one too: that is over in a while.
            raise WeChatFailed(failure.code, retryable=failure.retryable or failure.code in _TOKEN_REFUSED) from None

    def _post(self, endpoint: str, body: dict[str, Any], token: str) -> Any:
        return self._attempt(
            lambda: self._client.post(endpoint, api_base_url="", data=body, params={"access_token": token})
        )

    def _current_token(self, arrived: float, instead_of: _Token | None = None) -> _Token:
        """The token in memory, or a new one where that is at its end or is the one that was refused.

        One thread fetches; those that waited for it share the outcome, a failure too: else each of them would wait
        for its own time limit, one after the other.
        """
        token = self._token
        if token and token is not instead_of and token.good_until > time.monotonic():
            return token
        with self._lock:
            token = self._token
            if token and token is not instead_of and token.good_until > time.monotonic():
                return token
            if self._last_failure and self._last_failure[0] >= arrived:
                shared = self._last_failure[1]
                raise WeChatFailed(shared.code, retryable=shared.retryable)
            try:
                self._token = token = self._fetch_token()
            except WeChatFailed as failure:
                self._last_failure = (time.monotonic(), failure)
                raise
            return token

    def _fetch_token(self) -> _Token:
        """The stable access token (稳定版接口调用凭据).

        In the normal mode, in which all processes are given the same token; a forced refresh would take it away from
        the others, and WeChat allows 20 a day.
        """
        body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret}
        asked = time.monotonic()
        # A list, for wechatpy adds the access token to a dict.
        answer = self._attempt(lambda: self._client.post("cgi-bin/stable_token", api_base_url="", data=body, params=[]))
        value = _text(answer, "access_token")
        seconds = answer.get("expires_in")
        if not isinstance(seconds, int | float) or seconds <= 0:
            raise WeChatFailed("garbled", retryable=True)
        return _Token(value, asked + seconds - _REFRESH_BEFORE)

    def _attempt(self, send: Callable[[], Any]) -> Any:
        from wechatpy.exceptions import WeChatClientException

        try:
            return send()
        except WeChatClientException as error:
            if error.errcode is None:  # so wechatpy says that the HTTP status alone was the refusal
                status = int(error.response.status_code)
                failure = WeChatFailed(f"http_{status}", retryable=status >= 500 or status == 429)
            else:
                failure = WeChatFailed(str(error.errcode), retryable=str(error.errcode) in _PASSING)
        except OSError:
            failure = WeChatFailed("unreachable", retryable=True)
        except (ValueError, TypeError, AttributeError):
            failure = WeChatFailed("garbled", retryable=True)
        # Raised outside the except block, so that an exception that quotes the address, and with it the secret, is not
        # chained to ours.
        raise failure


def _text(answer: object, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise WeChatFailed("garbled", retryable=True)
    return value
