"""A phone (Chromium) and a service hall (the demo on a real server), for tests of what a person sees.

`make test` goes through each screen once, the way a person goes, and looks at it in one look; edges, refusals and the
other looks are `only_in_rounds`. Skipped where Chromium is missing: `apt-get install chromium`.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.app import Bureau, build_if_stale
from tests.browser.hall import Hall
from tests.demo_folder import demo_folder
from tests.servers import running_server

Phone = Callable[..., Page]

expect.set_options(timeout=15_000)  # a machine that does more than this may be slow


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # The first is the same browser without tabs and menus of its own, which others draw though nobody sees them.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hall(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """The demo's offices on a server of their own; the browser is asked for first, to skip before the wait."""
    data_dir = demo_folder(tmp_path_factory, "hall")
    with running_server(data_dir, DEMO="1") as base:
        yield Hall(base, data_dir)


@pytest.fixture(scope="session")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the phone's app."""
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Phone]:
    """Take a new phone in the hand: nothing in its cache; 375 px wide unless told.

    The app's service worker loads all of its files for the time without a network: half of what a page costs. It is
    kept from that unless a test says `service_workers="allow"`, as those do that go where no network is.
    """
    contexts = []

    def taken(width: int = 375, height: int = 667, **options: Any) -> Page:
        options.setdefault("service_workers", "block")
        context = chromium.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=2, has_touch=True, is_mobile=True,
            locale="zh-CN", **options,
        )  # fmt: skip
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield taken
    for context in contexts:
        context.close()
