"""The phone's app (H5) in Chromium: built when it is stale, opened as somebody who is signed in."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from bundle import client_build

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]


def build_if_stale() -> None:
    """Build H5 where a source has changed since it was built; what stops a build fails the tests."""
    client_build.build("h5", if_stale=True)


@dataclass
class Bureau:
    """A running server with the demo, and the app that it serves."""

    base: str
    data_dir: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def account(self, username: str) -> dict[str, Any]:
        """A demo account; `enterprise`: the one of the demo's enterprise."""
        accounts = json.loads((self.data_dir / "demo-accounts.json").read_text(encoding="utf-8"))
        chosen = (
            one for one in accounts if one["username"] == username or (username == "enterprise" and "uscc" in one)
        )
        return dict(next(chosen))

    def sign_in(self, username: str, operator_name: str = "李敏") -> dict[str, Any]:
        """A session over the API."""
        account = self.account(username)
        body = {"username": account["username"], "password": account["password"], "operator_name": operator_name}
        answer = requests.post(f"{self.base}/api/v1/sessions", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def call(self, username: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A call in somebody's name, in a session kept for such calls; fails unless it succeeds."""
        answer = self._call(username, method, path, body)
        if answer.status_code == 401:  # a test has ended all sessions of this user
            del self.tokens[username]
            answer = self._call(username, method, path, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def _call(self, username: str, method: str, path: str, body: Any) -> requests.Response:
        if username not in self.tokens:
            self.tokens[username] = self.sign_in(username)["token"]
        headers = {"Authorization": f"Bearer {self.tokens[username]}"}
        return requests.request(method, f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=30)

    def upload(self, username: str, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        """A file, uploaded in somebody's name."""
        self.call(username, "GET", "/me")  # signs in where there is no session
        headers = {"Authorization": f"Bearer {self.tokens[username]}"}
        sent: dict[str, Any] = {"files": {"file": (name, content)}, "data": {"purpose": purpose}}
        answer = requests.post(f"{self.base}/api/v1/files", headers=headers, **sent, timeout=60)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def apply(self, name: str, number: int) -> dict[str, Any]:
        """Somebody applies for an account of a county (账号申请); `number` makes the mobile number and user name."""
        body = {
            "applicant_name": name, "unit_name": "天宁区某某所", "region_code": "320402", "mobile": f"1380000{number}",
            "username": f"applicant{number}", "password": f"a long Password {number}", "reason": "承担检查工作",
        }  # fmt: skip
        answer = requests.post(f"{self.base}/api/v1/account-applications", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def open(self, page: Page, username: str | None, path: str) -> None:
        """Open a page of the app as somebody who signed in on this phone before, or as nobody."""
        if username is not None:
            signed_in = self.sign_in(username)
            kept = {
                "token": signed_in["token"], "me": signed_in["user"], "mustChangePassword": False, "expired": False,
                "product": {"code": "06", "name": "电线电缆"},
            }  # fmt: skip
            stored = json.dumps({"type": "object", "data": kept})
            page.add_init_script(f"localStorage.getItem('session') || localStorage.setItem('session', {stored!r})")
        page.goto(f"{self.base}/app/#{path}")


def wrong_on(page: Page, address: str, opened: Callable[[Page], None]) -> list[str]:
    """What axe finds wrong on a further page of a phone that has opened the app, and whether it scrolls sideways.

    `opened` waits until the page shows what is to be looked at. A further page of the same phone opens quickly.
    """
    further = page.context.new_page()
    further.goto(address)
    opened(further)
    found = violations(further)
    if further.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("scrolls sideways")
    further.close()
    return found


def violations(page: Page) -> list[str]:
    """What axe finds wrong on the whole page, one line each; tall, so that no bar at the bottom covers a target."""
    window = page.viewport_size
    assert window is not None
    page.set_viewport_size({"width": window["width"], "height": 4000})
    page.wait_for_timeout(400)  # what sticks to an edge finds its new place
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}}).response
    page.set_viewport_size(window)
    assert len(found["passes"]) > 10, "axe did not run"
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]
