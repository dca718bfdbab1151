"""wechatpy's client with one address, our own access token, and no retry of its own.

Imported only by `wechat.py` and only when a mini-program is configured: wechatpy costs every start.
"""

from collections.abc import Callable
from typing import Any

from wechatpy.client import WeChatClient

OFFICIAL = "https://api.weixin.qq.com/"


class MiniProgramClient(WeChatClient):  # type: ignore[misc]
    """Sends what wechatpy addresses to WeChat to `base_url`; asks `token` for the access token.

    Raises `WeChatClientException` for refusals, `OSError` (all that `requests` raises) without an answer, and
    `ValueError`, `TypeError` or `AttributeError` where wechatpy cannot read an answer.
    """

    def __init__(self, appid: str, secret: str, *, base_url: str, timeout: float, token: Callable[[], str]) -> None:
        # wechatpy's own retry recurses as long as WeChat answers 40001.
        super().__init__(appid, secret, timeout=timeout, auto_retry=False)
        self._base_url = base_url.rstrip("/") + "/"
        self._token = token

    @property
    def access_token(self) -> str:
        """What wechatpy puts into every call that names no token."""
        return self._token()

    def fetch_access_token(self) -> None:
        """Never: wechatpy would go to the official address, without a time limit."""
        raise NotImplementedError("the access token comes from the gateway")

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Any:
        url = url_or_endpoint
        if not url.startswith(("http://", "https://")):
            url = kwargs.pop("api_base_url", self.API_BASE_URL) + url
        url = self._base_url + url.removeprefix(OFFICIAL)
        # WeChat does not redirect: another host must not be sent the secret.
        return super()._request(method, url, allow_redirects=False, **kwargs)
