"""City user on the phone: approves accounts (用户审核), reads figures down to a record (工作统计)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import Bureau, build_if_stale, violations, wrong_on
from tests.demo_folder import demo_folder
from tests.servers import running_server

Phone = Callable[..., Page]
CITY = "demo_changzhou"


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


def status(bureau: Bureau, application: dict[str, Any]) -> dict[str, Any]:
    """What the applicant reads."""
    address = f"{bureau.base}/api/v1/account-applications/status/{application['query_code']}"
    return dict(requests.get(address, timeout=30).json())


def card(page: Page, name: str) -> Any:
    """The card of an applicant."""
    return page.locator(".card", has=page.get_by_role("heading", name=name))


def approve(page: Page, name: str) -> None:
    """Press 通过, and answer the question."""
    page.get_by_role("button", name=f"通过：{name}", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="通过申请").click()


def test_the_city_user_approves_one_account_and_refuses_another_with_an_opinion(bureau: Bureau, phone: Phone) -> None:
    good, bad = bureau.apply("陈甲", 1001), bureau.apply("陈乙", 1002)
    page = phone()
    bureau.open(page, CITY, "/pages/accounts/index")
    expect(card(page, "陈甲")).to_contain_text("138****1001")
    assert violations(page) == []
    waiting = bureau.call(CITY, "GET", "/account-applications?status=pending")["total"]
    expect(page.get_by_text(f"共 {waiting} 人")).to_be_visible()
    page.get_by_role("button", name="通过：陈甲", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("通过 陈甲 的申请？")
    page.get_by_role("dialog").get_by_role("button", name="再看看").click()
    assert status(bureau, good)["status"] == "pending"
    approve(page, "陈甲")
    expect(card(page, "陈甲")).to_contain_text("已通过")
    expect(page.get_by_text(f"共 {waiting - 1} 人")).to_be_visible()
    page.get_by_role("button", name="不通过：陈乙").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="不通过", exact=True).click()
    expect(sheet).to_contain_text("请写明不通过的原因")
    assert status(bureau, bad)["status"] == "pending"
    sheet.get_by_label("审核意见").fill("单位名称与辖区不符")
    sheet.get_by_role("button", name="不通过", exact=True).click()
    expect(card(page, "陈乙")).to_contain_text("审核不通过：单位名称与辖区不符")
    assert status(bureau, good)["status"] == "approved"
    assert status(bureau, bad)["opinion"] == "单位名称与辖区不符"


@pytest.mark.only_in_rounds
def test_a_decision_that_somebody_else_made_meanwhile_is_named(bureau: Bureau, phone: Phone) -> None:
    application = bureau.apply("陈丙", 1003)
    page = phone()
    bureau.open(page, CITY, "/pages/accounts/index")
    expect(card(page, "陈丙")).to_be_visible()
    path = f"/account-applications/{application['id']}/reject"
    bureau.call("demo_jiangsu", "POST", path, {"opinion": "重复申请"})
    approve(page, "陈丙")
    expect(card(page, "陈丙")).to_contain_text("审核不通过：重复申请")
    expect(card(page, "陈丙")).to_contain_text("江苏省市场监督管理局")
    assert status(bureau, application)["status"] == "rejected"


@pytest.mark.only_in_rounds
def test_an_account_is_disabled_with_a_reason_and_enabled_again(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, CITY, "/pages/accounts/index")
    page.get_by_role("radio", name="用户").click()
    page.get_by_label("按姓名、用户名查找").fill("demo_zhonglou")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("button", name="停用：").click()
    page.get_by_role("dialog").get_by_role("button", name="停用账号").click()
    expect(page.get_by_role("dialog")).to_contain_text("请写明停用的理由")
    page.get_by_label("停用理由").fill("调离本单位")
    page.get_by_role("dialog").get_by_role("button", name="停用账号").click()
    expect(page.locator(".card").first).to_contain_text("停用理由：调离本单位")
    page.get_by_role("button", name="启用：").click()
    expect(page.get_by_role("button", name="停用：")).to_be_visible()
    bureau.sign_in("demo_zhonglou")


def test_the_figures_lead_from_the_city_to_a_county_and_its_records(bureau: Bureau, phone: Phone) -> None:
    figures = bureau.call(CITY, "GET", "/statistics/progress?product_code=06")
    county = next(row for row in figures["rows"] if row["region_code"] == "320402")
    page = phone()
    bureau.open(page, CITY, "/pages/statistics/index")
    expect(page.locator(".tile").first).to_contain_text(f"应检 {figures['total']['planned']}")
    assert violations(page) == []
    page.get_by_role("link", name="天宁区").click()
    expect(page.get_by_role("heading", name="天宁区", level=1)).to_be_visible()
    expect(page.locator(".tile:visible").first).to_contain_text(f"应检 {county['planned']}")
    page.locator(".tile:visible", has_text="发现问题企业").click()
    expect(page.get_by_role("heading", name="检查记录")).to_be_visible()
    listed = bureau.call(CITY, "GET", "/inspections?region=320402&product_code=06&problem=true")
    expect(page.locator(".record-card:visible")).to_have_count(len(listed["items"]))
    expect(page.locator(".record-card:visible").first).to_contain_text(listed["items"][0]["org_name"])
    place = next(place for place, one in enumerate(listed["items"]) if one["returned"])
    expect(page.locator(".record-card:visible").nth(place)).to_contain_text("退回更正")


@pytest.mark.only_in_rounds
def test_the_table_says_what_the_bars_say_and_can_be_read_aloud(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, CITY, "/pages/statistics/index")
    page.get_by_role("button", name="看表格").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="各地区进度")
    assert table.get_by_role("columnheader").all_inner_texts()[:4] == ["地区", "应检", "已到", "进度"]
    county = bureau.call(CITY, "GET", "/statistics/progress?product_code=06")["rows"][0]
    row = table.get_by_role("row", name=county["region_name"])
    assert row.get_by_role("cell").all_inner_texts()[:2] == [str(county["planned"]), str(county["planned_visited"])]
    boxes = [cell.bounding_box() for cell in table.locator(".figures-cell:nth-child(2)").all()]
    assert len({round(box["x"] + box["width"]) for box in boxes if box}) == 1


SCREENS = {
    "figures": ("/pages/statistics/index", None),
    "figures as a table": ("/pages/statistics/index", "看表格"),
    "filter": ("/pages/statistics/index", "筛选"),
    "records": ("/pages/statistics/drill/records?type=inspections&product_code=06", None),
    "not yet visited": ("/pages/statistics/drill/enterprises?product=06&visited=false", None),
    "applications": ("/pages/accounts/index", None),
    "users": ("/pages/accounts/index", "用户"),
}


LOOKS: dict[str, dict[str, Any]] = {"375": {"width": 375}, "320 dark": {"width": 320, "color_scheme": "dark"}}


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_narrow_window(look: str, bureau: Bureau, phone: Phone) -> None:
    first = phone(**LOOKS[look])
    bureau.open(first, CITY, "/pages/home/index")
    expect(first.get_by_role("heading", level=1)).to_be_visible()

    def opened(page: Page, button: str | None) -> None:
        expect(page.locator(".card, .tile, .record-card").first).to_be_visible()
        if button:
            page.get_by_text(button, exact=True).first.click()

    for screen, (path, button) in SCREENS.items():
        address = f"{bureau.base}/app/#{path}"
        assert wrong_on(first, address, partial(opened, button=button)) == [], screen
