"""The desk (`/desk/`) in Chromium: an office on a server of its own, and people who sit down at it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.app import Bureau, violations

WIDTH, HEIGHT = 1280, 800


@contextmanager
def sat_down(chromium: Browser, **options: Any) -> Iterator[Page]:
    """A browser at a desk, with nothing kept; what it complains about (policy, scripts) fails the test."""
    options.setdefault("viewport", {"width": WIDTH, "height": HEIGHT})
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A refused call is an error of the network for the browser, and an answer for the page.
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and "Failed to load resource" not in said.text
            else None
        ),
    )
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, office: Bureau, username: str, operator_name: str = "赵审") -> None:
    """As somebody does it, on the page."""
    account = office.account(username)
    page.get_by_label("用户名").fill(account["username"])
    page.get_by_label("密码").fill(account["password"])
    page.get_by_label("操作人姓名").fill(operator_name)
    page.get_by_role("button", name="登录").click()


def kept(page: Page, office: Bureau, username: str) -> None:
    """Somebody who signed in at this desk before."""
    signed_in = office.sign_in(username, "赵审")
    stored = json.dumps({"token": signed_in["token"], "me": signed_in["user"]})
    page.add_init_script(f"localStorage.getItem('gongpin-desk') || localStorage.setItem('gongpin-desk', {stored!r})")


def looked_at(page: Page, name: str) -> None:
    """Nothing is wrong for axe, nothing scrolls sideways at 1024; `DESK_PICTURES` names a folder for pictures."""
    folder = os.environ.get("DESK_PICTURES")
    for width in (WIDTH, 1024):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.wait_for_timeout(150)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{name} scrolls sideways at {width}"
        if folder:
            for scheme in ("light", "dark") if width == WIDTH else ("light",):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.wait_for_timeout(150)
                page.screenshot(path=str(Path(folder, f"{name}-{width}-{scheme}.png")), full_page=True)
            page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    found = violations(page)
    assert found == [], f"{name}: {found}"


def heading(page: Page, words: str) -> None:
    """The page has come, by its heading."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)
