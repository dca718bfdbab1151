"""Everyone can rate: by axe (WCAG 2.2 AA), in narrow windows, large type, by keyboard, by ear, without JavaScript."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from feedback.codes.catalogue import LEVELS, tags_of
from tests.browser.hall import NAME, REASON, Hall, fill_in, rate_badly, send
from tests.browser.screens import SCREENS
from tests.rounds import others_in_rounds
from tests.servers import running_server

Phone = Callable[..., Page]
MOST_DIFFERENT = ("fresh form", "faults at once", "large type", "thanks", "answer", "unknown code")
"""Screens that share least with each other."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]

# What shows the focus: the element itself, or for a choice that is drawn by its label, the label.
FOCUSED = """() => {
  const at = document.activeElement;
  const drawn = getComputedStyle(at).opacity === '0' ? document.querySelector(`label[for="${at.id}"]`) : at;
  const style = getComputedStyle(drawn);
  const box = drawn.getBoundingClientRect();
  const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {name: at.id || at.textContent.trim(), shown, seen: box.bottom > 0 && box.top < innerHeight};
}"""


# What a finger has to meet: links, buttons, fields; a choice that is drawn by its label, there.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, textarea, label')].filter(one => {
  const drawn = document.querySelector(`#${one.htmlFor || 'none'}:is([type=radio], [type=checkbox])`);
  if (one.matches('label') && !drawn) return false;
  if (one.matches('[type=hidden], .levels > input, .tags > input, .default')) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.height < 44 || box.width < 44);
}).map(one => one.outerHTML.slice(0, 80) + JSON.stringify(one.getBoundingClientRect()))"""


def violations(page: Page) -> list[str]:
    """What axe finds wrong, one line each."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response
    assert len(found["passes"]) > 10, "axe did not run"
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def tab(page: Page) -> str:
    """Press Tab: what has the focus now, which can be seen and stands within the window."""
    page.keyboard.press("Tab")
    focused: dict[str, Any] = page.evaluate(FOCUSED)
    assert focused["shown"] and focused["seen"], focused
    return str(focused["name"])


@pytest.mark.parametrize("screen", others_in_rounds(SCREENS, *MOST_DIFFERENT))
def test_axe_finds_nothing_whatever_is_touched_has_44_pixels_and_a_narrow_window_is_wide_enough(
    screen: str, hall: Hall, phone: Phone
) -> None:
    page = phone()
    SCREENS[screen](page, hall)
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.set_viewport_size({"width": 320, "height": 568})
    assert sideways(page) <= 0


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_in_a_narrow_window_and_in_type_of_twice_the_size(
    screen: str, hall: Hall, phone: Phone
) -> None:
    page = phone()
    SCREENS[screen](page, hall)
    page.set_viewport_size({"width": 320, "height": 568})
    assert violations(page) == []
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert sideways(page) <= 0
    assert violations(page) == []


@pytest.mark.only_in_rounds  # the colours themselves are computed for every pair in test_colours.py
@pytest.mark.parametrize("screen", SCREENS)
def test_a_dark_phone_is_shown_dark_and_readable_pages(screen: str, hall: Hall, phone: Phone) -> None:
    page = phone(color_scheme="dark")
    SCREENS[screen](page, hall)
    assert violations(page) == []
    expect(page.locator("body")).to_have_css("background-color", re.compile(r"rgb\((15, 18, 22|10, 12, 15)\)"))
    for field in page.locator("textarea, input:not([type=hidden], [type=radio], [type=checkbox])").all():
        expect(field).to_have_css("background-color", re.compile(r"rgb\((25, 30, 37|20, 24, 30)\)"))
        expect(field).to_have_css("color", re.compile(r"rgb\((232, 236, 241|255, 255, 255)\)"))


