"""How much a first visit loads: the sign-in, then home (`python -m tests.browser.first_load` prints the first)."""

from playwright.sync_api import expect

from bench.phone import asked_for, sizes_of
from tests.browser.app import Bureau
from tests.browser.conftest import Phone
from tests.browser.first_load import HOME, SIGN_IN
from tests.browser.inspector import COUNTY


def test_what_is_loaded_until_somebody_can_sign_in_is_small(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    names = asked_for(page, bureau.base)
    bureau.open(page, None, "/pages/sign-in/index")
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    sizes = sizes_of(names)
    assert sum(sizes.values()) <= SIGN_IN, sizes


def test_what_is_loaded_until_home_is_there_is_small(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    names = asked_for(page, bureau.base)
    bureau.open(page, COUNTY, "/pages/home/index")
    expect(page.get_by_role("link", name="销售企业检查")).to_be_visible()
    page.wait_for_load_state("networkidle")
    sizes = sizes_of(names)
    assert sum(sizes.values()) <= HOME, sizes
