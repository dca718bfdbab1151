"""The desk: an office reviews filings in a browser at a computer, and meets nothing that would be refused."""

import json
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from bundle import client_build
from tests import paperwork
from tests.browser.app import Bureau, violations
from tests.browser.desks import kept, sat_down, sign_in
from tests.demo_folder import demo_folder
from tests.servers import running_server

pytestmark = pytest.mark.only_in_rounds
REVIEWER = "demo_licence_reviewer"


@pytest.fixture(scope="module")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the desk's app."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "office")
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    with sat_down(chromium) as page:
        yield page


def test_a_reviewer_works_a_declaration_from_the_to_do_to_the_decision(office: Bureau, desk: Page) -> None:
    desk.goto(f"{office.base}/desk/")
    assert violations(desk) == []
    desk.get_by_role("button", name="登录").click()
    expect(desk.get_by_text("⚠ 请输入用户名")).to_be_visible()
    expect(desk.get_by_label("用户名")).to_be_focused()
    sign_in(desk, office, REVIEWER)

    expect(desk.get_by_role("heading", level=1)).to_contain_text("待办")
    assert violations(desk) == []
    desk.get_by_role("link", name="数据申报待审核").click()
    expect(desk.get_by_role("heading", level=1)).to_contain_text("数据申报")
    expect(desk.get_by_text("年产值")).to_be_visible()
    assert violations(desk) == []

    desk.get_by_role("button", name="审核不通过").click()
    step = desk.get_by_role("region", name="审核不通过")
    step.get_by_role("button", name="审核不通过").click()
    expect(step.get_by_text("请写明意见或原因")).to_be_visible()
    step.get_by_label("审查意见").fill("年产值与上年差异过大，请核实后重新提交。")
    desk.reload()  # what was written is kept
    desk.get_by_role("button", name="审核不通过").click()
    expect(step.get_by_label("审查意见")).to_have_value("年产值与上年差异过大，请核实后重新提交。")
    step.get_by_label("审查意见").press("Control+Enter")
    question = desk.get_by_role("alertdialog")
    expect(question).to_contain_text("年产值与上年差异过大")
    assert filing(office, "data_declaration")["status"] == "pending"  # no single key decides
    question.get_by_role("button", name="确认审核不通过").click()
    expect(desk.get_by_role("status")).to_contain_text("已审核不通过")
    desk.get_by_role("button", name="意见 1").click()
    expect(desk.get_by_text("年产值与上年差异过大，请核实后重新提交。")).to_be_visible()
    expect(desk.get_by_text("现在不需要你办理。")).to_be_visible()


def test_a_list_keeps_its_filters_in_the_address_and_its_order_for_the_next_one(office: Bureau, desk: Page) -> None:
    kept(desk, office, REVIEWER)
    desk.goto(f"{office.base}/desk/filings")
    rows = desk.locator("tbody tr")
    expect(rows).to_have_count(3)
    desk.get_by_role("combobox", name="类型").select_option("rectification")
    expect(rows).to_have_count(2)
    desk.get_by_role("button", name="待上传整改报告").click()
    expect(rows).to_have_count(1)
    address = desk.url
    assert "kind=rectification" in address and "status=to_upload" in address
    desk.goto(address)  # sent to a colleague
    expect(rows).to_have_count(1)
    assert violations(desk) == []
    desk.get_by_role("button", name="去掉 状态").click()
    expect(rows).to_have_count(2)
    rows.first.get_by_role("link").click()
    expect(desk.get_by_text("第 1 / 2 件")).to_be_visible()
    desk.keyboard.press("j")
    expect(desk.get_by_text("第 2 / 2 件")).to_be_visible()
    desk.get_by_role("link", name="返回列表").click()
    assert "kind=rectification" in desk.url
    desk.get_by_label("企业名称").fill("没有这样的企业")
    expect(desk.get_by_text("没有符合的办件。")).to_be_visible()
    desk.get_by_role("button", name="清除筛选").click()
    expect(rows).to_have_count(3)


def test_a_document_is_looked_at_beside_the_form(office: Bureau, desk: Page) -> None:
    sent = send_report(office)
    kept(desk, office, REVIEWER)
    desk.goto(f"{office.base}/desk/filings/{sent['id']}")
    expect(desk.get_by_role("button", name="✓ 整改报告")).to_be_visible()
    expect(desk.frame_locator("iframe[title='report.pdf']").owner).to_be_visible()
    with desk.expect_download() as download:
        desk.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "report.pdf"


def test_who_is_not_signed_in_comes_back_to_the_page_that_was_asked_for(office: Bureau, desk: Page) -> None:
    desk.goto(f"{office.base}/desk/filings?kind=rectification")
    sign_in(desk, office, REVIEWER)
    expect(desk.get_by_role("heading", level=1)).to_have_text("审查")
    assert "kind=rectification" in desk.url
    expect(desk.locator("tbody tr")).to_have_count(2)
    office_token = json.loads(desk.evaluate("localStorage.getItem('gongpin-desk')"))["token"]
    requests.delete(
        f"{office.base}/api/v1/sessions/current", headers={"Authorization": f"Bearer {office_token}"}, timeout=30
    )
    desk.get_by_role("combobox", name="类型").select_option("data_declaration")
    again = desk.get_by_role("dialog", name="登录已过期")
    again.get_by_label("密码").fill(office.account(REVIEWER)["password"])
    again.get_by_role("button", name="登录").click()
    expect(again).to_be_hidden()
    expect(desk.locator("tbody tr")).to_have_count(1)
    desk.get_by_role("button", name="退出登录").click()
    expect(desk.get_by_label("用户名")).to_have_value(REVIEWER)


def test_an_inspector_is_offered_no_reviews(office: Bureau, desk: Page) -> None:
    kept(desk, office, "demo_tianning")
    desk.goto(f"{office.base}/desk/")
    expect(desk.get_by_role("link", name="待办")).to_be_visible()
    expect(desk.get_by_role("link", name="审查")).to_have_count(0)


def filing(office: Bureau, kind: str) -> dict[str, object]:
    return dict(office.call(REVIEWER, "GET", f"/filings?kind={kind}")["items"][0])


def send_report(office: Bureau) -> dict[str, object]:
    """The enterprise sends its rectification report (整改报告)."""
    file = office.upload("enterprise", "report.pdf", paperwork.pdf("整改报告"), "rectification_report")
    found = office.call("enterprise", "GET", "/filings?kind=rectification&status=to_upload")["items"][0]
    whole = office.call("enterprise", "GET", f"/filings/{found['id']}")
    body = {
        "kind": "rectification", "version": whole["version"], "data": {"measures": "已补齐台账"},
        "documents": [{"category": "rectification_report", "file_id": file["id"]}],
    }  # fmt: skip
    saved = office.call("enterprise", "PUT", f"/filings/{found['id']}", body)
    return office.call("enterprise", "POST", f"/filings/{found['id']}/actions/submit", {"version": saved["version"]})
