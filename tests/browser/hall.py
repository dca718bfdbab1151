"""The office behind the window, over the API, and the citizen's form filled in by hand."""

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page

REASON = "同样的证明材料让我交了两次"
NAME = "张某某"


@dataclass
class Hall:
    """A running server with the demo; every officer signs in once."""

    base: str
    data_dir: Path
    tokens: dict[str, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(13800005000))

    def call(self, who: str, method: str, path: str, body: Any = None) -> requests.Response:
        """A call in the name of `demo_rating_{who}`; fails unless it succeeds."""
        headers = {"Authorization": f"Bearer {self._token(who)}"}
        answer = requests.request(method, f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def code(self, window: str = "1号窗口") -> dict[str, Any]:
        """A new code of a window (一次一评), generated (生成)."""
        wanted = {"kind": "per_visit", "matter_name": "营业执照办理", "org_name": "常州市天宁区市场监督管理局"}
        made = self.call("officer", "POST", "/rating-codes", {**wanted, "window": window}).json()
        return dict(self.call("officer", "POST", f"/rating-codes/{made['id']}/generate", {}).json())

    def ratings(self, code: dict[str, Any]) -> list[dict[str, Any]]:
        """What was rated by a code, as the office sees it."""
        return list(self.call("handler", "GET", f"/ratings?code_id={code['id']}").json()["items"])

    def number(self) -> str:
        """A mobile number that has not rated."""
        return str(next(self.numbers))

    def _token(self, who: str) -> str:
        if who not in self.tokens:
            accounts = json.loads((self.data_dir / "demo-accounts.json").read_text(encoding="utf-8"))
            account = next(one for one in accounts if one["username"] == f"demo_rating_{who}")
            body = {"username": account["username"], "password": account["password"]}
            answer = requests.post(f"{self.base}/api/v1/sessions", json=body, timeout=30)
            assert answer.status_code == 201, answer.text
            self.tokens[who] = answer.json()["token"]
        return self.tokens[who]


def fill_in(page: Page, mobile: str, *, level: int = 2, tag: str = "服务态度生硬", comment: str = REASON) -> None:
    """Choose and type as a person does; nothing is sent."""
    page.locator(f"label[for=l{level}]").click()
    page.get_by_text(tag, exact=True).click()
    page.get_by_label("具体意见").fill(comment)
    page.get_by_label("姓名或单位名称").fill(NAME)
    page.get_by_label("手机号", exact=False).fill(mobile)


def send(page: Page) -> None:
    """Press 提交 and wait for what comes."""
    with page.expect_navigation():
        page.get_by_role("button", name="提交").click()


def rate_badly(page: Page, address: str, mobile: str) -> str:
    """A bad rating from the first look to the thanks; the query code (查询码)."""
    page.goto(address)
    fill_in(page, mobile)
    send(page)
    return page.locator(".code").inner_text()
