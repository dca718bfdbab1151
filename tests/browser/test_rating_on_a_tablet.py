"""A hall's tablet between two people: cleared when nobody touches it, and nothing to find by going back."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.hall import Hall, fill_in, send

Phone = Callable[..., Page]

AGAIN = re.compile(r"again=1$")
"""The empty form. Asked of the page and not of a navigation, of which the moved clock may begin a second."""


def test_what_was_typed_is_cleared_after_a_minute_without_a_touch_and_not_before(hall: Hall, phone: Phone) -> None:
    page = phone(1024)
    page.clock.install()
    page.goto(hall.code()["url"] + "?mode=tablet")
    fill_in(page, hall.number())
    page.clock.run_for(52_000)
    expect(page.locator("#idle")).to_contain_text("秒后清空，继续填写请点一下屏幕")
    page.get_by_label("具体意见").click()
    page.clock.run_for(52_000)
    expect(page.get_by_label("姓名或单位名称")).not_to_have_value("")
    page.clock.run_for(10_000)
    expect(page).to_have_url(AGAIN)
    expect(page.get_by_label("具体意见")).to_have_value("")
    expect(page.locator("input:checked")).to_have_count(0)


def test_going_back_shows_nothing_of_the_person_before(hall: Hall, phone: Phone) -> None:
    page = phone(1024)
    page.goto(hall.code()["url"] + "?mode=tablet")
    fill_in(page, hall.number())
    send(page)
    query_code = page.locator(".code").inner_text()
    page.get_by_role("link", name="完成").click()
    expect(page).to_have_url(AGAIN)
    expect(page.get_by_label("具体意见")).to_have_value("")
    page.go_back()
    expect(page.get_by_text(query_code)).to_have_count(0)
    expect(page.get_by_label("具体意见")).to_have_value("")
    expect(page.get_by_label("手机号")).to_have_value("")
