"""The desk of an approver: applications decided, accounts disabled, reset, moved; one's own sessions; search."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from bundle import client_build
from tests.browser.app import Bureau
from tests.browser.desks import heading, kept, looked_at, sat_down, sign_in
from tests.demo_folder import demo_folder
from tests.servers import running_server

pytestmark = pytest.mark.only_in_rounds
CITY, COUNTY = "demo_changzhou", "demo_tianning"


@pytest.fixture(scope="module")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the desk's app."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "approving-office")
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    with sat_down(chromium) as page:
        yield page


def test_applications_are_opened_from_the_to_do_and_decided_one_and_several(office: Bureau, desk: Page) -> None:
    for n, name in enumerate(("申请人甲", "申请人乙", "申请人丙")):
        office.apply(name, 2001 + n)
    desk.goto(f"{office.base}/desk/")
    sign_in(desk, office, CITY)
    desk.get_by_role("link", name="账号待审核：天宁区某某所 applicant2001").click()
    panel = desk.get_by_role("region", name="申请详情")
    expect(panel.get_by_text("13800002001")).to_be_visible()  # whole, for whoever decides
    looked_at(desk, "application")
    panel.get_by_role("button", name="不通过").click()
    question = desk.get_by_role("dialog", name="审核不通过“申请人甲”的申请？")
    question.get_by_role("button", name="审核不通过").click()
    expect(question.get_by_text("请填写不通过的意见，申请人会看到。")).to_be_visible()
    question.get_by_label("审核意见").fill("请由所在单位统一申请")
    question.get_by_role("button", name="审核不通过").click()
    expect(desk.get_by_role("status").first).to_contain_text("已审核不通过：申请人甲")

    for name in ("申请人乙", "申请人丙"):
        desk.get_by_role("checkbox", name=f"选中 {name}").check()
    desk.get_by_role("group", name="批量办理").get_by_role("button", name="通过", exact=True).click()
    desk.get_by_role("dialog", name="审核通过 2 个申请？").get_by_role("button", name="审核通过").click()
    expect(desk.get_by_text("审核通过：已完成")).to_be_visible()
    answer = requests.post(
        f"{office.base}/api/v1/sessions", timeout=30,
        json={"username": "applicant2002", "password": "a long Password 2002", "operator_name": "乙"},
    )  # fmt: skip
    assert answer.status_code == 201


def test_an_account_is_reset_its_sessions_ended_moved_and_disabled(office: Bureau, desk: Page) -> None:
    office.call("demo_zhonglou", "GET", "/me")
    kept(desk, office, CITY)
    desk.goto(f"{office.base}/desk/accounts")
    heading(desk, "账号")
    looked_at(desk, "accounts")
    desk.get_by_label("用户名").fill("demo_zhonglou")
    desk.get_by_role("button", name="demo_zhonglou").click()
    panel = desk.get_by_role("region", name="demo_zhonglou")
    expect(panel.get_by_role("heading", name="登录中 1 处")).to_be_visible()
    looked_at(desk, "account")
    panel.get_by_role("button", name="退出全部登录").click()
    desk.get_by_role("dialog").get_by_role("button", name="退出全部登录").click()
    expect(panel.get_by_role("heading", name="登录中 0 处")).to_be_visible()

    panel.get_by_role("button", name="重置密码").click()
    desk.get_by_role("dialog", name="重置密码“demo_zhonglou”？").get_by_role("button", name="重置密码").click()
    password = panel.locator(".secret").inner_text()
    looked_at(desk, "one-time-password")
    panel.get_by_role("button", name="已告知，不再显示").click()
    expect(panel.locator(".secret")).to_have_count(0)
    body = {"username": "demo_zhonglou", "password": password, "operator_name": "李敏"}
    signed_in = requests.post(f"{office.base}/api/v1/sessions", json=body, timeout=30).json()
    assert signed_in["must_change_password"]

    panel.get_by_role("button", name="调动").click()
    question = desk.get_by_role("dialog", name="调动“demo_zhonglou”？")
    question.get_by_role("button", name="调动").click()
    expect(question.get_by_text("请选择调往的机关。")).to_be_visible()
    question.get_by_label("查找调往的机关").fill("武进")
    question.get_by_role("radio", name="武进区市场监督管理局", exact=True).check()
    looked_at(desk, "move")
    question.get_by_role("button", name="调动").click()
    expect(panel.locator("dd", has_text="武进区市场监督管理局")).to_be_visible()

    panel.get_by_role("button", name="停用").click()
    question = desk.get_by_role("dialog", name="停用“demo_zhonglou”？")
    question.get_by_label("停用原因").fill("离职")
    question.get_by_role("button", name="停用").click()
    expect(panel.get_by_text("停用：离职")).to_be_visible()
    expect(panel.get_by_role("button", name="重置密码")).to_have_count(0)
    panel.get_by_role("button", name="启用").click()
    desk.get_by_role("dialog").get_by_role("button", name="启用").click()
    expect(panel.get_by_role("button", name="停用")).to_be_visible()


def test_everybody_sees_and_ends_the_own_sessions_and_changes_the_password(office: Bureau, desk: Page) -> None:
    other = office.sign_in(COUNTY, "另一台")
    kept(desk, office, COUNTY)
    desk.goto(f"{office.base}/desk/")
    desk.get_by_role("link", name="天宁区市场监督管理局 · 赵审").click()
    heading(desk, "我的账号")
    expect(desk.get_by_role("row", name="本机")).to_be_visible()
    looked_at(desk, "own")
    desk.get_by_role("row", name="另一台").get_by_role("button", name="退出").click()
    desk.get_by_role("dialog").get_by_role("button", name="退出").click()
    expect(desk.get_by_role("row", name="另一台")).to_have_count(0)
    headers = {"Authorization": f"Bearer {other['token']}"}
    assert requests.get(f"{office.base}/api/v1/me", headers=headers, timeout=30).status_code == 401
    desk.get_by_role("link", name="修改密码").click()
    heading(desk, "修改密码")


def test_a_name_is_searched_in_all_lists_that_the_person_opens(office: Bureau, desk: Page) -> None:
    kept(desk, office, "demo_rating_supervisor")
    desk.goto(f"{office.base}/desk/")
    heading(desk, "待办")
    desk.keyboard.press("/")
    desk.keyboard.type("营业执照")
    desk.keyboard.press("Enter")
    codes = desk.get_by_role("region", name="评价二维码")
    expect(codes.get_by_role("link").first).to_be_visible()
    expect(desk.get_by_role("region", name="账号")).to_have_count(0)
    looked_at(desk, "search")
    desk.get_by_role("region", name="评价", exact=True).get_by_role("link", name="查看全部").click()
    heading(desk, "评价")
    assert "q=" in desk.url
    desk.goto(f"{office.base}/desk/search?q=没有这样的名称")
    expect(desk.get_by_text("没有找到名称含“没有这样的名称”的内容")).to_be_visible()
