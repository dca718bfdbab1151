"""Signing in where more than a password is asked: the second factor, a captcha, who reset the account, two people."""

import re
import time
from collections.abc import Callable, Iterator

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from accounts.sign_in import captcha_questions
from tests.browser.app import Bureau, build_if_stale, violations
from tests.demo_folder import demo_folder
from tests.servers import running_server

Phone = Callable[..., Page]
REVIEWER = "demo_licence_reviewer"


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """A bureau that demands a second factor of licence reviewers, behind a proxy that names addresses."""
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "strict")
    with running_server(data_dir, DEMO="1", OTP_ROLES="licence_reviewer", TRUSTED_PROXIES="1") as base:
        yield Bureau(base, data_dir)


def fill_in(page: Page, username: str, password: str) -> None:
    """The page of the sign-in, sent."""
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


def code(secret: str, later: int) -> str:
    """The code of so many steps later: one step is taken for clocks that differ."""
    totp = pyotp.TOTP(secret)
    return totp.generate_otp(int(time.time()) // 30 + later)


def test_a_reviewer_enrols_at_the_first_sign_in_and_is_asked_for_a_code_from_then_on(
    bureau: Bureau, phone: Phone
) -> None:
    page, account = phone(), bureau.account(REVIEWER)
    page.goto(f"{bureau.base}/app/")
    fill_in(page, REVIEWER, account["password"])
    expect(page.get_by_role("heading", name="动态口令", level=1)).to_be_visible()
    expect(page.get_by_text("你的岗位须先启用动态口令")).to_be_visible()
    page.get_by_role("button", name="启用动态口令").click()
    expect(page.get_by_role("img", name=re.compile("动态口令二维码"))).to_be_visible()
    secret = page.locator(".otp-secret").inner_text().replace(" ", "")
    page.get_by_role("button", name="启用", exact=True).click()
    expect(page.get_by_text("请输入程序显示的 6 位数字")).to_be_visible()
    page.get_by_label("动态口令").fill("000000")
    page.get_by_role("button", name="启用", exact=True).click()
    expect(page.get_by_label("动态口令")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("动态口令").fill(code(secret, 0))
    page.get_by_role("button", name="启用", exact=True).click()
    expect(page.locator(".otp-code")).to_have_count(10)
    assert violations(page) == []
    recovery = page.locator(".otp-code").first.inner_text()
    page.get_by_role("button", name="已保存恢复码").click()
    expect(page.get_by_role("heading", name="工品查", level=1)).to_be_visible()

    page = phone()
    page.goto(f"{bureau.base}/app/")
    fill_in(page, REVIEWER, account["password"])
    page.get_by_label("动态口令").fill("000000")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("动态口令不正确")
    assert violations(page) == []
    page.get_by_label("动态口令").fill(code(secret, 1))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", name="工品查", level=1)).to_be_visible()

    # Another phone: the old one is given up with a recovery code, the new one has to be enrolled at once.
    page.goto(f"{bureau.base}/app/#/pages/account/otp")
    expect(page.get_by_text("剩余恢复码 10 个")).to_be_visible()
    page.get_by_role("button", name="停用，或换手机").click()
    page.get_by_label("停用动态口令").fill(recovery)
    page.get_by_role("button", name="停用", exact=True).click()
    expect(page.get_by_role("button", name="启用动态口令")).to_be_visible()


@pytest.mark.only_in_rounds
def test_the_owner_at_a_new_address_answers_a_captcha_when_strangers_have_closed_the_name(
    bureau: Bureau, phone: Phone
) -> None:
    account = bureau.account("demo_tianning")
    for number in range(10):
        wrong = {"username": account["username"], "password": "Falsch-2026"}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        answer = requests.post(f"{bureau.base}/api/v1/sessions", json=wrong, headers=headers, timeout=30)
        assert answer.status_code == 401
    page = phone(extra_http_headers={"X-Forwarded-For": "192.0.2.9"})
    page.goto(f"{bureau.base}/app/")
    fill_in(page, account["username"], account["password"])
    expect(page.locator(".sign-in-picture")).to_be_visible()
    page.get_by_role("button", name="改答文字题").click()
    asked = page.locator(".sign-in-captcha").get_by_text(re.compile("[？?]"))
    expect(asked).to_be_visible()
    numbers = {captcha_questions.in_words(number): number for number in range(100)}
    a, b, c = (numbers[word] for word in re.findall("[零一二三四五六七八九十]+", asked.inner_text()))
    page.get_by_label("验证码", exact=True).fill(str(a + b - c))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()


def test_whoever_was_reset_sees_by_whom_once_on_each_phone(bureau: Bureau, phone: Phone) -> None:
    user = bureau.call("demo_changzhou", "GET", "/users?q=demo_320411")["items"][0]
    given = bureau.call("demo_changzhou", "POST", f"/users/{user['id']}/reset-password", {})["password"]
    page = phone()
    page.goto(f"{bureau.base}/app/")
    fill_in(page, user["username"], given)
    expect(page.get_by_role("heading", name="账号重置提醒", level=1)).to_be_visible()
    expect(page.get_by_text("登录密码被重置")).to_be_visible()
    expect(page.get_by_text("常州市市场监督管理局 · 李敏 · demo_changzhou")).to_be_visible()
    assert violations(page) == []
    page.reload()
    expect(page.get_by_text("登录密码被重置")).to_be_visible()
    page.get_by_role("button", name="知道了").click()
    expect(page.get_by_role("heading", name="修改密码", level=1)).to_be_visible()
    page.get_by_label("现在的密码").fill(given)
    page.get_by_label("新密码").fill("a long Passphrase of mine")
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_role("heading", name="选择产品名称")).to_be_visible()
    page.goto(f"{bureau.base}/app/#/pages/account/resets")
    expect(page.get_by_text("登录密码被重置")).to_be_visible()
    expect(page.get_by_role("button", name="知道了")).to_have_count(0)


@pytest.mark.only_in_rounds
def test_a_user_who_may_more_is_reset_by_two_people(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, "demo_changzhou", "/pages/accounts/index?part=users")
    page.get_by_label("按姓名、用户名查找").fill("demo_rating_handler")
    page.get_by_role("button", name="重置密码：demo_rating_handler").click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text("须由两人办理")
    sheet.get_by_label("原因").fill("本人来电，忘记密码")
    sheet.get_by_role("button", name="提出").click()
    expect(page.get_by_role("button", name="撤回：demo_rating_handler")).to_be_visible()
    expect(page.get_by_role("button", name="确认重置密码：demo_rating_handler")).to_have_count(0)

    page = phone()
    bureau.open(page, "demo_jiangsu", "/pages/home/index")
    page.get_by_role("link", name=re.compile("重置确认：demo_rating_handler")).click()
    page.get_by_label("按姓名、用户名查找").fill("demo_rating_handler")
    expect(page.get_by_text(re.compile("demo_changzhou 于 .* 提出重置密码：本人来电"))).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="确认重置密码：demo_rating_handler").click()
    page.get_by_role("dialog").get_by_role("button", name="确认重置密码").click()
    expect(page.get_by_role("dialog", name="一次性密码")).to_be_visible()
    assert re.fullmatch(r"[A-Za-z2-9]{12}", page.locator(".user-password").inner_text())