@pytest.mark.only_in_rounds
def test_short_tags_share_a_line_and_long_ones_wrap_in_their_place(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    for level in LEVELS:
        page.locator(f"label[for=l{level}]").click()
        boxes = [page.locator(f"label[for=g{tag.code}]").bounding_box() for tag in tags_of(level)]
        rows = {round(box["y"]) for box in boxes if box}
        assert len(boxes) == 8 and len(rows) <= 4, (level, rows)


def test_nothing_is_chosen_before_the_rater_chooses(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    assert page.locator("input:checked").count() == 0
    assert page.locator("input[type=radio]").count() == 5


def test_a_screen_reader_hears_the_five_levels_their_question_and_what_is_demanded(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    heard = [(node["role"]["value"], node["name"]["value"]) for node in nodes if "name" in node and "role" in node]
    assert [name for role, name in heard if role == "radio"] == list(LEVELS.values())
    assert ("group", "您对本次服务是否满意？ *") in heard
    for label in ("具体意见", "姓名或单位名称 *", "手机号 *"):
        assert ("textbox", label) in heard
    demanded = {
        node["name"]["value"]
        for node in nodes
        for is_so in node.get("properties", [])
        if is_so["name"] == "required" and is_so["value"]["value"]
    }
    assert {"姓名或单位名称 *", "手机号 *"} <= demanded


def test_the_keyboard_alone_is_enough(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    assert tab(page) == "care"
    assert tab(page) == "l5"
    assert page.locator("input:checked").count() == 0
    for level in (4, 3, 2):
        page.keyboard.press("ArrowDown")
        expect(page.locator(f"#l{level}")).to_be_checked()
    tags = [f"g{tag.code}" for tag in tags_of(2)]
    assert [tab(page) for _ in tags] == tags
    page.keyboard.press("Space")
    expect(page.locator(f"#{tags[-1]}")).to_be_checked()
    for name, text in (("comment", REASON), ("anonymous", ""), ("rater_name", NAME), ("mobile", hall.number())):
        assert tab(page) == name
        page.keyboard.type(text)
    assert tab(page) == "send"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="评价提交成功")).to_be_visible()


def test_the_first_fault_gets_the_focus_and_every_fault_stands_by_its_field(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    button = page.get_by_role("button", name="提交")
    button.click()
    expect(page.locator("#l5")).to_be_focused()
    page.locator("label[for=l2]").click()
    button.click()
    expect(page.locator(f"#g{tags_of(2)[0].code}")).to_be_focused()
    page.get_by_text("服务态度生硬").click()
    button.click()
    expect(page.get_by_label("具体意见")).to_be_focused()
    expect(page.get_by_label("具体意见")).to_have_accessible_description(re.compile("请填写具体意见，不少于5个字"))


def test_what_the_server_refuses_gets_the_focus_and_leads_to_each_field(hall: Hall, phone: Phone) -> None:
    page = phone(java_script_enabled=False)
    page.goto(hall.code()["url"])
    fill_in(page, "138", comment="慢")
    send(page)
    expect(page.get_by_role("alert")).to_be_focused()
    links = page.get_by_role("alert").get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["#comment", "#mobile"]
    links.first.click()
    expect(page.get_by_label("具体意见")).to_be_focused()


def test_without_javascript_the_page_is_complete(hall: Hall, phone: Phone) -> None:
    code = hall.code()
    page = phone(java_script_enabled=False)
    page.goto(code["url"])
    for level in LEVELS:
        page.locator(f"label[for=l{level}]").click()
        for tag in (tag for other in LEVELS for tag in tags_of(other)):
            expect(page.get_by_text(tag.text, exact=True)).to_be_visible(visible=tag.level == level)
    mobile = hall.number()
    fill_in(page, mobile[:8], comment=REASON)
    page.get_by_label("匿名评价").check()
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("手机号不正确")
    expect(page.locator("#l2")).to_be_checked()
    expect(page.get_by_label("服务态度生硬")).to_be_checked()
    expect(page.get_by_label("具体意见")).to_have_value(REASON)
    expect(page.get_by_label("姓名或单位名称")).to_have_value(NAME)
    expect(page.get_by_label("手机号")).to_have_value(mobile[:8])
    expect(page.get_by_label("匿名评价")).to_be_checked()
    page.get_by_label("手机号").fill(mobile)
    send(page)
    expect(page.get_by_role("heading", name="评价提交成功")).to_be_visible()
    assert [rating["level"] for rating in hall.ratings(code)] == [2]


@pytest.mark.only_in_rounds
def test_without_javascript_a_missing_tag_is_named_beside_the_tags(hall: Hall, phone: Phone) -> None:
    page = phone(java_script_enabled=False)
    page.goto(hall.code()["url"])
    fill_in(page, hall.number())
    page.get_by_text("服务态度生硬", exact=True).click()
    send(page)
    expect(page.locator("#tags-fault")).to_have_text("请至少选择一项不满意的原因")
    expect(page.locator("#l2")).to_be_checked()


@pytest.mark.parametrize("scripts", others_in_rounds(["javascript", "no javascript"], "javascript"))
def test_going_back_and_sending_again_gives_the_same_thanks(scripts: str, hall: Hall, phone: Phone) -> None:
    code = hall.code()
    page = phone(java_script_enabled=scripts == "javascript")
    first = rate_badly(page, code["url"], hall.number())
    page.go_back()
    expect(page.get_by_label("具体意见")).to_have_value(REASON)
    send(page)
    assert page.locator(".code").inner_text() == first
    assert len(hall.ratings(code)) == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["javascript", "no javascript"])
def test_pressing_twice_makes_one_rating(scripts: bool, hall: Hall, phone: Phone) -> None:
    code = hall.code()
    page = phone(java_script_enabled=scripts)
    page.goto(code["url"])
    fill_in(page, hall.number())
    page.get_by_role("button", name="提交").dblclick(no_wait_after=True)
    expect(page.get_by_role("heading", name="评价提交成功")).to_be_visible()
    assert len(hall.ratings(code)) == 1


@pytest.mark.only_in_rounds
def test_large_type_lasts_from_the_form_to_the_look_up(hall: Hall, phone: Phone) -> None:
    page = phone()
    page.goto(hall.code()["url"])
    page.get_by_role("link", name="关怀版").click()
    fill_in(page, hall.number())
    send(page)
    large = page.locator("html.large")
    expect(page.get_by_role("heading", name="评价提交成功")).to_be_visible()
    expect(large).to_be_attached()
    page.get_by_role("link", name="查询其他评价").click()
    page.get_by_label("查询码").fill("WRONG")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("alert")).to_contain_text("没有找到这个查询码")
    expect(large).to_be_attached()
    page.get_by_role("link", name="标准版").click()
    expect(large).not_to_be_attached()


@pytest.mark.only_in_rounds
def test_with_a_code_by_sms_enter_sends_the_form_and_not_an_sms(hall: Hall, phone: Phone) -> None:
    with running_server(hall.data_dir, DEMO="1", SMS_SENDER="log") as base:
        page = phone()
        page.goto(hall.code()["url"].replace(hall.base, base))
        assert violations(page) == []
        fill_in(page, hall.number())
        with page.expect_navigation():
            page.get_by_label("姓名或单位名称").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("请填写短信验证码")
        assert violations(page) == []
        with page.expect_navigation():
            page.get_by_role("button", name="获取验证码").click()
        expect(page.get_by_role("status")).to_contain_text("验证码已发送")
        expect(page.get_by_label("具体意见")).to_have_value(REASON)
        page.set_viewport_size({"width": 320, "height": 568})
        assert sideways(page) <= 0
