"""The phone's app from its first page on: signing in, the way home, an expired session, a start without a network."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.app import Bureau, violations

Phone = Callable[..., Page]
COUNTY = "demo_tianning"
OPEN_PAGES = ("/pages/sign-in/index", "/pages/sign-in/apply", "/pages/sign-in/progress")
OWN_PAGES = (
    "/pages/home/index", "/pages/home/todos", "/pages/sign-in/product", "/pages/account/index",
    "/pages/account/password", "/pages/account/otp", "/pages/account/resets", "/pages/help/index",
)  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "light": {}, "dark": {"color_scheme": "dark"}, "关怀版": {"care": True},
    "关怀版 dark": {"color_scheme": "dark", "care": True},
}  # fmt: skip


def sign_in(page: Page, bureau: Bureau, username: str, password: str | None = None) -> None:
    """Fill in the page of the sign-in and send it."""
    account = bureau.account(username)
    page.get_by_label("用户名").fill(account["username"])
    page.get_by_label("密码", exact=True).fill(password or account["password"])
    page.get_by_role("button", name="登录", exact=True).click()


def test_an_inspector_signs_in_confirms_the_product_and_finds_the_manuals_words(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    page.get_by_label("操作人姓名").fill("李敏")
    sign_in(page, bureau, COUNTY)
    expect(page.get_by_role("radio", name="电线电缆")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_text("天宁区市场监督管理局 · 李敏")).to_be_visible()
    for form in ("生产企业检查", "销售企业检查", "监督抽查"):
        expect(page.get_by_role("link", name=form)).to_be_visible()
    assert violations(page) == []
    bar = page.get_by_role("navigation", name="功能")
    expect(bar.get_by_role("link")).to_have_count(4)
    expect(bar.get_by_role("link", name="用户审核")).to_have_count(0)
    bar.get_by_role("link", name="信息查看").click()
    expect(page.get_by_role("heading", name="信息查看", level=1)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="信息查看", level=1)).to_be_visible()


@pytest.mark.only_in_rounds
@pytest.mark.parametrize(
    ("path", "title"), [("/pages/home/index", "工品查"), ("/pages/entry/start?form=gpc-sales", "被检查企业")]
)
def test_the_product_page_left_without_an_answer_comes_again_before_work_begins_and_leads_on(
    bureau: Bureau, phone: Phone, path: str, title: str
) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    sign_in(page, bureau, COUNTY)
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()
    page.goto(f"{bureau.base}/app/#{path}")
    page.reload()
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()
    page.get_by_role("radio", name="电线电缆", exact=True).click()
    page.get_by_role("button", name="确认").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


@pytest.mark.only_in_rounds
def test_the_app_asks_nothing_of_other_servers(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    page.goto(f"{bureau.base}/app/")
    sign_in(page, bureau, COUNTY)
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()
    # The animation that fetched it began after three seconds, on every page.
    assert page.evaluate("getComputedStyle(document.body, '::after').animationName") == "none"
    assert refused == []


@pytest.mark.only_in_rounds
def test_the_city_approves_accounts_and_sees_its_to_dos_first(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, "demo_changzhou", "/pages/home/index")
    expect(page.get_by_role("navigation", name="功能").get_by_role("link", name="用户审核")).to_be_visible()
    headings = page.get_by_role("heading", level=2)
    # What waits comes before what may be begun.
    expect(headings).to_have_text(["待办", "填报", "其他检查表"])


def test_what_is_missing_and_what_is_wrong_is_said_at_its_place(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("请输入用户名")).to_be_visible()
    expect(page.get_by_label("密码", exact=True)).to_have_attribute("aria-invalid", "true")
    sign_in(page, bureau, "demo_xuanwu", "wrong-password")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码错误")
    expect(page.get_by_label("用户名")).to_have_value("demo_xuanwu")
    page.get_by_role("switch", name="显示密码").click()
    expect(page.get_by_label("密码", exact=True)).to_have_attribute("type", "text")


def test_an_enterprise_answers_a_captcha_that_can_be_changed_or_read_aloud(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    sign_in(page, bureau, "enterprise")
    picture = page.locator(".sign-in-picture")
    expect(picture).to_have_attribute("src", re.compile("^data:image/png"))
    first = picture.get_attribute("src")
    expect(page.locator(".field-hint").get_by_text("请输入图中的字符，再继续")).to_be_visible()
    page.get_by_role("button", name="换一张").click()
    expect(picture).not_to_have_attribute("src", first or "")
    page.get_by_role("button", name="改答文字题").click()
    expect(picture).to_have_count(0)
    expect(page.get_by_role("button", name="换一题")).to_be_visible()
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("请输入验证码")).to_be_visible()


@pytest.mark.only_in_rounds
def test_a_password_from_somebody_else_is_changed_before_anything(bureau: Bureau, phone: Phone) -> None:
    users = bureau.call("demo_changzhou", "GET", "/users?q=demo_zhonglou")["items"]
    given = bureau.call("demo_changzhou", "POST", f"/users/{users[0]['id']}/reset-password", {})
    page = phone()
    page.goto(f"{bureau.base}/app/")
    sign_in(page, bureau, "demo_zhonglou", next(value for name, value in given.items() if "password" in name))
    page.get_by_role("button", name="知道了").click()
    expect(page.get_by_role("heading", name="修改密码", level=1)).to_be_visible()
    page.get_by_label("现在的密码").fill(next(value for name, value in given.items() if "password" in name))
    page.get_by_label("新密码").fill("short")
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_label("新密码")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("新密码").fill("a long Password of mine")
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_role("heading", name="选择产品名称", level=1)).to_be_visible()


def test_an_expired_session_asks_for_the_password_over_the_page_and_all_stays(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, COUNTY, "/pages/account/password")
    page.get_by_label("现在的密码").fill("not the one")
    page.get_by_label("新密码").fill("a long Password of mine")
    token = page.evaluate("JSON.parse(localStorage.getItem('session')).data.token")
    requests.delete(
        f"{bureau.base}/api/v1/sessions/current", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ).raise_for_status()
    # Also where a call in the background has met the end of the session already and the sheet lies over the button.
    page.get_by_role("button", name="修改密码").dispatch_event("click")
    sheet = page.get_by_role("dialog", name="登录已过期")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_visible()
    sheet.get_by_label("密码", exact=True).fill(bureau.account(COUNTY)["password"])
    sheet.get_by_role("button", name="登录", exact=True).click()
    expect(sheet).to_have_count(0)
    expect(page.get_by_label("新密码")).to_have_value("a long Password of mine")
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_label("现在的密码")).to_have_attribute("aria-invalid", "true")


@pytest.mark.only_in_rounds
def test_signing_out_leads_to_the_sign_in_and_ends_the_session(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, COUNTY, "/pages/account/index")
    page.get_by_role("button", name="退出登录").click()
    page.get_by_role("dialog").get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="登录", level=1)).to_be_visible()
    page.goto(f"{bureau.base}/app/#/pages/records/index")
    expect(page.get_by_role("heading", name="登录", level=1)).to_be_visible()


@pytest.mark.only_in_rounds
def test_without_a_network_the_app_opens_with_what_it_kept(bureau: Bureau, phone: Phone) -> None:
    page = phone(service_workers="allow")
    bureau.open(page, COUNTY, "/pages/home/index")
    expect(page.get_by_role("link", name="销售企业检查")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("没有网络。待办为")).to_be_visible()
    expect(page.get_by_role("link", name="销售企业检查")).to_be_visible()
    page.get_by_role("link", name="账号").click()
    expect(page.get_by_role("heading", name="我的账号", level=1)).to_be_visible()


def test_the_keyboard_alone_signs_in(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    account = bureau.account(COUNTY)
    page.get_by_label("用户名").focus()
    page.keyboard.type(account["username"])
    page.keyboard.press("Tab")
    page.keyboard.type(account["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="选择产品名称", level=1)).to_be_focused()
    page.get_by_role("radio", name="电线电缆").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="电线电缆")).to_have_attribute("aria-checked", "false")


@pytest.mark.only_in_rounds
def test_who_reads_large_type_is_offered_the_large_look_once(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    page.goto(f"{bureau.base}/app/")
    expect(page.get_by_role("button", name="用关怀版")).to_have_count(0)
    # As a browser with a larger type does it.
    page.add_init_script(
        "const larger = new CSSStyleSheet(); larger.replaceSync('html:root {font-size: 20px !important}');"
        "document.adoptedStyleSheets = [larger]"
    )
    page.reload()
    page.get_by_role("button", name="用关怀版").click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bcare\b"))
    page.get_by_role("switch", name="关怀版").click()
    page.reload()
    expect(page.get_by_label("用户名")).to_be_visible()
    expect(page.get_by_role("button", name="用关怀版")).to_have_count(0)


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(bureau: Bureau, phone: Phone, look: str) -> None:
    options = dict(LOOKS[look])
    care = options.pop("care", False)
    page = phone(width=320, **options)
    if care:
        page.add_init_script("localStorage.setItem('care', 'on')")
    found = {}
    for path in (*OPEN_PAGES, *OWN_PAGES):
        bureau.open(page, COUNTY if path in OWN_PAGES else None, path)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[path] = violations(page) + (["scrolls sideways"] if wide else [])
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
