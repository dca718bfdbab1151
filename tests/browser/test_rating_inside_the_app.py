"""The citizen's form as a page of the app: the rules and words of `/r/…`, thanks, and the look-up of the answer."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import Bureau, build_if_stale, violations
from tests.browser.hall import NAME, REASON, Hall

Phone = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def app() -> None:
    build_if_stale()


def opened(page: Page, hall: Hall, code: dict[str, str] | None = None, *, who: str | None = None) -> None:
    """The form of a new code of a window."""
    token = (code or hall.code())["url"].rsplit("/", 1)[1]
    Bureau(hall.base, hall.data_dir).open(page, who, f"/pages/rating/index?token={token}")
    expect(page.get_by_text("您对本次服务是否满意？")).to_be_visible()


def fill_in(page: Page, mobile: str) -> None:
    page.get_by_role("radio", name="不满意", exact=True).click()
    page.get_by_role("checkbox", name="服务态度生硬").click()
    page.get_by_label("具体意见").fill(REASON)
    page.get_by_label("姓名或单位名称").fill(NAME)
    page.get_by_label("手机号").fill(mobile)


def send(page: Page) -> None:
    page.get_by_role("button", name="提交").click()


def test_a_citizen_rates_without_an_account_and_finds_the_answer_by_the_code(hall: Hall, phone: Phone) -> None:
    code, page = hall.code(), phone()
    opened(page, hall, code)
    assert page.get_by_role("radio", checked=True).count() == 0
    fill_in(page, hall.number())
    send(page)
    expect(page.get_by_text("评价提交成功，感谢您的参与！")).to_be_visible()
    query_code = page.locator(".rating-code").inner_text()
    assert violations(page) == []
    (rating,) = hall.ratings(code)
    assert (rating["level"], rating["comment"]) == (2, REASON)
    page.get_by_role("button", name="查看办理情况").click()
    expect(page.get_by_text("不满意，服务态度生硬")).to_be_visible()
    assert page.get_by_label("查询码").input_value() == query_code
    assert violations(page) == []
    page.get_by_label("查询码").fill("ABCD-2345-EFGH-6789")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("没有找到这个查询码")).to_be_visible()


def test_every_fault_is_said_at_once_in_the_words_of_the_page(hall: Hall, phone: Phone) -> None:
    page = phone()
    opened(page, hall)
    send(page)
    said = ["请选择评价等级", "请填写姓名或单位名称", "手机号不正确，请填写11位大陆手机号"]
    assert page.get_by_role("alert").get_by_role("link").all_inner_texts() == said
    page.get_by_role("radio", name="非常不满意").click()
    send(page)
    said = ["请至少选择一项不满意的原因", "请填写具体意见，不少于5个字，以便核实整改", *said[1:]]
    assert page.get_by_role("alert").get_by_role("link").all_inner_texts() == said
    assert violations(page) == []
    page.get_by_role("checkbox", name="匿名评价").click()
    expect(page.get_by_label("姓名或单位名称")).to_have_count(0)


@pytest.mark.only_in_rounds
def test_the_same_number_again_is_told_the_day_and_keeps_what_was_typed(hall: Hall, phone: Phone) -> None:
    code, mobile, page = hall.code(), hall.number(), phone()
    opened(page, hall, code)
    fill_in(page, mobile)
    send(page)
    expect(page.get_by_text("评价提交成功")).to_be_visible()
    second = phone()
    opened(second, hall, code)
    fill_in(second, mobile)
    send(second)
    expect(second.get_by_text("急需反映的，请拨打下面的电话")).to_be_visible()
    expect(second.get_by_role("alert")).to_contain_text(re.compile(r"\d日|\d{4}-\d"))
    second.get_by_role("button", name="返回修改").click()
    expect(second.get_by_label("具体意见")).to_have_value(REASON)


@pytest.mark.only_in_rounds
def test_an_officer_with_the_app_on_the_phone_rates_as_a_citizen(hall: Hall, phone: Phone) -> None:
    page = phone()
    opened(page, hall, who="demo_zhonglou")
    fill_in(page, hall.number())
    send(page)
    expect(page.get_by_text("评价提交成功")).to_be_visible()


@pytest.mark.only_in_rounds
def test_an_unknown_code_says_what_to_do(hall: Hall, phone: Phone) -> None:
    page = phone()
    Bureau(hall.base, hall.data_dir).open(page, None, f"/pages/rating/index?token={'x' * 32}")
    expect(page.get_by_text("请扫描窗口张贴的评价二维码")).to_be_visible()
    expect(page.get_by_role("button", name="拨打 12315")).to_be_visible()
    assert violations(page) == []


@pytest.mark.only_in_rounds
def test_nothing_is_wider_than_a_narrow_window(hall: Hall, phone: Phone) -> None:
    page = phone(320, color_scheme="dark")
    opened(page, hall)
    page.get_by_role("radio", name="非常不满意").click()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert violations(page) == []
