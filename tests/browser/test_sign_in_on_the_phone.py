"""Signing in on the phone: what is still to be done before work begins, and that nothing is asked of other servers."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import Bureau, build_if_stale
from tests.browser.inspector import COUNTY
from tests.servers import running_server

Phone = Callable[..., Page]


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = tmp_path_factory.mktemp("bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


def signed_in_without_product(bureau: Bureau, page: Page) -> None:
    """An inspector who signed in and has not yet said what is inspected."""
    account = bureau.account(COUNTY)
    page.goto(f"{bureau.base}/app/")
    page.get_by_label("用户名").fill(account["username"])
    page.locator("input[type=password]").fill(account["password"])
    page.get_by_role("button", name="登录", exact=True).tap()
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "title"), [("/pages/home/index", "工品查"), ("/pages/entry/start?form=gpc-sales", "被检查企业")]
)
def test_the_product_page_left_without_an_answer_comes_again_before_work_begins_and_leads_on(
    bureau: Bureau, phone: Phone, path: str, title: str
) -> None:
    page = phone()
    signed_in_without_product(bureau, page)
    page.goto(f"{bureau.base}/app/#{path}")
    page.reload()
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()
    page.get_by_role("radio", name="电线电缆", exact=True).tap()
    page.get_by_role("button", name="确认").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_the_app_asks_nothing_of_other_servers(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    signed_in_without_product(bureau, page)
    # The animation that fetched it began after three seconds, on every page.
    assert page.evaluate("getComputedStyle(document.body, '::after').animationName") == "none"
    assert refused == []
